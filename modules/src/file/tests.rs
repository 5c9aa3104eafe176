#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use holdfast_schemas::Digest;
use holdfast_schemas::resource::{Kind, Mode, Spec};
use nix::errno::Errno;
use serde_json::{Value, json};

use crate::harness::{Enforced, enforce, observe};
use crate::host::fake::programs::NameService;
use crate::host::fake::{Call, FakeHost, FakeProgram, Fault, Files, Node};
use crate::host::{Facility, HostError, Output, Owner};
use crate::testing::{assert_in_sync, converge, lines, refused};

fn file(json: Value) -> Spec {
    crate::testing::spec(Kind::File, json)
}

fn host_with(path: &str, text: &str) -> FakeHost {
    let host = FakeHost::new();
    host.edit(|files| files.write(path, text));
    host
}

#[test]
fn a_new_file_gets_content_owner_and_mode() {
    let host = FakeHost::new();
    host.edit(|files| files.write("/etc/group", "root:x:0:\nadm:x:4:\n"));
    let motd = file(json!({
        "path": "/etc/motd", "content": {"text": "hello\n"},
        "owner": "root", "group": "adm", "mode": "0640",
    }));
    let shown = converge(&motd, &host);
    let to = format!("content: - -> blake3:{}", Digest::of("hello\n"));
    let expected = [
        "ensure: absent -> file",
        &to,
        "owner: - -> root",
        "group: - -> adm",
        "mode: - -> 0640",
    ];
    assert_eq!(lines(&shown), expected);
    assert!(shown.diff.unwrap().contains("+hello"));
    let files = host.files();
    let entry = files.get("/etc/motd").unwrap();
    assert_eq!((entry.gid, entry.mode), (4, Mode::from_bits(0o640)));
}

#[test]
fn a_file_without_content_is_made_empty_and_its_content_is_not_managed() {
    let host = FakeHost::new();
    let touched = file(json!({"path": "/etc/touched"}));
    converge(&touched, &host);
    assert_eq!(
        host.files().get("/etc/touched").unwrap().mode,
        Mode::from_bits(0o644)
    );
    host.edit(|files| files.write("/etc/touched", "by somebody"));
    assert_in_sync(&touched, &host);
}

#[test]
fn changed_text_is_a_unified_diff_and_what_is_not_declared_stays() {
    let host = host_with("/etc/motd", "one\ntwo\nthree\n");
    host.edit(|files| {
        files.change("/etc/motd", |entry| {
            entry.mode = Mode::from_bits(0o600);
            entry.uid = 7;
        });
    });
    let motd = file(json!({"path": "/etc/motd", "content": {"text": "one\n2\nthree\n"}}));
    let shown = converge(&motd, &host);
    let diff = shown.diff.unwrap();
    assert!(
        diff.contains("-two\n+2\n") && diff.contains("--- /etc/motd"),
        "{diff}"
    );
    let files = host.files();
    let entry = files.get("/etc/motd").unwrap();
    assert_eq!((entry.uid, entry.mode), (7, Mode::from_bits(0o600)));
}

#[test]
fn binary_content_is_shown_by_its_digests() {
    let host = host_with("/etc/blob", "a\0b");
    let blob = file(json!({"path": "/etc/blob", "content": {"text": "c\0d"}}));
    let shown = converge(&blob, &host);
    let [old, new] = ["a\0b", "c\0d"].map(Digest::of);
    assert_eq!(
        lines(&shown),
        [format!("content: blake3:{old} -> blake3:{new}")]
    );
    assert_eq!(shown.diff.as_deref(), Some("binary content differs\n"));
}

