//! A full disk on the host: a clear error, the old files whole and nothing beside them; once there
//! is room the next run converges.

use std::fs;

use holdfast_schemas::report::RunStatus;
use holdfast_testkit::{Agent, SmallDisk};

use crate::world::{LOGO, World, expect_in_sync, logo, report};

/// Names in the managed folder: those of the role.
const NAMES: [&str; 3] = ["app.conf", "logo", "motd"];

#[test]
fn a_host_whose_disk_is_full_keeps_its_files_and_recovers() {
    let test = "disks::a_host_whose_disk_is_full_keeps_its_files_and_recovers";
    let Some(disk) = SmallDisk::within(test).unwrap() else {
        return;
    };
    let world = World::new();
    let web = Agent::rooted_at("web", &disk.path().join("root")).unwrap();
    web.enrol(&world.server).unwrap();
    assert_eq!(web.once(&[]).unwrap().code, Some(2));
    change(&world);
    disk.fill().unwrap();

    let ran = web.once(&["--json"]).unwrap();
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    let report = report(&ran);
    assert_eq!(report.status, RunStatus::Failed);
    let said = format!("{:?}", report.resources);
    assert!(said.contains("No space") || said.contains("full"), "{said}");
    expect_old_files(&web);

    disk.free().unwrap();
    expect_recovered(&web);
}

#[test]
fn an_agent_whose_own_disk_is_full_changes_nothing_and_recovers() {
    let test = "disks::an_agent_whose_own_disk_is_full_changes_nothing_and_recovers";
    let Some(disk) = SmallDisk::within(test).unwrap() else {
        return;
    };
    let world = World::new();
    let web = Agent::new_in("web", disk.path()).unwrap();
    web.enrol(&world.server).unwrap();
    assert_eq!(web.once(&[]).unwrap().code, Some(2));
    change(&world);
    disk.fill().unwrap();

    let ran = web.once(&[]).unwrap();
    assert_ne!(ran.code, Some(0), "{}", ran.stdout);
    assert!(ran.stderr.contains("full"), "{}", ran.stderr);
    expect_old_files(&web);

    disk.free().unwrap();
    expect_recovered(&web);
}

/// Lets the host have other content, of its blob as well.
fn change(world: &World) {
    world.site.write(LOGO, &logo("b")).unwrap();
    world.greet("changed");
}

fn expect_old_files(web: &Agent) {
    assert_eq!(web.read("/etc/motd").unwrap(), "say hello\n");
    assert_eq!(web.read("/etc/logo").unwrap(), logo("a"));
    expect_no_other_names(web);
}

fn expect_recovered(web: &Agent) {
    let ran = web.once(&["--json"]).unwrap();
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert_eq!(web.read("/etc/motd").unwrap(), "say changed\n");
    assert_eq!(web.read("/etc/logo").unwrap(), logo("b"));
    expect_no_other_names(web);
    expect_in_sync(web);
}

fn expect_no_other_names(web: &Agent) {
    let entries = fs::read_dir(web.path("/etc")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, NAMES);
}
