//! A tree in a folder, managed as a host: what is on the disk afterwards, and what never is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use holdfast_modules::harness::{Enforced, enforce, observe};
use holdfast_modules::host::{Host, HostError, NoContent, RootedHost};
use holdfast_schemas::resource::{Kind, Spec};
use nix::sys::stat::Mode;
use serde_json::{Value, json};

/// A root folder beside which nothing may appear.
struct Root {
    outer: tempfile::TempDir,
    host: RootedHost,
}

impl Root {
    fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        fs::create_dir_all(outer.path().join("root/etc")).unwrap();
        fs::create_dir(outer.path().join("outside")).unwrap();
        let host = RootedHost::new(&outer.path().join("root"), Arc::new(NoContent)).unwrap();
        Self { outer, host }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.outer.path().join("root").join(path)
    }

    fn names(&self, path: &str) -> Vec<String> {
        names(&self.at(path))
    }

    fn enforce(&self, kind: Kind, json: Value) -> Enforced {
        enforce(&Spec::from_value(kind, json).unwrap(), &self.host)
    }

    fn changed(&self, kind: Kind, json: Value) {
        let outcome = self.enforce(kind, json);
        assert!(matches!(outcome, Enforced::Changed(_)), "{outcome:?}");
    }

    fn failed(&self, kind: Kind, json: Value) -> HostError {
        match self.enforce(kind, json) {
            Enforced::Failed { error, .. } => error,
            other => panic!("{other:?}"),
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn motd(text: &str) -> Value {
    json!({"path": "/etc/motd", "content": {"text": text}})
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[test]
fn a_file_that_is_as_wanted_is_not_touched() {
    let root = Root::new();
    root.changed(Kind::File, motd("x"));
    let before = fs::metadata(root.at("etc/motd")).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    assert!(matches!(
        root.enforce(Kind::File, motd("x")),
        Enforced::InSync
    ));
    let after = fs::metadata(root.at("etc/motd")).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec(), before.ctime_nsec()), {
        (after.ino(), after.mtime_nsec(), after.ctime_nsec())
    });
}

#[test]
fn absolute_and_climbing_links_stay_inside() {
    let root = Root::new();
    symlink("/etc", root.at("absolute")).unwrap();
    symlink("../../../../../../etc", root.at("climbing")).unwrap();
    for (at, name) in [("/absolute", "a"), ("/climbing", "b")] {
        let path = format!("{at}/{name}");
        root.changed(Kind::File, json!({"path": path, "content": {"text": "x"}}));
    }
    assert_eq!(root.names("etc"), ["a", "b"]);
    assert!(!Path::new("/etc/a").exists());
}

#[test]
fn a_link_that_a_user_planted_is_not_followed() {
    if !is_root() {
        eprintln!("not run: only root can make links for others");
        return;
    }
    let root = Root::new();
    fs::create_dir(root.at("home")).unwrap();
    fs::create_dir(root.at("srv")).unwrap();
    symlink("/etc", root.at("srv/planted")).unwrap();
    std::os::unix::fs::lchown(root.at("srv/planted"), Some(1000), Some(1000)).unwrap();
    // A link of root's own, in a folder whose owner could have moved it there.
    symlink("/etc", root.at("home/moved")).unwrap();
    chown(root.at("home"), Some(1000), Some(1000)).unwrap();
    for path in ["/srv/planted/x", "/home/moved/x"] {
        let file = json!({"path": path, "content": {"text": "x"}});
        let error = root.failed(Kind::File, file);
        assert!(matches!(error, HostError::PlantedLink { .. }), "{error}");
        let gone = json!({"path": path, "ensure": "absent", "force": true});
        let error = root.failed(Kind::File, gone);
        assert!(matches!(error, HostError::PlantedLink { .. }), "{error}");
    }
    assert!(root.names("etc").is_empty());
}

#[test]
fn a_pipe_neither_hangs_a_run_nor_is_opened() {
    let root = Root::new();
    nix::unistd::mkfifo(&root.at("etc/motd"), Mode::from_bits_truncate(0o644)).unwrap();
    let error = root.failed(Kind::File, motd("x"));
    assert!(error.to_string().contains("special file"), "{error}");
    assert!(
        fs::symlink_metadata(root.at("etc/motd"))
            .unwrap()
            .file_type()
            .is_fifo()
    );
    let mut forced = motd("x");
    forced["force"] = true.into();
    root.changed(Kind::File, forced);
    assert_eq!(fs::read_to_string(root.at("etc/motd")).unwrap(), "x");
}

#[test]
fn what_a_killed_run_left_is_removed_and_what_is_being_written_stays() {
    let root = Root::new();
    let [abandoned, written, other] = [
        "etc/.motd.holdfast-0123456789abcdef",
        "etc/.x.holdfast-fedcba9876543210",
        "etc/.motd.holdfast-notes",
    ];
    for path in [abandoned, written, other] {
        fs::write(root.at(path), "half").unwrap();
    }
    let writer = fs::File::open(root.at(written)).unwrap();
    writer.lock().unwrap();
    root.changed(Kind::File, motd("x"));
    assert_eq!(
        root.names("etc"),
        [
            ".motd.holdfast-notes",
            ".x.holdfast-fedcba9876543210",
            "motd"
        ]
    );
}

#[test]
fn a_folder_with_all_in_it_gives_way_to_a_file_by_force() {
    let root = Root::new();
    fs::create_dir_all(root.at("etc/motd/deep/deeper")).unwrap();
    fs::write(root.at("etc/motd/deep/file"), "x").unwrap();
    symlink(
        root.outer.path().join("outside"),
        root.at("etc/motd/deep/out"),
    )
    .unwrap();
    fs::write(root.outer.path().join("outside/kept"), "kept").unwrap();
    let mut forced = motd("x");
    forced["force"] = true.into();
    root.changed(Kind::File, forced);
    assert_eq!(root.names("etc"), ["motd"]);
    assert_eq!(names(&root.outer.path().join("outside")), ["kept"]);
}

#[test]
fn mode_and_owner_are_exact_whatever_the_umask() {
    let root = Root::new();
    let mut wanted = json!({"path": "/etc/tool", "content": {"text": "x"}, "mode": "4775"});
    if is_root() {
        wanted["owner"] = "1000".into();
        wanted["group"] = "1001".into();
    }
    root.changed(Kind::File, wanted);
    let made = fs::metadata(root.at("etc/tool")).unwrap();
    assert_eq!(made.permissions().mode() & 0o7777, 0o4775);
    if is_root() {
        assert_eq!((made.uid(), made.gid()), (1000, 1001));
    }
    let folder = json!({"path": "/shared", "mode": "3777"});
    root.changed(Kind::Directory, folder);
    let made = fs::metadata(root.at("shared")).unwrap();
    assert_eq!(made.permissions().mode() & 0o7777, 0o3777);
}

#[test]
fn a_replaced_file_keeps_what_is_not_declared() {
    let root = Root::new();
    fs::write(root.at("etc/motd"), "old").unwrap();
    fs::set_permissions(root.at("etc/motd"), fs::Permissions::from_mode(0o600)).unwrap();
    if is_root() {
        chown(root.at("etc/motd"), Some(1000), Some(1001)).unwrap();
    }
    root.changed(Kind::File, motd("new"));
    let made = fs::metadata(root.at("etc/motd")).unwrap();
    assert_eq!(made.permissions().mode() & 0o7777, 0o600);
    if is_root() {
        assert_eq!((made.uid(), made.gid()), (1000, 1001));
    }
}

#[test]
fn owners_are_the_ones_in_the_roots_own_etc() {
    if !is_root() {
        eprintln!("not run: only root can give files away");
        return;
    }
    let root = Root::new();
    fs::write(root.at("etc/passwd"), "app:x:4242:4343::/:/bin/sh\n").unwrap();
    fs::write(root.at("etc/group"), "app:x:4343:\n").unwrap();
    let owned = |user: &str| json!({"path": "/etc/f", "content": {"text": "x"}, "owner": user, "group": "app"});
    root.changed(Kind::File, owned("app"));
    let made = fs::metadata(root.at("etc/f")).unwrap();
    assert_eq!((made.uid(), made.gid()), (4242, 4343));
    let error = root.failed(Kind::File, owned("daemon"));
    assert!(matches!(error, HostError::NoSuchAccount { .. }), "{error}");
}

#[test]
fn what_needs_a_running_system_is_unsupported() {
    let root = Root::new();
    let mut checked = motd("x");
    checked["validate"] = json!(["true", "%s"]);
    for (kind, json) in [
        (Kind::File, checked),
        (Kind::Package, json!({"name": "nginx"})),
        (Kind::Service, json!({"name": "nginx", "state": "running"})),
        (Kind::Exec, json!({"command": "true", "always": true})),
    ] {
        let spec = Spec::from_value(kind, json.clone()).unwrap();
        let announced = observe(&spec, &root.host).unwrap_err();
        assert!(
            matches!(announced, HostError::Unsupported(_)),
            "{announced}"
        );
        let error = root.failed(kind, json);
        assert!(error.to_string().starts_with("unsupported: "), "{error}");
    }
    assert!(root.names("etc").is_empty());
}

#[test]
fn a_folder_moved_away_is_not_written_to() {
    let root = Root::new();
    root.changed(Kind::File, motd("x"));
    fs::rename(root.at("etc"), root.at("moved")).unwrap();
    fs::create_dir(root.at("etc")).unwrap();
    root.changed(Kind::File, motd("y"));
    assert_eq!(fs::read_to_string(root.at("moved/motd")).unwrap(), "x");
    assert_eq!(fs::read_to_string(root.at("etc/motd")).unwrap(), "y");
}

#[test]
fn a_full_disk_leaves_the_old_file_and_nothing_else() {
    // The limit on a file's size fails a write half-way as a full disk does.
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let root = Root::new();
    root.changed(Kind::File, motd("old"));
    let (soft, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    let ignored = nix::sys::signal::SigSet::from(nix::sys::signal::Signal::SIGXFSZ);
    ignored.thread_block().unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, 1000, hard).unwrap();
    let error = root.failed(Kind::File, motd(&"new".repeat(1000)));
    setrlimit(Resource::RLIMIT_FSIZE, soft, hard).unwrap();
    assert!(
        matches!(
            error,
            HostError::Path {
                action: "write",
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(root.names("etc"), ["motd"]);
    assert_eq!(fs::read_to_string(root.at("etc/motd")).unwrap(), "old");
}

#[test]
fn many_threads_look_at_once() {
    let root = Root::new();
    let specs: Vec<Spec> = (0..200)
        .map(|n| {
            let path = format!("/etc/f{n}");
            Spec::from_value(Kind::File, json!({"path": path, "content": {"text": path}})).unwrap()
        })
        .collect();
    for spec in &specs {
        assert!(matches!(enforce(spec, &root.host), Enforced::Changed(_)));
    }
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for spec in &specs {
                    assert!(observe(spec, root.host.as_probe()).unwrap().in_sync());
                }
            });
        }
    });
}