#[test]
fn with_replace_false_only_a_missing_file_is_written() {
    let host = host_with("/etc/own", "the admin's");
    let own = file(json!({
        "path": "/etc/own", "content": {"text": "first"}, "replace": false, "mode": "0600",
    }));
    assert_eq!(lines(&converge(&own, &host)), ["mode: 0644 -> 0600"]);
    assert_eq!(host.files().text("/etc/own"), "the admin's");
    host.edit(|files| files.remove("/etc/own"));
    converge(&own, &host);
    assert_eq!(host.files().text("/etc/own"), "first");
}

#[test]
fn set_user_id_survives_a_change_of_owner() {
    let host = host_with("/usr/bin/tool", "x");
    host.edit(|files| {
        files.change("/usr/bin/tool", |entry| {
            entry.mode = Mode::from_bits(0o4755)
        });
    });
    let tool = file(json!({"path": "/usr/bin/tool", "owner": "7", "mode": "4755"}));
    assert_eq!(lines(&converge(&tool, &host)), ["owner: root -> 7"]);
}

#[test]
fn a_missing_parent_is_told_and_nothing_is_made() {
    let host = FakeHost::new();
    let deep = file(json!({"path": "/opt/app/conf", "content": {"text": "x"}}));
    let error = refused(&deep, &host);
    assert!(matches!(error, HostError::MissingParent { .. }), "{error}");
    assert!(
        error.to_string().contains("/opt/app that is to hold"),
        "{error}"
    );
}

#[test]
fn another_type_at_the_path_stays_unless_forced() {
    let kinds = [
        ("directory", Node::Directory),
        ("symlink", Node::Symlink("/etc/passwd".into())),
        ("special file", Node::Special),
    ];
    for (word, node) in kinds {
        let host = FakeHost::new();
        let mode = Mode::from_bits(0o755);
        host.edit(|files| files.put("/etc/x", node.clone(), mode, Owner::default()));
        let mut wanted = json!({"path": "/etc/x", "content": {"text": "x"}});
        let error = refused(&file(wanted.clone()), &host).to_string();
        assert!(error.contains(word) && error.contains("force"), "{error}");
        wanted["force"] = true.into();
        let shown = converge(&file(wanted), &host);
        assert_eq!(lines(&shown)[0], format!("ensure: {word} -> file"));
    }
}

#[test]
fn an_absent_file_is_removed_but_a_folder_only_by_force() {
    let host = host_with("/etc/old", "x");
    let mut gone = json!({"path": "/etc/old", "ensure": "absent"});
    assert_eq!(
        lines(&converge(&file(gone.clone()), &host)),
        ["ensure: file -> absent"]
    );
    host.edit(|files| files.write("/etc/old/inside", "x"));
    assert!(
        refused(&file(gone.clone()), &host)
            .to_string()
            .contains("force")
    );
    gone["force"] = true.into();
    converge(&file(gone), &host);
    let below = file(json!({"path": "/no/such/folder/x", "ensure": "absent"}));
    assert_in_sync(&below, &host);
}

#[test]
fn content_with_another_digest_fails_and_the_file_is_untouched() {
    let host = host_with("/etc/blob", "old");
    let digest = Digest::of("wanted");
    host.add_blob(digest, "wanteX");
    let blob = json!({"blob": {"digest": digest.to_string(), "size": 6}});
    let error = refused(&file(json!({"path": "/etc/blob", "content": blob})), &host);
    assert!(matches!(error, HostError::WrongContent { .. }), "{error}");
}

#[test]
fn a_full_disk_is_told_and_the_old_file_is_whole() {
    let host = host_with("/etc/motd", "old");
    host.set_fault(Some(Fault {
        after: 0,
        errno: Errno::ENOSPC,
    }));
    let motd = file(json!({"path": "/etc/motd", "content": {"text": "new"}}));
    let Enforced::Failed {
        tried: Some(tried),
        error,
    } = enforce(&motd, &host)
    else {
        panic!("it did not fail");
    };
    assert_eq!(tried.changes.len(), 1);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("No space left"), "{cause}");
    assert_eq!(host.files().text("/etc/motd"), "old");
    converge(&motd, &host);
}

