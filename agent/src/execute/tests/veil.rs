//! Files that hold secrets, on a host with programs: checks that print what they read, commands
//! that move files about.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use super::*;

const OLD: &str = "password = correct-horse-battery-staple\n";

/// A shell that shows a file, and moves one to the place of another.
struct Tamper;

impl FakeProgram for Tamper {
    fn run(&mut self, call: &Call<'_>, files: &mut Files) -> Output {
        let line = call.words.last().unwrap();
        let mut words = line.split(' ');
        let stdout = match words.next() {
            Some("mv") => {
                let (from, to) = (words.next().unwrap(), words.next().unwrap());
                files.rename(from, to);
                String::new()
            }
            _ => files.text("/etc/app.conf").to_owned(),
        };
        Output {
            code: Some(i32::from(line.starts_with("check"))),
            signal: None,
            stdout,
            stderr: String::new(),
            truncated: false,
        }
    }
}

fn sealed(world: &World, path: &str) -> Resource {
    let commitment = Commitment::Sealed(Digest::of("any"));
    world.host.add_sealed(commitment, OLD);
    let mut resource = file(path, "");
    let Spec::File(file) = &mut resource.spec else {
        panic!("a file")
    };
    file.content = Some(Content::Sealed {
        secrets: vec!["secret:db".parse().unwrap()],
        commitment,
    });
    resource
}

fn world() -> World {
    let world = World::new();
    world
        .host
        .install(&["/bin/sh", "sh"], Arc::new(Mutex::new(Tamper)));
    world
}

/// Neither the secret nor its digest is in a run's words or in the ledger.
#[track_caller]
fn tells_nothing(world: &World, run: &Execution) {
    let told = format!("{run:?}");
    for needle in [OLD.trim().to_owned(), Digest::of(OLD).to_string()] {
        assert!(!told.contains(&needle), "{run:#?}");
        for entry in fs::read_dir(world.ledger.path()).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(!text.contains(&needle), "{text}");
        }
    }
}

#[test]
fn what_a_check_prints_beside_an_old_secret_is_withheld() {
    let world = world();
    world.enforce(&[sealed(&world, "/etc/app.conf")]);
    assert_eq!(world.host.files().text("/etc/app.conf"), OLD);
    let mut plain = file("/etc/app.conf", "plain\n");
    let Spec::File(checked) = &mut plain.spec else {
        panic!("a file")
    };
    checked.validate = Some(Command::Shell("check %s".to_owned()));
    let run = world.enforce(&[plain]);
    let line = told(&run, "/etc/app.conf");
    assert_eq!(line.outcome, Outcome::Failed);
    assert!(line.message.as_ref().unwrap().contains("not shown"));
    tells_nothing(&world, &run);
    assert_eq!(world.host.files().text("/etc/app.conf"), OLD);
}

#[test]
fn a_secret_that_a_command_moves_in_the_same_run_is_not_shown() {
    let world = world();
    world.enforce(&[sealed(&world, "/etc/app.conf")]);
    let mut moves = crate::report::tests::an_exec("move");
    if let Spec::Exec(exec) = &mut moves.spec {
        exec.command = Command::Shell("mv /etc/app.conf /etc/new.conf".to_owned());
    }
    let mut plain = file("/etc/new.conf", "plain\n");
    plain.requires = vec![moves.id.clone()];
    let run = world.enforce(&[moves, plain]);
    assert_eq!(told(&run, "/etc/new.conf").outcome, Outcome::Changed);
    let line = told(&run, "/etc/new.conf");
    assert_eq!(line.changes[0].from.as_deref(), Some("other content"));
    tells_nothing(&world, &run);
}

#[test]
fn two_resources_of_one_path_do_not_show_each_others_secrets() {
    let world = world();
    let secret = sealed(&world, "/etc/app.conf");
    let mut plain = file("/etc/app.conf", "plain\n");
    plain.id = id(Kind::File, "the same again");
    let both = [secret, plain];
    for mode in [
        RunMode::NoOp,
        RunMode::Audit,
        RunMode::Enforce,
        RunMode::NoOp,
    ] {
        let run = world.run(&both, mode);
        assert_ne!(run.status(), RunStatus::InSync);
        tells_nothing(&world, &run);
    }
}

#[test]
fn a_host_without_secrets_shows_its_diffs() {
    let world = world();
    world.enforce(&[file("/etc/app.conf", "one\n")]);
    world.enforce(&[
        sealed(&world, "/etc/other.conf"),
        file("/etc/app.conf", "one\n"),
    ]);
    let run = world.enforce(&[file("/etc/app.conf", "two\n")]);
    let diff = told(&run, "/etc/app.conf").diff.clone().unwrap();
    assert!(diff.contains("-one") && diff.contains("+two"), "{diff}");
}
