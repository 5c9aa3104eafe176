//! Reports, drift, retention.

use std::sync::Arc;

use holdfast_schemas::operator_api::{DriftEvent, StoredReport};
use holdfast_schemas::report::{Cause, Outcome};
use jiff::SignedDuration;

use super::Case;
use super::fixtures::{enrolled, host, report, time, token};
use crate::{Appended, Retention, Store, StoreError};

pub(super) const CASES: &[Case] = &[
    ("a report is counted once", counted_once),
    ("another report under a known id is a fork", fork),
    ("retries from many threads are counted once", race),
    (
        "reports come newest first, of one host or all, in pages",
        newest_first,
    ),
    ("a long report and its drift are kept whole", long),
    (
        "drift is what left the desired state, and nothing else",
        drift_only,
    ),
    ("a late report does not become the last", late),
    ("a bad incarnation, limit or cursor does no harm", bad_input),
    ("old reports go, the last of a host stays", by_age),
    ("more reports than are kept go, oldest first", by_count),
    ("tokens that ended long ago go", old_tokens),
];

fn all_reports(store: &Arc<dyn Store>, name: Option<&str>, limit: usize) -> Vec<StoredReport> {
    let name = name.map(host);
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let page = store
            .reports(name.as_ref(), after.as_deref(), limit)
            .unwrap();
        assert!(page.rows.len() <= limit);
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return rows;
        }
    }
}

fn all_drift(store: &Arc<dyn Store>, name: Option<&str>, limit: usize) -> Vec<DriftEvent> {
    let name = name.map(host);
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let page = store.drift(name.as_ref(), after.as_deref(), limit).unwrap();
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return rows;
        }
    }
}

fn sequences(reports: &[StoredReport]) -> Vec<u64> {
    reports.iter().map(|row| row.report.id.sequence).collect()
}

fn counted_once(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    let sent = report("a", 1, 10);
    let append = |at| store.append_report(sent.clone(), time(at)).unwrap();
    assert_eq!(append(5), Appended::New);
    assert_eq!(append(6), Appended::Known);
    let rows = all_reports(store, None, 9);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].report, sent);
    assert_eq!((rows[0].received, rows[0].confirmed), (time(5), time(5)));
    let last = store.host(&host("a")).unwrap().unwrap().reported.unwrap();
    assert_eq!((last.report, last.received), (sent.id, time(5)));
    assert_eq!(all_drift(store, None, 9).len(), 1);
}

fn fork(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    store.append_report(report("a", 1, 10), time(5)).unwrap();
    let forked = store.append_report(report("a", 1, 11), time(6)).unwrap();
    assert_eq!(forked, Appended::Forked);
    assert_eq!(all_reports(store, None, 9)[0].report, report("a", 1, 10));
}

fn race(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for sequence in 1..=5 {
                    let report = report("a", sequence, 9000);
                    store.append_report(report, time(5)).unwrap();
                }
            });
        }
    });
    let mut found = sequences(&all_reports(store, Some("a"), 2));
    found.sort_unstable();
    assert_eq!(found, [1, 2, 3, 4, 5]);
}

fn newest_first(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    enrolled(store, "b");
    for sequence in 1..=7 {
        for name in ["a", "b"] {
            let report = report(name, sequence, 10);
            store.append_report(report, time(5)).unwrap();
        }
    }
    let down = [7, 6, 5, 4, 3, 2, 1];
    for limit in [1, 3, 7, 100] {
        assert_eq!(sequences(&all_reports(store, Some("b"), limit)), down);
        let all = all_reports(store, None, limit);
        assert_eq!(all.len(), 14);
        assert_eq!(all[0].report, report("b", 7, 10));
        assert_eq!(all[13].report, report("a", 1, 10));
        let drift = all_drift(store, Some("a"), limit);
        let ids: Vec<u64> = drift.iter().map(|event| event.report.sequence).collect();
        assert_eq!(ids, down);
        assert_eq!(all_drift(store, None, limit).len(), 14);
    }
}

fn long(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    for (sequence, bytes) in [(1, 3000), (2, 4096), (3, 100_000), (4, 5_000_000)] {
        let sent = report("a", sequence, bytes);
        store.append_report(sent.clone(), time(5)).unwrap();
        let page = store.reports(None, None, 1).unwrap();
        assert_eq!(page.rows[0].report, sent);
        let drift = store.drift(Some(&host("a")), None, 1).unwrap();
        assert_eq!(drift.rows[0].changes, sent.resources[0].changes);
    }
    assert_eq!(sequences(&all_reports(store, None, 100)), [4, 3, 2, 1]);
    let refused = store.append_report(report("a", 5, 9_000_000), time(5));
    assert!(matches!(refused, Err(StoreError::Refused(_))));
}

