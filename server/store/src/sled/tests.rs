//! What only a store on disk can get wrong: restarts, damage, leftovers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::SledStore;
use super::kill::enrol;
use crate::conformance::{self, host, report, time};
use crate::{Kind, Retention, Store, StoreError};

#[test]
fn conforms() {
    let mut folders = Vec::new();
    conformance::check(|| {
        let folder = TempDir::new().unwrap();
        let store = SledStore::open(folder.path()).unwrap();
        folders.push(folder);
        store
    });
}

fn documents(folder: &Path) -> usize {
    let listed = fs::read_dir(folder.join("documents")).unwrap();
    let inner = listed.map(|entry| fs::read_dir(entry.unwrap().path()).unwrap().count());
    inner.sum()
}

#[test]
fn a_restart_forgets_nothing() {
    let folder = TempDir::new().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    enrol(&store, "a");
    for sequence in 1..=20 {
        let bytes = usize::try_from(sequence).unwrap() * 500;
        let report = report("a", sequence, bytes);
        store.append_report(report, time(5)).unwrap();
    }
    let before = store.reports(None, None, 100).unwrap();
    let host_before = store.host(&host("a")).unwrap();
    drop(store);
    let store = SledStore::open(folder.path()).unwrap();
    assert_eq!(store.reports(None, None, 100).unwrap(), before);
    assert_eq!(store.host(&host("a")).unwrap(), host_before);
    store.append_report(report("a", 21, 10), time(5)).unwrap();
    let newest = store.reports(None, None, 1).unwrap();
    assert_eq!(newest.rows[0].report.id.sequence, 21);
}

#[test]
fn a_second_server_is_refused() {
    let folder = TempDir::new().unwrap();
    let _store = SledStore::open(folder.path()).unwrap();
    let refused = SledStore::open(folder.path()).err().unwrap();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused:?}");
    assert_eq!(refused.kind(), Kind::Transient);
}

/// Opens what is damaged; `None` if it is refused.
fn reopened(folder: &Path) -> Option<Arc<dyn Store>> {
    match SledStore::open(folder) {
        Ok(store) => Some(store),
        Err(refused) => {
            assert_eq!(refused.kind(), Kind::Corrupt, "{refused:?}");
            None
        }
    }
}

#[test]
fn a_damaged_database_never_comes_up_empty() {
    for (file, length) in [
        ("db", 0),
        ("db", 1000),
        ("db", 300_000),
        ("conf", 9),
        ("conf", 4096),
    ] {
        let folder = TempDir::new().unwrap();
        let store = SledStore::open(folder.path()).unwrap();
        enrol(&store, "a");
        drop(store);
        let path = folder.path().join("sled").join(file);
        let whole = fs::read(&path).unwrap();
        for filler in [0, 0x5a, 0xff] {
            fs::write(&path, vec![filler; length]).unwrap();
            if let Some(store) = reopened(folder.path()) {
                let found = store.host(&host("a")).unwrap();
                assert!(found.is_some(), "{file} of {length} times {filler}");
            }
            fs::write(&path, &whole).unwrap();
        }
    }
}

#[test]
fn pruning_frees_the_disk() {
    let folder = TempDir::new().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    enrol(&store, "a");
    for sequence in 1..=30 {
        store
            .append_report(report("a", sequence, 20_000), time(5))
            .unwrap();
    }
    assert_eq!(documents(folder.path()), 30);
    let keep = Retention {
        per_host: 3,
        ..Retention::default()
    };
    assert_eq!(store.prune(keep, time(6)).unwrap().reports, 27);
    assert_eq!(documents(folder.path()), 3);
    assert_eq!(store.reports(None, None, 9).unwrap().rows.len(), 3);
    store.remove_host(&host("a")).unwrap();
    assert_eq!(documents(folder.path()), 0);
}

#[test]
fn a_document_without_a_record_is_swept_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    enrol(&store, "a");
    store
        .append_report(report("a", 1, 20_000), time(5))
        .unwrap();
    drop(store);
    // As a crash between file and record leaves it.
    let files = super::Documents::open(&folder.path().join("documents")).unwrap();
    std::mem::forget(files.write("b/a/00/1", &[b' '; 5000]).unwrap());
    fs::write(folder.path().join("documents/.new-1-1"), "half").unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    assert_eq!(documents_in_all(folder.path()), 2);
    let pruned = store.prune(Retention::default(), time(6)).unwrap();
    assert_eq!((pruned.files, pruned.reports), (1, 0));
    assert_eq!(documents_in_all(folder.path()), 1);
    assert_eq!(store.reports(None, None, 9).unwrap().rows.len(), 1);
}

#[test]
fn a_document_goes_with_its_failed_transaction() {
    let folder = TempDir::new().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    enrol(&store, "a");
    let long = |text: &'static str| {
        move |record: &mut crate::HostRecord| {
            record.held = Some(text.repeat(9000));
        }
    };
    let panics: crate::HostChange = Box::new(|_| panic!("as asked"));
    let both: Vec<(_, crate::HostChange)> =
        vec![(host("a"), Box::new(long("x"))), (host("a"), panics)];
    store.update_hosts(both).unwrap_err();
    assert_eq!(documents_in_all(folder.path()), 0);
    // The second time the report is known, and what was written of it in vain is gone.
    let report = report("a", 1, 20_000);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| store.append_report(report.clone(), time(5)).unwrap());
        }
    });
    assert_eq!(documents_in_all(folder.path()), 1);
    store.update_host(&host("a"), Box::new(long("y"))).unwrap();
    assert_eq!(documents_in_all(folder.path()), 2);
    store.update_host(&host("a"), Box::new(long("z"))).unwrap();
    assert_eq!(documents_in_all(folder.path()), 2);
}

/// Files below the folder of documents, drafts too.
fn documents_in_all(folder: &Path) -> usize {
    let stray = fs::read_dir(folder.join("documents")).unwrap();
    let stray = stray.filter(|entry| entry.as_ref().unwrap().path().is_file());
    stray.count()
        + fs::read_dir(folder.join("documents"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .map(|path| fs::read_dir(path).unwrap().count())
            .sum::<usize>()
}

#[test]
fn a_damaged_document_is_an_error_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    enrol(&store, "a");
    store
        .append_report(report("a", 1, 20_000), time(5))
        .unwrap();
    let mut stack = vec![folder.path().join("documents")];
    while let Some(path) = stack.pop() {
        if path.is_dir() {
            stack.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        fs::write(path, "something else").unwrap();
    }
    let read = store.reports(None, None, 9).unwrap_err();
    assert_eq!(read.kind(), Kind::Corrupt, "{read:?}");
    assert!(store.host(&host("a")).unwrap().is_some());
}

#[test]
fn a_transaction_that_panics_stops_nothing() {
    let folder = TempDir::new().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    enrol(&store, "a");
    let panics = store.update_host(&host("a"), Box::new(|_| panic!("as asked")));
    assert_eq!(panics.unwrap_err().kind(), Kind::Conflict);
    store.append_report(report("a", 1, 10), time(5)).unwrap();
}

#[test]
fn nothing_is_open_to_others() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let store = SledStore::open(&data).unwrap();
    enrol(&store, "a");
    store
        .append_report(report("a", 1, 20_000), time(5))
        .unwrap();
    let mut stack = vec![data];
    while let Some(path) = stack.pop() {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
        if path.is_dir() {
            stack.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
    }
}
