//! Facts offline: what a server knows, given to verbs that work without one.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::transcript;
use crate::exit::Exit;

/// A site in which one host needs facts, and another nothing.
fn site() -> TempDir {
    let site = TempDir::new().unwrap();
    let files = [
        ("hosts/plain.yaml", "{}\n"),
        ("hosts/web-1.yaml", "roles: [app]\n"),
        (
            "groups/large.yaml",
            "match: facts.memory.total_mib > 1000\nvars: { size: large }\n",
        ),
        (
            "roles/app/role.yaml",
            "resources:\n  - file: /etc/cpu\n    content: '{{ facts.cpu.count }}'\n",
        ),
        (
            "tests/app.yaml",
            "- test: processors are counted\n  hosts: web-1\n  expect:\n    - file: /etc/cpu\n      content: { contains: '4' }\n",
        ),
    ];
    for (path, text) in files {
        let path = site.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    site
}

fn records(folder: &Path, of_web: Value) -> String {
    let facts = json!({ "memory": { "total_mib": 512 }, "cpu": { "count": 2 } });
    let hosts = json!([
        { "name": "plain", "facts": facts },
        { "name": "new-1", "facts": facts },
        { "name": "web-1", "facts": of_web },
    ]);
    let path = folder.join("records.json");
    let text = json!({ "format": 1, "hosts": hosts }).to_string();
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn checked(arguments: &[&str]) -> (Exit, Value) {
    let told = transcript(&[&["check", "--json"], arguments].concat());
    (told.exit, serde_json::from_str(&told.answer).unwrap())
}

#[test]
fn what_needs_facts_is_unchecked_and_says_which() {
    let site = site();
    let path = site.path().to_str().unwrap();
    let (exit, found) = checked(&["--site", path]);
    assert_eq!((exit, &found["compiled"]), (Exit::Fine, &json!(0)));
    let needs = json!({ "needs facts.memory": ["plain", "web-1"] });
    assert_eq!(found["unchecked"], needs);
    let (exit, _) = checked(&["--strict", "--site", path]);
    assert_eq!(exit, Exit::Found);
    let told = transcript(&["check", "--site", path]);
    assert!(
        told.answer.contains("plain, web-1: needs facts.memory"),
        "{told}"
    );
    assert!(
        told.answer.contains("0 of 2 hosts compile, 2 unchecked"),
        "{told}"
    );
}

#[test]
fn what_a_server_knows_is_enough_for_its_hosts() {
    let site = site();
    let path = site.path().to_str().unwrap();
    let folder = TempDir::new().unwrap();
    let facts = json!({ "memory": { "total_mib": 4096 }, "cpu": { "count": 4 } });
    let all = records(folder.path(), facts);
    let (exit, found) = checked(&["--strict", "--records", &all, "--site", path]);
    assert_eq!(exit, Exit::Fine, "{found}");
    assert_eq!(
        (&found["hosts"], &found["compiled"]),
        (&json!(3), &json!(3))
    );
    let told = transcript(&["test", "--records", &all, "--site", path]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    for host in ["web-1", "new-1"] {
        let told = transcript(&["compile", host, "--records", &all, "--site", path]);
        assert_eq!(told.exit, Exit::Fine, "{told}");
    }
    let one = records(folder.path(), Value::Null);
    let (exit, found) = checked(&["--records", &one, "--site", path]);
    assert_eq!((exit, &found["compiled"]), (Exit::Fine, &json!(2)));
    assert_eq!(
        found["unchecked"],
        json!({ "needs facts.memory": ["web-1"] })
    );
}

#[test]
fn a_fact_that_an_agent_did_not_find_is_an_error() {
    let site = site();
    let path = site.path().to_str().unwrap();
    let folder = TempDir::new().unwrap();
    let all = records(
        folder.path(),
        json!({ "memory": { "total_mib": 1 }, "cpu": {} }),
    );
    let (exit, found) = checked(&["--records", &all, "--site", path]);
    assert_eq!(exit, Exit::Invalid, "{found}");
    assert_eq!(found["diagnostics"][0]["code"], "undefined");
}

#[test]
fn what_is_no_file_of_records_is_refused() {
    let site = site();
    let path = site.path().to_str().unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("records.json");
    for text in ["[]", "{}", r#"{"format":2,"hosts":[]}"#] {
        std::fs::write(&file, text).unwrap();
        let told = transcript(&["check", "--records", file.to_str().unwrap(), "--site", path]);
        assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
        assert!(told.asides.contains("hosts --export"), "{told}");
    }
}
