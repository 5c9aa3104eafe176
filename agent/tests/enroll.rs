//! `enroll` as a person uses it while nobody answers: where the token comes from, and what a second
//! try goes on with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use common::{Ran, World};
use serde_json::Value;

/// Nobody listens here: the port of the discard service, on loopback.
const AWAY: &str = "https://127.0.0.1:9";

fn token(digit: char) -> String {
    let (secret, ca) = (digit.to_string().repeat(32), "0".repeat(64));
    format!("hft_{secret}_{ca}")
}

fn enroll(world: &World, more: &[&str], input: &str) -> Ran {
    let state = world.path("/state");
    let mut arguments = vec!["enroll", "--server", AWAY, "--name", "web-1"];
    arguments.extend(["--state-dir", state.to_str().unwrap()]);
    arguments.extend(more);
    let mut child = world
        .command(&arguments)
        .env_remove("HOLDFAST_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read its input may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    Ran::of(child.wait_with_output().unwrap())
}

fn kept(world: &World) -> Value {
    let path = world.path("/state/enrolling.json");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_token_comes_from_a_file_or_standard_input_too() {
    let world = World::new();
    let file = world.path("/token");
    fs::write(&file, format!("{}\n", token('a'))).unwrap();
    let file = file.to_str().unwrap();
    for (arguments, input) in [
        (vec!["--token-file", file], String::new()),
        (vec!["--token-file", "-"], token('a')),
        (vec!["--token", "-"], token('a')),
    ] {
        let ran = enroll(&world, &arguments, &input);
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains("may be tried again"), "{}", ran.stderr);
    }
    let none = enroll(&world, &[], "");
    assert!(none.stderr.contains("--token"), "{}", none.stderr);
    let missing = enroll(&world, &["--token-file", "/no/such/file"], "");
    assert!(
        missing
            .stderr
            .contains("cannot read the token from /no/such/file")
    );
    let garbage = enroll(&world, &["--token-file", "-"], "s3cret");
    assert!(!garbage.stderr.contains("s3cret"), "{}", garbage.stderr);
}

#[test]
fn a_second_try_with_a_token_is_for_the_same_key() {
    let world = World::new();
    let ask = |digit| enroll(&world, &["--token", "-"], &token(digit));
    ask('a');
    let first = kept(&world);
    ask('a');
    assert_eq!(kept(&world), first);
    ask('b');
    assert_ne!(kept(&world)["request"], first["request"]);
    fs::write(world.path("/state/enrolling.json"), "{ torn").unwrap();
    ask('b');
    assert!(kept(&world)["request"]["key"].is_string());
    let text = kept(&world).to_string();
    assert!(!text.contains(&"b".repeat(32)), "the token was kept");
}
