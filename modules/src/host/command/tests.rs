#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use holdfast_schemas::resource::Command;

use super::{quote, run};
use crate::host::accounts::Accounts;
use crate::host::{Ends, HostError, Invocation, Output, Stop};

fn shell(line: &str) -> Invocation {
    Invocation {
        command: Command::Shell(line.to_owned()),
        cwd: None,
        env: BTreeMap::new(),
        run_as: None,
        deadline: Duration::from_secs(20),
        ends: Ends::WithTheRun,
    }
}

fn output(invocation: &Invocation) -> Output {
    run(invocation, &Accounts::default(), &Stop::default()).unwrap()
}

#[test]
fn output_and_status_are_told() {
    let output = output(&shell("echo out; echo err >&2; exit 3"));
    assert_eq!(
        (output.stdout.as_str(), output.stderr.as_str()),
        ("out\n", "err\n")
    );
    assert_eq!((output.code, output.truncated), (Some(3), false));
    assert_eq!(output.status(), "exit status 3");
}

#[test]
fn a_signal_is_no_exit_status() {
    let output = output(&shell("kill -9 $$"));
    assert_eq!(
        (output.code, output.signal, output.success()),
        (None, Some(9), false)
    );
}

#[test]
fn words_pass_no_shell() {
    let words = ["echo", "$HOME", "a  b", ";", "'"].map(str::to_owned);
    let command = Command::Argv(words.to_vec());
    let invocation = Invocation {
        command,
        ..shell("")
    };
    assert_eq!(output(&invocation).stdout, "$HOME a  b ; '\n");
}

#[test]
fn a_quoted_word_is_one_word_of_the_shell() {
    let word = "it's $HOME; `x` \\ \"y\"";
    assert_eq!(
        output(&shell(&format!("printf %s {}", quote(word)))).stdout,
        word
    );
}

#[test]
fn the_environment_is_small_and_fixed() {
    let mut invocation = shell("env | sort; pwd; cat");
    invocation.env.insert("EXTRA".into(), "1".into());
    invocation.cwd = Some("/usr".parse().unwrap());
    let stdout = output(&invocation).stdout;
    let names: Vec<&str> = stdout
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    assert_eq!(names, ["EXTRA", "HOME", "LC_ALL", "PATH", "PWD"]);
    assert!(stdout.ends_with("/usr\n"));
}

#[test]
fn a_missing_folder_or_program_is_an_error() {
    let mut invocation = shell("true");
    invocation.cwd = Some("/no/such/folder".parse().unwrap());
    let error = run(&invocation, &Accounts::default(), &Stop::default()).unwrap_err();
    assert!(matches!(error, HostError::Start { .. }), "{error}");
    let command = Command::Argv(vec!["no-such-program".into()]);
    let invocation = Invocation {
        command,
        ..shell("")
    };
    let error = run(&invocation, &Accounts::default(), &Stop::default()).unwrap_err();
    assert!(matches!(error, HostError::Start { .. }), "{error}");
}