#[test]
fn an_unknown_owner_is_named() {
    let host = FakeHost::new();
    let motd = file(json!({"path": "/etc/motd", "owner": "nobody-here"}));
    assert!(refused(&motd, &host).to_string().contains("nobody-here"));
}

#[test]
fn where_no_owner_can_be_set_the_rest_is_done_and_that_is_told() {
    let host = FakeHost::new();
    host.lack(Facility::Ownership, "only root can give files away");
    let motd = file(json!({"path": "/etc/motd", "content": {"text": "x"}, "owner": "7"}));
    let announced = observe(&motd, &host).unwrap().unknown.unwrap();
    assert!(
        announced.contains("unsupported") && announced.contains("only root"),
        "{announced}"
    );
    for _ in 0..2 {
        let Enforced::Failed { error, .. } = enforce(&motd, &host) else {
            panic!("it did not fail");
        };
        assert!(
            error
                .to_string()
                .starts_with("unsupported: the owner of /etc/motd"),
            "{error}"
        );
        assert_eq!(host.files().text("/etc/motd"), "x");
    }
    let own = file(json!({"path": "/etc/own", "content": {"text": "x"}, "owner": "root"}));
    assert!(matches!(enforce(&own, &host), Enforced::Changed(_)));
}

/// A check that refuses what holds `bad`.
struct Check;

impl FakeProgram for Check {
    fn run(&mut self, call: &Call<'_>, files: &mut Files) -> Output {
        let bad = files.text(&call.words[1]).contains("bad");
        Output {
            code: Some(i32::from(bad)),
            signal: None,
            stdout: String::new(),
            stderr: if bad {
                "line 1: bad".into()
            } else {
                String::new()
            },
            truncated: false,
        }
    }
}

#[test]
fn content_that_its_check_refuses_never_takes_the_path() {
    let host = host_with("/etc/conf", "old");
    host.install(&["check"], Arc::new(Mutex::new(Check)));
    let conf = |text: &str| {
        let content = json!({"text": text});
        file(json!({"path": "/etc/conf", "content": content, "validate": ["check", "%s"]}))
    };
    let Enforced::Failed { error, .. } = enforce(&conf("bad"), &host) else {
        panic!("it did not fail");
    };
    assert!(error.to_string().contains("line 1: bad"), "{error}");
    assert_eq!(host.files().text("/etc/conf"), "old");
    converge(&conf("good"), &host);
    host.lack(Facility::Programs, "there are none");
    assert!(
        refused(&conf("other"), &host)
            .to_string()
            .contains("there are none")
    );
    assert_in_sync(&conf("good"), &host);
}

#[test]
fn an_owner_from_a_directory_is_as_good_as_one_of_the_host() {
    let host = FakeHost::new();
    let directory = NameService {
        passwd: "jane:*:10001:10000:Jane:/home/jane:/bin/bash\n".to_owned(),
        group: "staff:*:10000:jane\n".to_owned(),
        fails: false,
    };
    host.install(&["getent"], Arc::new(Mutex::new(directory)));
    let owned = file(json!({"path": "/etc/owned", "owner": "jane", "group": "staff"}));
    let shown = converge(&owned, &host);
    assert!(lines(&shown).contains(&"owner: - -> jane".to_owned()));
    let entry = host.files().get("/etc/owned").unwrap().clone();
    assert_eq!((entry.uid, entry.gid), (10001, 10000));
    let nobody = file(json!({"path": "/etc/owned", "owner": "joe"}));
    let error = refused(&nobody, &host);
    assert!(matches!(error, HostError::NoSuchAccount { .. }), "{error}");
    let silent = NameService {
        fails: true,
        ..NameService::default()
    };
    host.install(&["getent"], Arc::new(Mutex::new(silent)));
    let error = refused(&nobody, &host).to_string();
    assert!(error.starts_with("getent failed"), "{error}");
}
