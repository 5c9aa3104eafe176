//! A disk that is full: nothing acknowledged is lost, what is refused may be tried again, and once
//! there is room the store goes on by itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holdfast_testkit::wait_until;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::SledStore;
use super::kill::enrol;
use crate::conformance::{host, report, time};
use crate::{Appended, Kind, Retention, Store, StoreError, small_disk};

/// Says to the program that it runs where too long a file is an error and not its end.
const WITHIN: &str = "HOLDFAST_TEST_LIMITED";

/// How long the store may take to go on: some of its second-long pauses.
const PATIENCE: Duration = Duration::from_secs(30);

/// The numbers of a host's reports, newest first.
fn sequences(store: &Arc<dyn Store>, name: &str) -> Vec<u64> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = store
            .reports(Some(&host(name)), after.as_deref(), 500)
            .unwrap();
        found.extend(page.rows.iter().map(|row| row.report.id.sequence));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

/// Waits until the store answers again.
fn goes_on(store: &Arc<dyn Store>) {
    let answers = wait_until(PATIENCE, || match store.next_number("probe", 0) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), Kind::Transient, "{error:?}");
            false
        }
    });
    assert!(answers, "the store stays closed");
}

#[test]
fn a_full_disk_refuses_and_room_lets_it_go_on() {
    let name = "sled::full::a_full_disk_refuses_and_room_lets_it_go_on";
    let Some(disk) = small_disk::within(name) else {
        return;
    };
    let folder = disk.join("store");
    let store = SledStore::open(&folder).unwrap();
    enrol(&store, "a");
    for sequence in 1..=200 {
        let report = report("a", sequence, 1000);
        store.append_report(report, time(5)).unwrap();
    }

    small_disk::fill_but(&disk, 4 * 1024 * 1024);
    for bytes in [10, 20_000] {
        let refused = store.append_report(report("a", 201, bytes), time(5));
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, StoreError::DiskFull { .. }),
            "{refused:?}"
        );
    }
    assert_eq!(sequences(&store, "a").len(), 200);

    // What makes room may use the reserve; without any, even that fails.
    small_disk::free(&disk);
    small_disk::fill(&disk);
    let fewer = (1..200).rev().find_map(|per_host| {
        let keep = Retention {
            per_host,
            ..Retention::default()
        };
        store
            .prune(keep, time(6))
            .err()
            .map(|error| (per_host, error))
    });
    let (kept, refused) = fewer.expect("sled wrote without any room");
    assert!(matches!(refused, StoreError::Closed { .. }), "{refused:?}");
    assert_eq!(refused.kind(), Kind::Transient);

    small_disk::free(&disk);
    goes_on(&store);
    check_pruned(&store, kept);
    store
        .append_report(report("a", 201, 20_000), time(5))
        .unwrap();
    drop(store);
    let store = SledStore::open(&folder).unwrap();
    assert_eq!(sequences(&store, "a")[0], 201);
}

/// The newest are there without a gap; of the oldest the last refused removal may have taken one.
fn check_pruned(store: &Arc<dyn Store>, kept: usize) {
    let found = sequences(store, "a");
    assert!(
        matches!(found.len().checked_sub(kept), Some(0 | 1)),
        "{} of {kept}",
        found.len()
    );
    let newest: Vec<u64> = (1..=200).rev().take(found.len()).collect();
    assert_eq!(found, newest);
}

/// Lets no file of this process grow beyond so many bytes; `None`: as far as before.
fn limit_files(length: Option<u64>) {
    let (_, most) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, length.unwrap_or(most), most).unwrap();
}

#[test]
fn a_write_that_fails_half_way_loses_nothing() {
    if std::env::var_os(WITHIN).is_some() {
        return fails_half_way(tempfile::TempDir::new().unwrap().path());
    }
    // Writing beyond the limit is a signal that ends the program unless it is ignored.
    let ran = Command::new("sh")
        .args([
            "-c",
            r#"trap "" XFSZ; exec "$1" --exact "$2" --nocapture"#,
            "sh",
        ])
        .arg(std::env::current_exe().unwrap())
        .arg("sled::full::a_write_that_fails_half_way_loses_nothing")
        .env(WITHIN, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let complained = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}{complained}");
    assert!(said.contains("1 passed"), "{said}");
}

/// Hosts that report side by side.
const HOSTS: usize = 6;

fn fails_half_way(folder: &Path) {
    let store = SledStore::open(folder).unwrap();
    let names: Vec<String> = (0..HOSTS).map(|number| format!("host-{number}")).collect();
    names.iter().for_each(|name| enrol(&store, name));
    let acknowledged: Vec<AtomicU64> = names.iter().map(|_| AtomicU64::new(0)).collect();
    for round in 0..3 {
        let length = std::fs::metadata(folder.join("sled/db")).unwrap().len();
        limit_files(Some(length + round * 10_000));
        std::thread::scope(|scope| {
            for (name, last) in names.iter().zip(&acknowledged) {
                let store = &store;
                scope.spawn(move || report_until_refused(store, name, last));
            }
        });
        limit_files(None);
        goes_on(&store);
        check_acknowledged(&store, &names, &acknowledged);
    }
    drop(store);
    let store = SledStore::open(folder).unwrap();
    check_acknowledged(&store, &names, &acknowledged);
}

/// Appends report after report until the database closes.
fn report_until_refused(store: &Arc<dyn Store>, name: &str, last: &AtomicU64) {
    loop {
        let sequence = last.load(Ordering::SeqCst) + 1;
        match store.append_report(report(name, sequence, 1500), time(5)) {
            // Known: it was stored although the attempt before was refused.
            Ok(Appended::New | Appended::Known) => last.store(sequence, Ordering::SeqCst),
            Ok(Appended::Forked) => panic!("a report was altered"),
            Err(error) => {
                assert_eq!(error.kind(), Kind::Transient, "{error:?}");
                assert!(matches!(error, StoreError::Closed { .. }), "{error:?}");
                return;
            }
        }
    }
}

/// What was acknowledged is there, in order, without a gap; beyond it at most the refused one.
fn check_acknowledged(store: &Arc<dyn Store>, names: &[String], acknowledged: &[AtomicU64]) {
    for (name, last) in names.iter().zip(acknowledged) {
        let last = last.load(Ordering::SeqCst);
        let found = sequences(store, name);
        let newest = found.first().copied().unwrap_or(0);
        assert!(
            matches!(newest.checked_sub(last), Some(0 | 1)),
            "{newest} of {last}"
        );
        assert_eq!(found, (1..=newest).rev().collect::<Vec<_>>());
    }
}