fn drift_only(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    let mut sent = report("a", 1, 10);
    let mut resource = sent.resources.remove(0);
    let mut of = |title: &str, cause, outcome| {
        resource.id = format!("file[{title}]").parse().unwrap();
        resource.cause = cause;
        resource.outcome = outcome;
        sent.resources.push(resource.clone());
    };
    of("/in-sync", None, Outcome::InSync);
    of("/intended", Some(Cause::Intended), Outcome::Changed);
    of("/new", Some(Cause::New), Outcome::Changed);
    of("/mended", Some(Cause::Drift), Outcome::Changed);
    of("/left", Some(Cause::Drift), Outcome::Drifted);
    of("/unknown", Some(Cause::Unknown), Outcome::Failed);
    store.append_report(sent, time(5)).unwrap();
    let events = all_drift(store, None, 9);
    let told = |event: &DriftEvent| (event.resource.to_string(), event.mended);
    let told: Vec<_> = events.iter().map(told).collect();
    let expected = [
        ("file[/unknown]".to_owned(), false),
        ("file[/left]".to_owned(), false),
        ("file[/mended]".to_owned(), true),
    ];
    assert_eq!(told, expected);
    assert!(events.iter().all(|event| event.received == time(5)));
}

fn late(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    store.append_report(report("a", 2, 10), time(5)).unwrap();
    store.append_report(report("a", 1, 10), time(6)).unwrap();
    let last = || {
        let record = store.host(&host("a")).unwrap().unwrap();
        record.reported.unwrap().report
    };
    assert_eq!(last().sequence, 2);
    let mut reborn = report("a", 1, 10);
    reborn.id.incarnation = "ffff".to_owned();
    store.append_report(reborn.clone(), time(7)).unwrap();
    assert_eq!(last(), reborn.id);
    assert_eq!(all_reports(store, Some("a"), 9).len(), 3);
}

fn bad_input(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    for incarnation in ["", "../../etc", "a/b", "\0", "xyz", &"a".repeat(65)] {
        let mut bad = report("a", 1, 10);
        bad.id.incarnation = incarnation.to_owned();
        let refused = store.append_report(bad, time(5));
        assert!(matches!(refused, Err(StoreError::Refused(_))));
    }
    for cursor in ["", "/", "zz", "\u{10ffff}", &"0".repeat(99)] {
        let refused = store.reports(None, Some(cursor), 9);
        assert!(matches!(refused, Err(StoreError::Refused(_))));
        let refused = store.drift(Some(&host("a")), Some(cursor), 9);
        assert!(matches!(refused, Err(StoreError::Refused(_))));
    }
    store.append_report(report("a", 1, 10), time(5)).unwrap();
    for limit in [0, 1, usize::MAX] {
        assert_eq!(store.reports(None, None, limit).unwrap().rows.len(), 1);
    }
    assert_eq!(store.hosts(None, usize::MAX).unwrap().len(), 1);
}

fn by_age(store: &Arc<dyn Store>) {
    for name in ["a", "b"] {
        enrolled(store, name);
    }
    for sequence in 1..=100 {
        let at = time(i64::try_from(sequence).unwrap());
        store.append_report(report("a", sequence, 10), at).unwrap();
    }
    store.append_report(report("b", 1, 5000), time(1)).unwrap();
    let keep = Retention {
        age: SignedDuration::from_secs(50),
        per_host: 1000,
    };
    let pruned = store.prune(keep, time(100)).unwrap();
    assert_eq!(pruned.reports, 49);
    let kept = sequences(&all_reports(store, Some("a"), 10));
    assert_eq!(kept, (50..=100).rev().collect::<Vec<_>>());
    assert_eq!(all_drift(store, Some("a"), 10).len(), 51);
    let long_after = time(1_000_000);
    store.prune(keep, long_after).unwrap();
    assert_eq!(sequences(&all_reports(store, Some("a"), 10)), [100]);
    assert_eq!(all_reports(store, Some("b"), 10).len(), 1);
    assert_eq!(all_drift(store, None, 10).len(), 2);
    assert_eq!(store.prune(keep, long_after).unwrap().reports, 0);
}

fn by_count(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    let keep = Retention {
        age: SignedDuration::from_hours(24),
        per_host: 10,
    };
    for sequence in 1..=100 {
        store
            .append_report(report("a", sequence, 10), time(5))
            .unwrap();
    }
    assert_eq!(store.prune(keep, time(6)).unwrap().reports, 90);
    let kept = sequences(&all_reports(store, None, 3));
    assert_eq!(kept, (91..=100).rev().collect::<Vec<_>>());
    store.append_report(report("a", 101, 10), time(5)).unwrap();
    assert_eq!(store.prune(keep, time(6)).unwrap().reports, 1);
    assert_eq!(all_drift(store, Some("a"), 3).len(), 10);
}

fn old_tokens(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    store.put_token(token("unused", None)).unwrap();
    let keep = Retention {
        age: SignedDuration::from_secs(100),
        per_host: 10,
    };
    assert_eq!(store.prune(keep, time(50)).unwrap().tokens, 0);
    assert_eq!(store.prune(keep, time(3600)).unwrap().tokens, 1);
    assert_eq!(store.prune(keep, time(3701)).unwrap().tokens, 1);
    assert!(store.host(&host("a")).unwrap().is_some());
}