#[test]
fn a_replaced_file_hands_on_its_access_list() {
    // Version 2 of the kernel's form (acl(5)): tag, permissions, who; 8 bytes each.
    let entry = |tag: u16, permissions: u16, who: u32| {
        let mut bytes = [tag.to_le_bytes(), permissions.to_le_bytes()].concat();
        bytes.extend(who.to_le_bytes());
        bytes
    };
    let nobody = u32::MAX;
    let list: Vec<u8> = [
        2_u32.to_le_bytes().to_vec(),
        entry(0x01, 6, nobody),
        entry(0x02, 4, 1000),
        entry(0x04, 4, nobody),
        entry(0x10, 4, nobody),
        entry(0x20, 4, nobody),
    ]
    .concat();
    let root = Root::new();
    root.changed(Kind::File, motd("old"));
    const NAME: &str = "system.posix_acl_access";
    if let Err(error) = xattr::set(root.at("etc/motd"), NAME, &list) {
        eprintln!("not run: the file system has no access lists: {error}");
        return;
    }
    root.changed(Kind::File, motd("new"));
    assert_eq!(xattr::get(root.at("etc/motd"), NAME).unwrap(), Some(list));
}

#[test]
fn a_hard_link_that_somebody_planted_is_not_given_away() {
    let root = Root::new();
    let secret = root.at("etc/shadow");
    fs::write(&secret, "root:*:").unwrap();
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    fs::create_dir(root.at("tmp")).unwrap();
    fs::set_permissions(root.at("tmp"), PermissionsExt::from_mode(0o1777)).unwrap();
    fs::hard_link(&secret, root.at("tmp/mine")).unwrap();
    let error = root.failed(Kind::File, json!({ "path": "/tmp/mine", "mode": "0644" }));
    assert!(matches!(error, HostError::PlantedName { .. }), "{error}");
    assert_eq!(fs::metadata(&secret).unwrap().mode() & 0o7777, 0o600);
    // Where only root makes names, a second one is root's own doing.
    fs::hard_link(&secret, root.at("etc/shadow-too")).unwrap();
    root.changed(
        Kind::File,
        json!({ "path": "/etc/shadow-too", "mode": "0640" }),
    );
    // New content goes to a new file: the other name keeps the old one.
    root.changed(
        Kind::File,
        json!({ "path": "/tmp/mine", "content": { "text": "new" }, "mode": "0644" }),
    );
    assert_eq!(fs::read_to_string(&secret).unwrap(), "root:*:");
    assert_eq!(fs::metadata(&secret).unwrap().mode() & 0o7777, 0o640);
}

