//! A full disk on the server: it says so, goes on serving what it has, takes nothing half; what
//! it refused arrives once there is room.

use holdfast_schemas::report::Cause;
use holdfast_testkit::{Server, SmallDisk};

use crate::world::{HOST, LOGO, World, expect_in_sync, host, logo, site};

#[test]
fn a_server_whose_disk_is_full_goes_on_and_recovers() {
    let test = "server_disk::a_server_whose_disk_is_full_goes_on_and_recovers";
    let Some(disk) = SmallDisk::within(test).unwrap() else {
        return;
    };
    let (site, revision) = site();
    let server = Server::start_in(site.path(), &disk.path().join("data")).unwrap();
    let world = World { site, server };
    world.wait_until_served(&revision);
    let web = world.web();
    expect_in_sync(&web);
    disk.fill().unwrap();

    // A host is none the worse for it: it mends what drifts, and keeps the report.
    std::fs::write(web.path("/etc/motd"), "tampered\n").unwrap();
    let mended = web.once(&[]).unwrap();
    assert_eq!(mended.code, Some(2), "{}", mended.stderr);
    assert_eq!(web.read("/etc/motd").unwrap(), "say hello\n");
    assert!(unsent(&web) >= 1);
    assert!(tampering(&world).is_empty());
    world.site.write(LOGO, &logo("b")).unwrap();
    let commit = world.commit(&[(HOST, &host("changed"))]);
    world.wait_until("the log says why", || {
        let log = world.server.log();
        log.contains("full") || log.contains("No space")
    });
    assert_eq!(world.status().active.as_deref(), Some(revision.as_str()));
    assert_eq!(web.read("/etc/logo").unwrap(), logo("a"));

    disk.free().unwrap();
    world.wait_until_served(&commit);
    world.wait_until("the host has it", || {
        let ran = web.once(&[]).unwrap();
        assert!([Some(0), Some(2)].contains(&ran.code), "{}", ran.stderr);
        web.read("/etc/motd").unwrap() == "say changed\n" && unsent(&web) == 0
    });
    assert_eq!(web.read("/etc/logo").unwrap(), logo("b"));
    assert_eq!(tampering(&world).len(), 1, "counted once");
}

/// Reports that a host still has to send.
fn unsent(web: &holdfast_testkit::Agent) -> u64 {
    let status = web.command("status").unwrap().arg("--json").output();
    let status: serde_json::Value = serde_json::from_slice(&status.unwrap().stdout).unwrap();
    status["unsent_reports"].as_u64().unwrap()
}

/// What the operator knows of the tampered file.
fn tampering(world: &World) -> Vec<Cause> {
    let events = world.drift().into_iter();
    let motd = events.filter(|event| event.resource.to_string() == "file[/etc/motd]");
    motd.map(|event| event.cause)
        .filter(|&cause| cause == Cause::Drift)
        .collect()
}
