//! On the machine itself, in a folder that goes away: what matters of a command is what the kernel
//! does with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use holdfast_schemas::resource::{Kind, Spec};
use nix::unistd::geteuid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Enforced, enforce, observe, refresh};
use crate::host::fake::FakeHost;
use crate::host::{Facility, Host, HostError, NoContent, RealHost};
use crate::module::Refreshed;

fn exec(json: Value) -> Spec {
    crate::testing::spec(Kind::Exec, json)
}

fn host() -> RealHost {
    RealHost::new(Arc::new(NoContent), Arc::default()).unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

fn changed(spec: &Spec) {
    let outcome = enforce(spec, &host());
    assert!(matches!(outcome, Enforced::Changed(_)), "{outcome:?}");
}

fn in_sync(spec: &Spec) {
    let outcome = enforce(spec, &host());
    assert!(matches!(outcome, Enforced::InSync), "{outcome:?}");
}

fn failure(spec: &Spec) -> HostError {
    match enforce(spec, &host()) {
        Enforced::Failed { error, .. } => error,
        other => panic!("{other:?}"),
    }
}

/// E01, E11
#[test]
fn creates_decides_and_takes_wildcards() {
    let dir = folder();
    let made = path(&dir, "made-1");
    let touch = exec(json!({"command": ["touch", made], "creates": path(&dir, "made-*")}));
    let look = observe(&touch, host().as_probe()).unwrap();
    assert!(!look.in_sync() && look.unknown.is_some());
    assert!(!Path::new(&made).exists(), "a look ran the command");
    changed(&touch);
    in_sync(&touch);
}

/// E03
#[test]
fn guards_decide() {
    let dir = folder();
    let made = path(&dir, "made");
    in_sync(&exec(json!({"command": ["touch", made], "unless": "true"})));
    in_sync(&exec(
        json!({"command": ["touch", made], "only_if": ["false"]}),
    ));
    assert!(!Path::new(&made).exists());
    let unless = exec(json!({"command": ["touch", made], "unless": ["test", "-e", made]}));
    changed(&unless);
    in_sync(&unless);
    changed(&exec(json!({"command": "true", "only_if": "true"})));
    changed(&exec(json!({"command": "true", "always": true})));
}

#[test]
fn a_command_that_does_not_do_what_its_guard_asks_has_not_converged() {
    let dir = folder();
    for guard in [
        json!({"creates": path(&dir, "never")}),
        json!({"unless": "false"}),
    ] {
        let mut spec = guard;
        spec["command"] = json!("true");
        let outcome = enforce(&exec(spec), &host());
        assert!(
            matches!(outcome, Enforced::NotConverged { .. }),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_guard_that_cannot_be_asked_is_an_error() {
    for guard in [json!(["/no/such/program"]), json!("kill -9 $$")] {
        failure(&exec(json!({"command": "true", "unless": guard})));
    }
}

/// E04, E05
#[test]
fn command_and_guards_share_folder_and_environment() {
    let dir = folder();
    let spec = exec(json!({
        "command": "printf %s \"$WORD\" > made",
        "unless": "test \"$(cat made)\" = \"$WORD\"",
        "cwd": dir.path().to_str().unwrap(),
        "env": {"WORD": "two words; $(id)"},
    }));
    changed(&spec);
    in_sync(&spec);
    assert_eq!(
        std::fs::read_to_string(dir.path().join("made")).unwrap(),
        "two words; $(id)"
    );
    let error = failure(&exec(
        json!({"command": "true", "only_if": "true", "cwd": path(&dir, "no")}),
    ));
    assert!(error.to_string().contains("cwd"), "{error}");
}

/// E06
#[test]
fn the_whole_process_group_dies_at_the_deadline() {
    let dir = folder();
    let late = path(&dir, "late");
    let line = format!("(sleep 3; touch {late}) & wait");
    let begun = Instant::now();
    let error = failure(&exec(
        json!({"command": line, "always": true, "timeout_s": 1}),
    ));
    assert!(matches!(error, HostError::Deadline { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(3));
    let running = || {
        let list = std::process::Command::new("ps")
            .args(["-eo", "args"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&list.stdout).contains(&late)
    };
    let end = Instant::now() + Duration::from_secs(2);
    while running() && Instant::now() < end {
        std::thread::yield_now();
    }
    assert!(!running(), "a child outlived the deadline");
}

/// E08
#[test]
fn the_end_of_large_output_is_told_of_a_failure() {
    let line = "seq 1 200000; echo the-cause >&2; exit 3";
    let error = failure(&exec(json!({"command": line, "always": true}))).to_string();
    assert!(
        error.contains("exit status 3") && error.contains("the-cause"),
        "{error}"
    );
    let error = failure(&exec(
        json!({"command": "seq 1 200000; false", "always": true}),
    ))
    .to_string();
    assert!(
        error.contains("200000") && error.len() < 10_000,
        "{}",
        error.len()
    );
    changed(&exec(json!({"command": "seq 1 200000", "always": true})));
}

/// E09
#[test]
fn a_list_of_arguments_meets_no_shell() {
    let dir = folder();
    let name = "a b $(id) ; * '\"";
    changed(&exec(
        json!({"command": ["touch", path(&dir, name)], "creates": path(&dir, "a b*")}),
    ));
    assert!(dir.path().join(name).exists());
}

/// E10
#[test]
fn a_command_runs_as_the_account_it_names() {
    let spec = exec(json!({
        "command": "true", "only_if": "test \"$(id -un)\" = nobody && test \"$(id -Gn)\" = \"$(id -Gn nobody)\"",
        "run_as": "nobody",
    }));
    match geteuid().is_root() {
        true => changed(&spec),
        false => in_sync(&exec(
            json!({"command": "true", "only_if": "test \"$(id -u)\" = 0"}),
        )),
    }
    let error = failure(&exec(
        json!({"command": "true", "always": true, "run_as": "no-such-account"}),
    ));
    assert!(
        matches!(error, HostError::NoSuchAccount { what: "user", .. }),
        "{error}"
    );
}

#[test]
fn refresh_only_runs_when_notified_and_its_guards_agree() {
    let dir = folder();
    let made = path(&dir, "made");
    let spec = exec(json!({"command": ["touch", made], "refresh_only": true, "creates": made}));
    in_sync(&spec);
    assert_eq!(refresh(&spec, &host()).unwrap(), Refreshed::Done);
    assert!(Path::new(&made).exists());
    assert_eq!(refresh(&spec, &host()).unwrap(), Refreshed::NothingToDo);
    let other = exec(json!({"command": "false", "always": true}));
    assert_eq!(refresh(&other, &host()).unwrap(), Refreshed::NothingToDo);
}

#[test]
fn a_host_without_programs_is_never_in_sync() {
    let host = FakeHost::new();
    host.lack(Facility::Programs, "no programs here");
    for spec in [
        json!({"command": "true", "refresh_only": true}),
        json!({"command": "true", "creates": "/etc"}),
    ] {
        let look = observe(&exec(spec), host.as_probe());
        assert!(matches!(look, Err(HostError::Unsupported(_))));
    }
}
