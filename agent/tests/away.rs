//! An enrolled host whose server is away: it goes on with the last good catalog, and believes no
//! other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::host::Host;
use common::{Ran, World, file};
use holdfast_schemas::Digest;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

/// Far longer than anything here takes; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until something holds, and says how long it took.
fn until(what: &str, holds: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    begun.elapsed()
}

#[test]
fn the_last_good_catalog_is_applied_and_reports_wait() {
    let host = Host::new();
    host.hold(4, "one\n");
    let first = host.once();
    assert_eq!(first.code, 2, "{}", first.stderr);
    assert_eq!(first.report()["generation"], 4);
    assert_eq!(first.line("file[/etc/motd]")["cause"], "new");
    assert_eq!(first.report()["id"]["sequence"], 1);
    assert_eq!(host.world.read("/etc/motd"), "one\n");
    assert_eq!(host.unsent(), 1);
    assert_eq!(host.once().code, 0);
    assert_eq!(host.unsent(), 2);
    let third = host.once();
    assert_eq!(
        (third.code, host.unsent()),
        (0, 2),
        "it says the same as the second"
    );
    host.world.write("/etc/motd", "tampered\n");
    let fourth = host.once();
    assert_eq!(fourth.line("file[/etc/motd]")["cause"], "drift");
    assert_eq!((fourth.code, host.unsent()), (2, 3));
}

#[test]
fn a_held_catalog_that_was_edited_is_not_believed() {
    let host = Host::new();
    let body = host.hold(4, "one\n");
    let edited = fs::read_to_string(&body).unwrap().replace("one", "two");
    fs::write(&body, edited).unwrap();
    let run = host.once();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("digest"), "{}", run.stderr);
    assert!(!host.world.path("/etc/motd").exists());
}

#[test]
fn an_older_generation_is_not_applied_again() {
    let host = Host::new();
    let accepted = json!({ "generation": 5, "body": Digest::of("newer") });
    fs::write(host.state.join("accepted.json"), accepted.to_string()).unwrap();
    host.hold(4, "old\n");
    let run = host.once();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("generation 4"), "{}", run.stderr);
    assert!(!host.world.path("/etc/motd").exists());
}

#[test]
fn a_host_that_was_never_enrolled_is_told_how() {
    let world = World::new();
    let state = world.path("/state");
    let run = world.agent(&["once", "--state-dir", state.to_str().unwrap()]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("not enrolled") && run.stderr.contains("hint:"));
}

#[test]
fn drift_is_mended_long_before_the_timer_and_the_agent_ends_when_asked() {
    let host = Host::new();
    host.hold(4, "one\n");
    let mut agent = host.serve();
    let motd = host.world.path("/etc/motd");
    let holds = |content: &str| fs::read_to_string(&motd).is_ok_and(|found| found == content);
    until("the first run", || holds("one\n"));
    until("its report", || host.unsent() >= 1);
    for tampered in ["two\n", "three\n"] {
        host.world.write("/etc/motd", tampered);
        let took = until("drift is mended", || holds("one\n"));
        assert!(took < Duration::from_secs(5), "{took:?} is no watch");
    }
    fs::remove_file(&motd).unwrap();
    until("a removal is mended", || holds("one\n"));
    kill(Pid::from_raw(agent.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert!(agent.wait().unwrap().success());
}

/// Memory of a process's own, in KiB.
fn own_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let words = line.and_then(|line| line.split_whitespace().next());
    words.unwrap().parse().unwrap()
}

#[test]
fn a_large_run_leaves_a_small_process_that_goes_on() {
    let host = Host::new();
    let long = "a line of a configuration\n".repeat(20);
    let mut resources = vec![file("/etc/motd", "one\n")];
    resources.extend((0..3000).map(|n| file(&format!("/etc/file-{n}"), &long)));
    host.hold_all(4, &resources);
    let mut agent = host.serve();
    until("the first run", || host.unsent() >= 1);
    until("memory is given back", || own_memory(agent.id()) < 6 * 1024);
    let motd = host.world.path("/etc/motd");
    host.world.write("/etc/motd", "tampered\n");
    let took = until("drift is mended", || {
        fs::read_to_string(&motd).is_ok_and(|found| found == "one\n")
    });
    assert!(took < Duration::from_secs(5), "{took:?} is no watch");
    kill(Pid::from_raw(agent.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert!(agent.wait().unwrap().success());
}

#[test]
fn a_single_run_that_is_asked_to_end_tells_how_far_it_came() {
    let host = Host::new();
    let files = 4000;
    let resources: Vec<_> = (0..files)
        .map(|n| file(&format!("/etc/file-{n}"), "x\n"))
        .collect();
    host.hold_all(4, &resources);
    let mut command = host.world.command(&host.arguments(&["once"]));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    until("the first file", || host.world.path("/etc/file-0").exists());
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("ended before its end"),
        "{}",
        ran.stderr
    );
    assert!(
        !host
            .world
            .path(&format!("/etc/file-{}", files - 1))
            .exists()
    );
    assert_eq!(host.once().code, 2);
    assert_eq!(host.world.read(&format!("/etc/file-{}", files - 1)), "x\n");
}
