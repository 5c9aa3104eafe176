//! From a commit to a real host and back: the main job, end to end.
//!
//! A server on the machine, a Git repo, a booted Debian host with an enrolled agent. One scenario
//! in steps, because each stands on what the one before left; every step waits for a level or
//! runs the agent once, and none sleeps for luck.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod web;
mod world;

use std::time::{Duration, Instant};

use holdfast_schemas::report::{Cause, Outcome, RunStatus};
use holdfast_testkit::live::machine_or_skip;
use holdfast_testkit::wait_until;
use world::World;

/// How long the running agent may take to find and mend an edit. It takes a fraction of a second;
/// a machine that is busy with other tests takes longer.
const NOTICE: Duration = Duration::from_secs(20);

/// What it shows, and how.
type Step = (&'static str, fn(&mut World));

#[test]
fn a_commit_reaches_a_real_host_and_drift_is_found_and_mended() {
    let Some(machine) = machine_or_skip("live end to end") else {
        return;
    };
    let steps: [Step; 9] = [
        ("the first run converges", first_run),
        ("the second run changes nothing", nothing_to_do),
        (
            "a wrong configuration is caught by validate",
            wrong_configuration,
        ),
        ("a file edited by hand is drift", edited_file),
        ("a unit stopped by hand is drift", stopped_unit),
        ("a package removed by hand is drift", removed_package),
        ("a changed variable is intended", changed_variable),
        (
            "the running agent notices drift by itself",
            noticed_by_itself,
        ),
        ("the last run changes nothing", nothing_to_do),
    ];
    let begin = Instant::now();
    let mut world = World::new(&machine);
    eprintln!(
        "{:>6} ms  a server, a booted host, an enrolled agent",
        begin.elapsed().as_millis()
    );
    for (name, step) in steps {
        let begin = Instant::now();
        step(&mut world);
        eprintln!("{:>6} ms  {name}", begin.elapsed().as_millis());
    }
}

fn first_run(world: &mut World) {
    let run = world.run(2);
    assert_eq!(run.status, RunStatus::Changed, "{run:#?}");
    assert_eq!(run.counts.changed, run.counts.total, "{run:#?}");

    let host = &world.host;
    host.succeed(["dpkg", "--verify", "nginx"]).unwrap();
    for unit in ["nginx", "cron"] {
        host.succeed(["systemctl", "is-active", unit]).unwrap();
        host.succeed(["systemctl", "is-enabled", unit]).unwrap();
    }
    assert_eq!(world.greeting(), "hello");
    assert_eq!(host.succeed(["id", "-gn", "deploy"]).unwrap(), "web\n");
    let cron = host.read("/etc/cron.d/web").unwrap();
    assert_eq!(cron, "17 3 * * * deploy true\n");
    let mode = host
        .succeed(["stat", "-c", "%a %U", "/etc/cron.d/web"])
        .unwrap();
    assert_eq!(mode, "644 root\n");
    // New is not drift: nothing had been there to leave.
    let events = world.drift();
    assert!(events.is_empty(), "{events:#?}");
}

fn nothing_to_do(world: &mut World) {
    let before = world.drift().len();
    let run = world.run(0);
    assert_eq!(run.status, RunStatus::InSync, "{run:#?}");
    assert_eq!(run.counts.in_sync, run.counts.total, "{run:#?}");
    assert_eq!(world.drift().len(), before);
}

fn wrong_configuration(world: &mut World) {
    let good = world.host.read(web::CONFIGURATION).unwrap();
    world.commit("a typing error", web::TEMPLATE, &web::template("listenn"));

    let run = world.run(4);
    assert_eq!(
        World::outcome(&run, "file[/etc/nginx/nginx.conf]"),
        Outcome::Failed
    );
    assert_eq!(World::outcome(&run, "service[nginx]"), Outcome::Skipped);
    assert_eq!(world.host.read(web::CONFIGURATION).unwrap(), good);
    assert_eq!(world.greeting(), "hello", "nginx is still serving");
    let left = world.host.succeed(["ls", "-A", "/etc/nginx"]).unwrap();
    assert!(
        !left.contains("holdfast"),
        "a temporary file is left: {left}"
    );

    world.commit(
        "the error is mended",
        web::TEMPLATE,
        &web::template("listen"),
    );
    nothing_to_do(world);
}

fn edited_file(world: &mut World) {
    let good = world.host.read(web::CONFIGURATION).unwrap();
    let bad = good.replace("hello", "hacked");
    world
        .host
        .write(web::CONFIGURATION, bad.as_bytes())
        .unwrap();

    world.run(2);
    let event = world.newest("file[/etc/nginx/nginx.conf]");
    assert_eq!((event.cause, event.mended), (Cause::Drift, true));
    let change = World::change(&event, "content");
    assert!(change.from.is_some() && change.to.is_some(), "{event:#?}");
    assert_ne!(change.from, change.to);
    assert_eq!(world.host.read(web::CONFIGURATION).unwrap(), good);
    assert_eq!(world.greeting(), "hello");
}

fn stopped_unit(world: &mut World) {
    world.host.succeed(["systemctl", "stop", "nginx"]).unwrap();
    world.run(2);
    let event = world.newest("service[nginx]");
    assert_eq!((event.cause, event.mended), (Cause::Drift, true));
    let change = World::change(&event, "state");
    assert_eq!(change.from.as_deref(), Some("stopped"));
    assert_eq!(change.to.as_deref(), Some("running"));
    assert_eq!(world.greeting(), "hello");
}

fn removed_package(world: &mut World) {
    let remove = ["apt-get", "-q", "-y", "remove", "nginx", "nginx-common"];
    world.host.succeed(remove).unwrap();
    world.run(2);
    let event = world.newest("package[nginx]");
    assert_eq!((event.cause, event.mended), (Cause::Drift, true));
    assert!(!event.changes.is_empty(), "{event:#?}");
    world
        .host
        .succeed(["systemctl", "is-active", "nginx"])
        .unwrap();
    assert_eq!(world.greeting(), "hello");
}

fn changed_variable(world: &mut World) {
    world.commit(
        "another greeting",
        web::HOST,
        &web::host_file(world.port, "good day"),
    );
    let drift = world.drift().len();
    world.run(2);
    let report = world.newest_report();
    let configuration = World::resource(&report, "file[/etc/nginx/nginx.conf]");
    assert_eq!(configuration.cause, Some(Cause::Intended), "{report:#?}");
    assert_eq!(configuration.outcome, Outcome::Changed);
    assert_eq!(
        world.drift().len(),
        drift,
        "what is intended is not listed as drift"
    );
    assert_eq!(world.greeting(), "good day", "nginx was restarted");
}

fn noticed_by_itself(world: &mut World) {
    let host = &world.host;
    let good = host.read(web::CONFIGURATION).unwrap();
    let drift = world.drift().len();
    let run = [
        "systemd-run",
        "--unit=holdfast-agent",
        "holdfast-agent",
        "run",
    ];
    host.succeed(run).unwrap();
    // Whether the edit is before the agent watches or after, it is found: by the run with which
    // it begins, or by the watch.
    host.write(web::CONFIGURATION, b"# tampered\n").unwrap();
    let begin = Instant::now();
    let mended = || host.read(web::CONFIGURATION).unwrap() == good;
    assert!(wait_until(NOTICE, mended), "{}", journal(world));
    let took = begin.elapsed().as_millis();
    eprintln!("{took:>6} ms  from the edit to the mended file");
    let told = || world.drift().len() > drift;
    assert!(wait_until(NOTICE, told), "{}", journal(world));

    // The run is over, so the watch stands: the next edit is found by it.
    let drift = world.drift().len();
    host.write(web::CONFIGURATION, b"# tampered again\n")
        .unwrap();
    let begin = Instant::now();
    assert!(wait_until(NOTICE, mended), "{}", journal(world));
    let took = begin.elapsed().as_millis();
    eprintln!("{took:>6} ms  from the second edit to the mended file");
    assert!(
        wait_until(NOTICE, || world.drift().len() > drift),
        "{}",
        journal(world)
    );
    assert_eq!(
        world.newest("file[/etc/nginx/nginx.conf]").cause,
        Cause::Drift
    );
    host.succeed(["systemctl", "stop", "holdfast-agent"])
        .unwrap();
    assert_eq!(world.greeting(), "good day");
}

fn journal(world: &World) -> String {
    let words = ["journalctl", "--no-pager", "--unit=holdfast-agent"];
    world.host.succeed(words).unwrap_or_default()
}
