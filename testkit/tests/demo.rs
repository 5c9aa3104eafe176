//! `holdfast demo --once`, as a person tries it: it ends well and leaves nothing behind, and says
//! in words what is missing when it cannot begin.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use holdfast_testkit::program;

/// Runs a demo whose temporary files go into `folder`.
fn demo(holdfast: &Path, folder: &Path) -> Output {
    let mut demo = Command::new(holdfast);
    demo.args(["demo", "--once"])
        .env("TMPDIR", folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    demo.output().unwrap()
}

/// What is left of a demo: names in its folder, and processes that were started in it.
fn traces(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let mut traces: Vec<String> = names
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    let here = folder.to_str().unwrap();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        if command.contains(here) {
            traces.push(command);
        }
    }
    traces
}

#[test]
fn the_demo_ends_well_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    // The agent beside it is part of what is tried.
    program("holdfast-agent").unwrap();
    let output = demo(&program("holdfast").unwrap(), folder.path());
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("drift"), "{said}");
    assert!(said.contains("mongodb.key, encrypted"), "{said}");
    assert_eq!(traces(folder.path()), Vec::<String>::new());
}

#[test]
fn a_demo_without_an_agent_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let alone = tempfile::tempdir().unwrap();
    let holdfast = alone.path().join("holdfast");
    fs::copy(program("holdfast").unwrap(), &holdfast).unwrap();
    let output = demo(&holdfast, folder.path());
    assert!(!output.status.success());
    let complained = String::from_utf8_lossy(&output.stderr);
    let missing = alone.path().join("holdfast-agent");
    assert!(complained.contains("no agent"), "{complained}");
    assert!(
        complained.contains(missing.to_str().unwrap()),
        "{complained}"
    );
    assert_eq!(traces(folder.path()), Vec::<String>::new());
}
