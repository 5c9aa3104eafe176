//! The booted hosts themselves: what every live test takes for granted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use holdfast_testkit::live::{Host, machine_or_skip};

/// Set in the environment of the test program that is to be killed.
const VICTIM: &str = "HOLDFAST_TEST_VICTIM";

#[test]
fn hosts_stand_side_by_side_and_do_not_see_each_other() {
    let Some(machine) = machine_or_skip("hosts side by side") else {
        return;
    };
    let hosts: Vec<Host> = thread::scope(|scope| {
        let boot = |name| {
            let machine = &machine;
            scope.spawn(move || Host::boot(machine, name).unwrap())
        };
        let booting: Vec<_> = ["left", "right"].into_iter().map(boot).collect();
        booting
            .into_iter()
            .map(|host| host.join().unwrap())
            .collect()
    });
    let [left, right] = &hosts[..] else {
        panic!("two hosts were booted");
    };
    for host in [left, right] {
        assert_eq!(host.succeed(["hostname"]).unwrap().trim(), host.name());
        assert_eq!(host.succeed(["cat", "/proc/1/comm"]).unwrap(), "systemd\n");
    }
    left.write("/etc/only-left", b"here").unwrap();
    assert_eq!(left.read("/etc/only-left").unwrap(), "here");
    assert!(right.read("/etc/only-left").is_err());

    // A unit of the same name in both: stopping one leaves the other, at once.
    for host in [left, right] {
        host.succeed(["systemd-run", "--unit=sleeper", "sleep", "1000"])
            .unwrap();
    }
    let begin = Instant::now();
    left.succeed(["systemctl", "stop", "sleeper"]).unwrap();
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "stopping waited for the other host"
    );
    assert!(
        !left
            .exec(["systemctl", "is-active", "sleeper"])
            .unwrap()
            .status
            .success()
    );
    right
        .succeed(["systemctl", "is-active", "sleeper"])
        .unwrap();
}

#[test]
fn a_dropped_host_leaves_nothing() {
    let Some(machine) = machine_or_skip("a dropped host") else {
        return;
    };
    let host = Host::boot(&machine, "dropped").unwrap();
    let name = host.name().to_owned();
    assert!(traces(&name) > 0);
    drop(host);
    assert_eq!(traces(&name), 0);
}

#[test]
fn a_host_does_not_outlive_a_killed_test_program() {
    if machine_or_skip("a killed test program").is_none() {
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "boots_a_host_and_waits_to_be_killed",
            "--nocapture",
        ])
        .env(VICTIM, "yes")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let booted = lines.map(Result::unwrap).find_map(|line| {
        let (_, name) = line.split_once("booted ")?;
        Some(name.to_owned())
    });
    let name = booted.expect("the child says what it booted");
    assert!(traces(&name) > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    let begin = Instant::now();
    while traces(&name) > 0 {
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "{name} is still there"
        );
        thread::sleep(Duration::from_millis(50));
    }
}

/// The program that the test above kills: a test only so that one program is both.
#[test]
fn boots_a_host_and_waits_to_be_killed() {
    if std::env::var_os(VICTIM).is_none() {
        return;
    }
    let machine = machine_or_skip("to be killed").unwrap();
    let host = Host::boot(&machine, "orphan").unwrap();
    println!("booted {}", host.name());
    thread::sleep(Duration::from_secs(60));
}

/// Folders and control groups that bear a host's name.
fn traces(name: &str) -> usize {
    let group = format!("holdfast-{name}");
    let places = [
        Path::new("/run/holdfast-testkit").join(name),
        Path::new("/sys/fs/cgroup").join(&group),
        Path::new("/sys/fs/cgroup/systemd").join(&group),
        Path::new("/sys/fs/cgroup/unified").join(&group),
    ];
    places.iter().filter(|place| place.exists()).count()
}