#[test]
fn at_the_deadline_the_whole_group_dies() {
    let begun = Instant::now();
    let mark = format!("31{:05}", std::process::id() % 100_000);
    let mut invocation = shell(&format!("sleep {mark} & sleep {mark}"));
    invocation.deadline = Duration::from_millis(200);
    let error = run(&invocation, &Accounts::default(), &Stop::default()).unwrap_err();
    assert!(matches!(error, HostError::Deadline { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    let left = output(&shell(&format!(
        "grep -lz '^{mark}$' /proc/[0-9]*/cmdline 2>/dev/null | wc -l"
    )));
    assert_eq!(left.stdout.trim(), "0", "children outlived the deadline");
}

#[test]
fn a_child_left_behind_is_not_waited_for() {
    let begun = Instant::now();
    let output = output(&shell("sleep 15 & echo done"));
    assert_eq!(output.stdout, "done\n");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn endless_output_is_bounded_and_both_ends_are_kept() {
    let output = output(&shell(
        "echo first; head -c 5000000 /dev/zero | tr '\\0' x; echo; echo last",
    ));
    assert!(output.truncated && output.stdout.len() < 200_000);
    assert!(output.stdout.starts_with("first\n") && output.stdout.ends_with("\nlast\n"));
}

#[test]
fn an_account_brings_its_user_group_and_groups() {
    let mut accounts = Accounts::default();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let group = std::fs::read_to_string("/etc/group").unwrap();
    accounts.clone_from(&Accounts::parse(&passwd, &group));
    let mut invocation = shell("id -u; id -g; echo $HOME");
    invocation.run_as = Some("daemon".into());
    match nix::unistd::geteuid().is_root() {
        true => {
            let output = run(&invocation, &accounts, &Stop::default()).unwrap();
            assert_eq!(output.stdout, "1\n1\n/usr/sbin\n", "{}", output.stderr);
        }
        false => assert!(
            !run(&invocation, &accounts, &Stop::default())
                .unwrap()
                .success()
        ),
    }
    if nix::unistd::geteuid().is_root() {
        // Groups of root stay behind, and so does its terminal.
        invocation.command =
            Command::Shell("id -G; ps -o sid= -p $$ || cut -d' ' -f6 /proc/$$/stat".into());
        let output = run(&invocation, &accounts, &Stop::default()).unwrap();
        let mut lines = output.stdout.lines();
        assert_eq!(lines.next(), Some("1"));
        let session: i32 = lines.next().unwrap().trim().parse().unwrap();
        assert_ne!(session, nix::unistd::getsid(None).unwrap().as_raw());
        invocation.command = Command::Shell("sleep 20 & sleep 20".into());
        invocation.deadline = Duration::from_millis(200);
        let error = run(&invocation, &accounts, &Stop::default()).unwrap_err();
        assert!(matches!(error, HostError::Deadline { .. }), "{error}");
        // The kernel may still be at it; what is dead and not yet buried has no command line.
        invocation.command = Command::Shell("sleep 0.2; pgrep -u daemon -f 'sleep 20'".into());
        invocation.run_as = None;
        invocation.deadline = Duration::from_secs(10);
        assert_eq!(
            run(&invocation, &accounts, &Stop::default())
                .unwrap()
                .stdout,
            "",
            "left alive"
        );
    }
    invocation.run_as = Some("nobody-here".into());
    let error = run(&invocation, &accounts, &Stop::default()).unwrap_err();
    assert!(matches!(error, HostError::NoSuchAccount { .. }), "{error}");
}

/// Asks for the end as soon as a file is there, and gives what became of the program.
fn run_until(path: &std::path::Path, invocation: &Invocation) -> (HostError, Duration) {
    let stop = Stop::default();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let begun = Instant::now();
            while !path.exists() {
                assert!(
                    begun.elapsed() < Duration::from_secs(20),
                    "it did not begin"
                );
                std::thread::sleep(Duration::from_millis(5));
            }
            stop.ask();
            Instant::now()
        });
        let error = run(invocation, &Accounts::default(), &stop).unwrap_err();
        (error, asking.join().unwrap().elapsed())
    })
}

#[test]
fn a_command_ends_with_the_run_and_has_time_to_tidy_up() {
    let folder = tempfile::tempdir().unwrap();
    let (begun, tidied) = (folder.path().join("begun"), folder.path().join("tidied"));
    let line = format!(
        "trap 'echo > {}; exit 0' TERM; echo > {}; sleep 60 & wait",
        tidied.display(),
        begun.display()
    );
    let (error, took) = run_until(&begun, &shell(&line));
    assert!(matches!(error, HostError::BrokenOff { .. }), "{error}");
    assert!(tidied.exists());
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn a_command_that_does_not_end_is_killed_with_all_that_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let (begun, pid) = (folder.path().join("begun"), folder.path().join("pid"));
    let line = format!(
        "trap '' TERM; sh -c 'echo $$ > {}; sleep 60' & echo > {}; wait; sleep 60",
        pid.display(),
        begun.display()
    );
    let (error, took) = run_until(&begun, &shell(&line));
    assert!(matches!(error, HostError::BrokenOff { .. }), "{error}");
    assert!(
        took > Duration::from_secs(4) && took < Duration::from_secs(15),
        "{took:?}"
    );
    let process = std::fs::read_to_string(pid).unwrap();
    let goes_on = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.trim()));
        stat.is_ok_and(|stat| !stat.contains(" Z "))
    };
    // The kernel takes a moment for what it was told to kill.
    let asked = Instant::now();
    while goes_on() {
        assert!(
            asked.elapsed() < Duration::from_secs(20),
            "what it began goes on"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_package_manager_is_not_broken_off() {
    let stop = Stop::default();
    stop.ask();
    let invocation = Invocation {
        ends: Ends::ByItself,
        ..shell("sleep 0.2; echo done")
    };
    let output = run(&invocation, &Accounts::default(), &stop).unwrap();
    assert_eq!(output.stdout, "done\n");
}
