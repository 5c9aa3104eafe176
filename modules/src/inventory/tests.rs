//! The whole of it, on recorded hosts and on this machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests make the roots that are read"
)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;

fn fixture(name: &str) -> Tree {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    Tree::recorded(root.join("src/inventory/fixtures").join(name))
}

#[test]
fn a_recorded_debian_host_is_described() {
    let facts = facts(&fixture("debian-kvm"));
    assert_eq!(facts.hostname, "web-1");
    assert_eq!(facts.fqdn.as_deref(), Some("web-1.js.example.org"));
    assert_eq!(
        facts.machine_id.as_deref(),
        Some("0123456789abcdef0123456789abcdef")
    );
    assert_eq!((&*facts.os.family, &*facts.os.id), ("debian", "debian"));
    assert_eq!(
        (facts.os.major, &*facts.os.codename),
        (Some(12), "bookworm")
    );
    assert_eq!(facts.kernel.release, "6.1.0-18-amd64");
    assert_eq!(facts.kernel.arch, "x86_64");
    assert_eq!(
        (facts.cpu.count, &*facts.cpu.model),
        (4, "AMD EPYC 7R13 Processor")
    );
    assert_eq!(facts.memory.total_mib, 24103);
    assert_eq!(facts.virtualization.as_deref(), Some("kvm"));
    assert_eq!((&*facts.init, &*facts.package_manager), ("systemd", "apt"));
    let interfaces: Vec<_> = facts.network.interfaces.iter().collect();
    assert_eq!(
        interfaces.len(),
        1,
        "the container's pair is left out: {interfaces:?}"
    );
    assert_eq!(interfaces[0].0, "eth0");
    assert_eq!(interfaces[0].1.mac, "02:fc:00:00:00:01");
    assert_eq!(interfaces[0].1.addresses, ["2001:db8::5/64"]);
}

#[test]
fn a_recorded_rocky_host_on_bare_metal_is_described() {
    let facts = facts(&fixture("rocky-metal"));
    assert_eq!((&*facts.os.family, &*facts.os.id), ("redhat", "rocky"));
    assert_eq!((&*facts.os.version, facts.os.major), ("9.3", Some(9)));
    assert_eq!(facts.virtualization.as_deref(), Some("none"));
    assert_eq!((&*facts.init, &*facts.package_manager), ("systemd", "dnf"));
    assert_eq!(facts.fqdn.as_deref(), Some("db.example.org"));
}

#[test]
fn an_empty_root_and_one_of_nonsense_are_described_without_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let tree = Tree::recorded(folder.path());
    let empty = facts(&tree);
    assert_eq!(
        (&*empty.os.id, &*empty.hostname, &*empty.init),
        ("linux", "localhost", "other")
    );
    for path in [
        "etc/os-release",
        "etc/machine-id",
        "etc/hosts",
        "proc/cpuinfo",
        "proc/meminfo",
    ] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, b"\xff\xfe=\0:\n\n= :\n".repeat(100)).unwrap();
    }
    let garbled = collect(&tree, Timestamp::UNIX_EPOCH);
    assert_eq!(garbled.facts.machine_id, None);
    assert_eq!(garbled.packages, []);
}

#[test]
fn a_link_that_leads_out_of_the_root_and_a_pipe_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::write(folder.path().join("outside"), "ID=outside\n").unwrap();
    std::os::unix::fs::symlink("../../outside", root.join("etc/os-release")).unwrap();
    let mode = nix::sys::stat::Mode::S_IRWXU;
    nix::unistd::mkfifo(&root.join("etc/machine-id"), mode).unwrap();
    let facts = facts(&Tree::rooted(&root));
    assert_eq!(facts.os.id, "linux");
    assert_eq!(facts.machine_id, None);
}

#[test]
fn the_facts_of_this_machine_stay_the_same_and_take_milliseconds() {
    let tree = Tree::machine();
    let first = facts(&tree);
    assert!(first.cpu.count >= 1 && first.memory.total_mib > 0);
    let timed = || {
        let begin = Instant::now();
        assert_eq!(facts(&tree), first);
        begin.elapsed()
    };
    // The best of many: other tests share the processors.
    let best = (0..20).map(|_| timed()).min().unwrap();
    assert!(best < Duration::from_millis(20), "facts take {best:?}");
}

#[test]
fn the_inventory_of_this_machine_survives_the_wire() {
    let inventory = collect(&Tree::machine(), Timestamp::now());
    assert!(inventory.metrics.uptime_s > 0);
    assert!(inventory.packages.is_sorted() && inventory.services.is_sorted());
    let text = serde_json::to_string(&inventory).unwrap();
    let back: Inventory = serde_json::from_str(&text).unwrap();
    assert_eq!(back, inventory);
}
