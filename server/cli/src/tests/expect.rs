//! `test`, on the example fleet and on tests that fail.

use super::repo::write;
use super::site::FLEET;
use super::transcript;
use crate::exit::Exit;
use tempfile::TempDir;

const ROLE: &str = "resources:
  - package: chrony
  - service: chrony
    state: running
";

const TESTS: &str = "- test: time is kept
  hosts: db-*
  expect:
    - package: chrony
    - service: chrony
- test: by the other program
  hosts: db-*
  expect:
    - package: ntpd
";

fn site() -> TempDir {
    let site = TempDir::new().unwrap();
    write(
        site.path(),
        &[
            ("globals.yaml", "roles: [time]\n"),
            ("roles/time/role.yaml", ROLE),
            ("hosts/db-1.yaml", ""),
            ("hosts/db-2.yaml", ""),
            ("tests/time.yaml", TESTS),
        ],
    );
    site
}

/// What is told, without how long it took.
fn timeless(text: &str) -> String {
    let cut = |line: &str| line.split(" (").next().unwrap_or_default().to_owned();
    text.lines().map(cut).collect::<Vec<String>>().join("\n")
}

#[test]
fn the_example_fleet_keeps_its_promises() {
    let told = transcript(&["test", "--site", FLEET]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    assert!(told.answer.starts_with("ok 10 tests ("), "{told}");
}

#[test]
fn a_failure_is_told_at_its_place_in_the_test() {
    let site = site();
    let told = transcript(&["test", "--site", site.path().to_str().unwrap()]);
    assert_eq!(told.exit, Exit::Found, "{told}");
    insta::assert_snapshot!(timeless(&told.to_string()));
}

#[test]
fn tests_are_chosen_by_a_word() {
    let site = site();
    let path = site.path().to_str().unwrap();
    let told = transcript(&["test", "kept", "--site", path]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    assert!(told.answer.starts_with("ok 1 test ("), "{told}");
    let told = transcript(&["test", "none-such", "--site", path]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
}

#[test]
fn a_site_without_tests_has_passed_none() {
    let site = TempDir::new().unwrap();
    write(site.path(), &[("hosts/db-1.yaml", "")]);
    let told = transcript(&["test", "--site", site.path().to_str().unwrap()]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
    assert!(told.asides.contains("no tests"), "{told}");
}

#[test]
fn programs_get_every_verdict() {
    let site = site();
    let path = site.path().to_str().unwrap();
    let told = transcript(&["test", "--json", "--site", path]);
    assert_eq!(told.exit, Exit::Found, "{told}");
    let answer: serde_json::Value = serde_json::from_str(&told.answer).unwrap();
    assert_eq!(
        (&answer["tests"], &answer["failed"]),
        (&2.into(), &1.into())
    );
    let failed = &answer["verdicts"][1];
    assert_eq!(failed["file"], "tests/time.yaml");
    assert_eq!((&failed["line"], &failed["hosts"]), (&6.into(), &2.into()));
    assert_eq!(failed["failures"][0]["code"], "unmet_expectation");
    assert_eq!(answer["verdicts"][0]["failures"], serde_json::json!([]));
}

#[test]
fn a_mistake_in_a_test_keeps_no_host_from_its_catalog() {
    let site = site();
    let path = site.path().to_str().unwrap();
    write(site.path(), &[("tests/time.yaml", "- tset: a\n")]);
    let told = transcript(&["test", "--site", path]);
    assert_eq!(told.exit, Exit::Invalid, "{told}");
    assert!(told.asides.contains("did you mean `test`?"), "{told}");
    let told = transcript(&["check", "--site", path]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
}