#[test]
fn a_huge_sparse_file_is_replaced_without_being_read() {
    let root = Root::new();
    let path = root.at("etc/huge");
    fs::File::create(&path).unwrap().set_len(1 << 42).unwrap();
    let begun = std::time::Instant::now();
    let wanted = json!({ "path": "/etc/huge", "content": { "text": "small" } });
    match root.enforce(Kind::File, wanted) {
        Enforced::Changed(shown) => {
            assert_eq!(
                shown.changes[0].from.as_deref(),
                Some("4398046511104 bytes")
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(fs::read_to_string(&path).unwrap(), "small");
}

#[test]
fn set_id_bits_do_not_pass_to_another_owner() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let root = Root::new();
    let path = root.at("etc/tool");
    let content = json!({ "text": "#!/bin/sh\n" });
    for owner in ["0", "1000"] {
        fs::write(&path, "planted").unwrap();
        chown(&path, Some(1000), Some(0)).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o6755)).unwrap();
        let wanted = json!({ "path": "/etc/tool", "content": content, "owner": owner });
        root.changed(Kind::File, wanted);
        let expected = if owner == "0" { 0o755 } else { 0o6755 };
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, expected);
    }
}

#[test]
fn accounts_are_known_whatever_the_encoding_of_a_comment() {
    let root = Root::new();
    fs::write(root.at("etc/passwd"), b"www:x:33:33:M\xfcller:/:/bin/sh\n").unwrap();
    fs::write(root.at("etc/group"), "").unwrap();
    let accounts = root.host.as_probe().accounts().unwrap();
    assert_eq!(accounts.uid("www").unwrap(), 33);
}

#[test]
fn what_is_done_together_is_all_there_and_whole() {
    let root = Root::new();
    let write = |number: usize| {
        let path = format!("/etc/{number}");
        root.changed(
            Kind::File,
            json!({ "path": path, "content": { "text": "x" } }),
        );
    };
    root.host.together(&mut || (0..20).for_each(write)).unwrap();
    root.host.together(&mut || ()).unwrap();
    assert_eq!(root.names("etc").len(), 20);
}
