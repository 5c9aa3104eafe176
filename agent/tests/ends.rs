//! Asked to end: once, the resource at hand comes to its end and the rest is told as not done;
//! twice, everything ends at once. Whatever happens, every file is whole.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::host::Host;
use common::{Ran, World, catalog, file, resource};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// Far longer than anything here takes; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(30);

fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn send(signal: Signal, to: &Child) {
    kill(Pid::from_raw(to.id().cast_signed()), signal).unwrap();
}

/// A command that always runs, on this very machine.
fn command(title: &str, line: &str) -> Value {
    resource("exec", title, json!({ "command": line, "always": true }))
}

/// A command that says that it began, and in which process, and goes on for a minute.
fn slow(on_term: &str, begun: &Path) -> Value {
    let begun = begun.display();
    let line = format!("trap '{on_term}' TERM; echo $$ > {begun}; sleep 60 & wait; sleep 60");
    command("slow", &line)
}

/// This machine, never enrolled, with a state folder of its own.
struct Machine {
    world: World,
    begun: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let world = World::new();
        let begun = world.path("/begun");
        Self { world, begun }
    }

    fn start(&self, resources: &[Value], more: &[&str]) -> Child {
        fs::write(&self.world.catalog, catalog(resources)).unwrap();
        let state = self.world.path("/state");
        let (catalog, state) = (self.world.catalog.to_str(), state.to_str());
        let words = [
            "apply",
            catalog.unwrap(),
            "--json",
            "--state-dir",
            state.unwrap(),
        ];
        let mut command = self.world.command(&[&words, more].concat());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        until("the command", || {
            fs::read_to_string(&self.begun).is_ok_and(|text| text.ends_with('\n'))
        });
        child
    }

    /// Whether the command that said that it began goes on.
    fn goes_on(&self) -> bool {
        let process = fs::read_to_string(&self.begun).unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", process.trim()));
        stat.is_ok_and(|stat| !stat.contains(" Z "))
    }
}

#[test]
fn a_command_is_ended_and_the_rest_is_told_as_not_done() {
    let machine = Machine::new();
    let (tidied, after) = (machine.world.path("/tidied"), machine.world.path("/after"));
    let tidy = format!("echo > {}; exit 0", tidied.display());
    let resources = [
        slow(&tidy, &machine.begun),
        command("after", &format!("echo > {}", after.display())),
    ];
    let child = machine.start(&resources, &[]);
    let asked = Instant::now();
    send(Signal::SIGTERM, &child);
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert!(
        asked.elapsed() < Duration::from_secs(4),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    let ended = ran.line("exec[slow]");
    assert_eq!(ended["outcome"], "failed");
    assert!(ended["message"].as_str().unwrap().contains("asked to end"));
    let skipped = ran.line("exec[after]");
    assert_eq!(skipped["outcome"], "skipped");
    assert_eq!(
        skipped["skipped_because"],
        "the run was ended before its turn"
    );
    assert!(ran.report()["error"].as_str().unwrap().contains("as asked"));
    assert!(tidied.exists() && !after.exists() && !machine.goes_on());
}

#[test]
fn a_second_signal_ends_at_once_what_does_not_end() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130)] {
        let machine = Machine::new();
        let child = machine.start(&[slow("", &machine.begun)], &[]);
        let asked = Instant::now();
        send(signal, &child);
        std::thread::sleep(Duration::from_millis(300));
        send(signal, &child);
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert!(
            asked.elapsed() < Duration::from_secs(3),
            "{:?}",
            asked.elapsed()
        );
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains("asked twice"), "{}", ran.stderr);
        until("the command is gone", || !machine.goes_on());
    }
}

#[test]
fn a_run_that_only_looks_ends_too() {
    let machine = Machine::new();
    let guard = format!("echo $$ > {}; sleep 60", machine.begun.display());
    let guarded = json!({ "command": "true", "unless": guard });
    let resources = [
        resource("exec", "guarded", guarded),
        command("after", "true"),
    ];
    let child = machine.start(&resources, &["--no-op"]);
    let asked = Instant::now();
    send(Signal::SIGINT, &child);
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert!(
        asked.elapsed() < Duration::from_secs(8),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert_eq!(ran.line("exec[guarded]")["outcome"], "failed");
    assert_eq!(ran.line("exec[after]")["outcome"], "skipped");
    assert!(ran.report()["error"].is_string());
}

#[test]
fn files_are_whole_and_counted_and_the_next_run_goes_on() {
    const FILES: u64 = 4000;
    let world = World::new();
    let content = "a line of a configuration\n".repeat(50);
    let files: Vec<Value> = (0..FILES)
        .map(|n| file(&format!("/etc/file-{n}"), &content))
        .collect();
    world.declare(&files);
    let (catalog, root) = (world.catalog.to_str(), world.root.to_str());
    let words = ["apply", catalog.unwrap(), "--json", "--root", root.unwrap()];
    let mut command = world.command(&words);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    until("the first file", || world.path("/etc/file-0").exists());
    send(Signal::SIGINT, &child);
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    let found: Vec<PathBuf> = fs::read_dir(world.path("/etc"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    for path in &found {
        assert_eq!(
            fs::read_to_string(path).unwrap(),
            content,
            "{}",
            path.display()
        );
    }
    assert_eq!(ran.count("changed"), found.len() as u64);
    assert_eq!(ran.count("changed") + ran.count("skipped"), FILES);
    let next = world.apply();
    assert_eq!(
        (next.code, next.count("in_sync")),
        (2, ran.count("changed"))
    );
}

/// An enrolled host that is this machine: its commands run.
fn serve(host: &Host, resources: &[Value]) -> Child {
    host.hold_all(4, resources);
    let state = host.state.to_str().unwrap();
    let mut command = host
        .world
        .command(&["run", "--interval", "1h", "--state-dir", state]);
    command.stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn the_service_ends_likewise_and_keeps_the_report() {
    let host = Host::new();
    let begun = host.world.path("/begun");
    let agent = serve(&host, &[slow("exit 0", &begun), command("after", "true")]);
    until("the command", || begun.exists());
    send(Signal::SIGTERM, &agent);
    let ran = Ran::of(agent.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let spooled = fs::read_dir(host.state.join("spool")).unwrap();
    let mut reports = spooled.map(|entry| entry.unwrap().path());
    let report = reports.find(|path| path.is_file()).unwrap();
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    assert_eq!(report["status"], "failed");
    assert_eq!(report["counts"]["skipped"], 1);
    assert!(report["error"].as_str().unwrap().contains("as asked"));
}

#[test]
fn the_service_ends_at_once_when_asked_twice() {
    let host = Host::new();
    let begun = host.world.path("/begun");
    let agent = serve(&host, &[slow("", &begun)]);
    until("the command", || begun.exists());
    let asked = Instant::now();
    for pause in [300, 0] {
        send(Signal::SIGTERM, &agent);
        std::thread::sleep(Duration::from_millis(pause));
    }
    let ran = Ran::of(agent.wait_with_output().unwrap());
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(ran.code, 143, "{}", ran.stderr);
}
