//! The verbs that ask a server, as far as it goes without one: how they look for it, and how its
//! answers read.

use holdfast_schemas::operator_api::{
    DriftEvent, HostSummary, RefusedRevision, ServerStatus, StoredReport,
};
use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;

use super::{plain, transcript};
use crate::cmd::{drift, hosts, reports, status};
use crate::exit::Exit;

const NOW: &str = "2026-11-23T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

#[test]
fn a_credential_that_is_not_there_is_named() {
    for verb in ["hosts", "reports", "drift", "status"] {
        let told = transcript(&[verb, "--credential", "/nonexistent/admin.json"]);
        assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
        assert!(told.asides.contains("/nonexistent/admin.json"), "{told}");
        assert!(told.asides.contains("hint: "), "{told}");
    }
}

#[test]
fn a_credential_that_is_none_is_said_to_be_none() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("admin.json");
    std::fs::write(&file, "{}").unwrap();
    let told = transcript(&["status", "--credential", file.to_str().unwrap()]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
    assert!(told.asides.contains("is not a credential"), "{told}");
}

#[test]
fn hosts_stand_in_a_table() {
    let host = |extra: serde_json::Value| -> HostSummary {
        let mut host = json!({"name": "x", "status": "in_sync", "wants": 0, "has": 0});
        host.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        serde_json::from_value(host).unwrap()
    };
    let commit = "4f2d9c01ab".repeat(4);
    let list = [
        host(json!({
            "name": "mongo-1.js", "since": "2026-11-23T09:00:00Z", "seen": "2026-11-23T11:59:48Z",
            "wants": 3, "has": 3, "revision": commit,
            "counts": {"total": 14, "in_sync": 14, "drifted": 0, "changed": 0,
                       "not_converged": 0, "failed": 0, "skipped": 0},
        })),
        host(json!({
            "name": "mongo-2.js", "status": "held", "seen": "2026-11-23T11:00:00Z",
            "wants": 4, "has": 3, "message": "facts.os.family is undefined\nand more",
        })),
        host(json!({"name": "web-1.js", "status": "never_seen"})),
    ];
    insta::assert_snapshot!(plain(hosts::table(&list, now()).as_bytes()));
    assert!(hosts::table(&[], now()).starts_with("no hosts"));
}

fn report() -> serde_json::Value {
    json!({
        "received": "2026-11-23T11:50:00Z",
        "confirmed": "2026-11-23T11:59:00Z",
        "report": {
            "format": 1, "host": "mongo-2.js",
            "id": {"incarnation": "ab", "sequence": 7},
            "generation": 3, "catalog": "0".repeat(64),
            "mode": "enforce", "trigger": "watch",
            "started": "2026-11-23T11:50:00Z", "duration_ms": 1240, "status": "failed",
            "counts": {"total": 3, "in_sync": 1, "drifted": 0, "changed": 1,
                       "not_converged": 0, "failed": 1, "skipped": 0},
            "resources": [{
                "id": "file[/etc/mongod.conf]", "type": "file", "mode": "enforce",
                "outcome": "failed", "message": "no space left on device",
            }],
        },
    })
}

#[test]
fn reports_stand_in_a_table() {
    let stored: StoredReport = serde_json::from_value(report()).unwrap();
    insta::assert_snapshot!(plain(reports::table(&[stored], now()).as_bytes()));
}

#[test]
fn drift_stands_in_a_table_and_cannot_steer_a_terminal() {
    let event: DriftEvent = serde_json::from_value(json!({
        "received": "2026-11-23T11:50:00Z", "host": "mongo-2.js",
        "resource": "file[/etc/motd]", "cause": "drift", "mended": true,
        "changes": [
            {"property": "mode", "from": "0666", "to": "0644"},
            {"property": "content", "from": "\u{1b}]0;mine\u{7}", "to": "welcome\nback"},
            {"property": "owner", "from": "mallory"},
        ],
        "report": {"incarnation": "ab", "sequence": 7}, "run": "changed",
    }))
    .unwrap();
    let drawn = drift::table(&[event], now());
    assert!(!drawn.contains("\u{1b}]0"), "{drawn:?}");
    insta::assert_snapshot!(plain(drawn.as_bytes()));
}

#[test]
fn a_status_says_what_was_refused_and_why() {
    let refused = ServerStatus {
        version: "0.1.0".to_owned(),
        active: Some("4f2d9c01ab".repeat(4)),
        refused: Some(RefusedRevision {
            revision: "9c014f2dab".repeat(4),
            at: "2026-11-23T11:58:00Z".parse().unwrap(),
            diagnostics: "error: unknown key `tires`\n".to_owned(),
        }),
        hosts: 1204,
        agents: None,
        recipients: vec!["age1qyqszqgp".to_owned()],
    };
    insta::assert_snapshot!(plain(status::described(&refused, now()).as_bytes()));
}
