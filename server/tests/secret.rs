//! `holdfast secret` as an operator pipes it: what goes in comes out encrypted, and comes back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use assert_cmd::Command;
use holdfast_secrets::{Keyring, values};

/// Runs the program in a folder, with something on its stdin.
fn holdfast(folder: &std::path::Path, words: &[&str], typed: &str) -> std::process::Output {
    let mut command = Command::cargo_bin("holdfast").unwrap();
    command.arg("secret").args(words).current_dir(folder);
    command.env("EDITOR", "cat").write_stdin(typed);
    command.output().unwrap()
}

#[test]
fn what_is_piped_in_is_pasted_and_read_by_who_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let made = holdfast(folder.path(), &["keygen", "ada"], "");
    let recipient = String::from_utf8(made.stdout).unwrap();
    let settings = format!("secrets: {{recipients: {{ada: {}}}}}\n", recipient.trim());
    std::fs::write(folder.path().join("holdfast.yaml"), settings).unwrap();

    let encrypted = holdfast(folder.path(), &["encrypt", "db.password"], "hunter2\n");
    assert!(encrypted.status.success(), "{encrypted:?}");
    let pasted = String::from_utf8(encrypted.stdout).unwrap();
    let found = values::find(&pasted).unwrap();
    assert_eq!(found[0].path, "db.password");
    let identity = std::fs::read_to_string(folder.path().join("ada")).unwrap();
    let opened = Keyring::parse(&identity).unwrap();
    let opened = opened.open(found[0].armored.as_bytes()).unwrap();
    assert_eq!(opened.expose(), b"hunter2", "one line, without its end");

    std::fs::write(folder.path().join("globals.yaml"), &pasted).unwrap();
    let words = ["edit", "globals.yaml:db.password", "--identity", "ada"];
    let shown = holdfast(folder.path(), &words, "");
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert_eq!(shown, "hunter2globals.yaml:db.password is as it was\n");

    let nothing = holdfast(folder.path(), &["encrypt"], "");
    assert_eq!(nothing.status.code(), Some(1), "{nothing:?}");
}
