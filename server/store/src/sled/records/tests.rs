//! What readers are shown of a batch that is on its way, and of one that failed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io;

use tempfile::TempDir;

use super::*;
use crate::Kind;
use crate::keyed::Prepared;

fn batch(rows: &[(&str, Option<&str>)]) -> Overlay {
    let record = |text: &str| Prepared::whole(text.as_bytes().to_vec());
    let row = |(key, value): &(&str, Option<&str>)| ((*key).to_owned(), value.map(record));
    rows.iter().map(row).collect()
}

/// Records with four keys.
fn filled(folder: &TempDir) -> Records {
    let records = Records::open(folder.path()).unwrap();
    let rows = ["k/a", "k/b", "k/c", "l/a"].map(|key| (key, Some("old")));
    records.write(&batch(&rows)).unwrap();
    records
}

/// A batch that alters, adds and removes.
fn mixed() -> Overlay {
    batch(&[
        ("k/a", None),
        ("k/aa", Some("new")),
        ("k/b", Some("new")),
        ("k/bb", Some("new")),
        ("k/d", Some("new")),
    ])
}

/// Applies a batch without syncing it.
fn under_way(records: &Records, batch: &Overlay) {
    let before = batch
        .keys()
        .map(|key| (key.clone(), records.get(key).unwrap()));
    let before = before.collect();
    records.apply(batch, before).unwrap().unwrap();
}

/// Everything that can be asked.
fn shown(records: &Records) -> Vec<String> {
    let mut shown = Vec::new();
    for key in ["k/a", "k/aa", "k/b", "k/c", "k/d"] {
        shown.push(format!("{key}: {:?}", records.get(key).unwrap()));
    }
    for limit in 1..6 {
        for after in [None, Some("k/a"), Some("k/aa"), Some("k/b"), Some("k/d")] {
            let up = records.scan(&Scan::up("k/", after, limit)).unwrap();
            let down = records.scan(&Scan::newest_first("k/", after, limit));
            shown.push(format!("{limit} {after:?}: {up:?} {:?}", down.unwrap()));
        }
    }
    for prefix in ["", "k/", "k/a", "l/", "m/"] {
        shown.push(format!("{prefix}: {}", records.count(prefix).unwrap()));
    }
    shown
}

#[test]
fn a_batch_on_its_way_is_not_seen() {
    let folder = TempDir::new().unwrap();
    let records = filled(&folder);
    let before = shown(&records);
    under_way(&records, &mixed());
    assert_eq!(shown(&records), before);
    records.write(&mixed()).unwrap();
    assert_ne!(shown(&records), before);
    assert_eq!(records.get("k/a").unwrap(), None);
    assert_eq!(records.count("k/").unwrap(), 5);
}

#[test]
fn after_a_failed_sync_only_what_was_durable_is_read_and_nothing_written() {
    let folder = TempDir::new().unwrap();
    let records = filled(&folder);
    let before = shown(&records);
    under_way(&records, &mixed());
    let failed = StoreError::file("sync", "db")(io::Error::from_raw_os_error(5));
    let stopped = records.alone().fail(&failed);
    assert!(matches!(stopped, StoreError::Stopped { .. }), "{stopped:?}");
    assert_eq!(shown(&records), before);
    let refused = records.write(&mixed()).unwrap_err();
    assert_eq!(refused.kind(), Kind::Corrupt, "{refused:?}");
    assert!(
        refused.to_string().contains("restart the server"),
        "{refused}"
    );
    records.open_again().unwrap();
    assert_eq!(shown(&records), before);
}

#[test]
fn a_record_that_sled_would_not_sync_is_refused() {
    let folder = TempDir::new().unwrap();
    let records = filled(&folder);
    let long = "x".repeat(super::super::durable::MAX_VALUE + 1);
    let refused = records.write(&batch(&[("k/a", Some(&long))])).unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict, "{refused:?}");
    records.write(&batch(&[("k/a", Some("new"))])).unwrap();
}
