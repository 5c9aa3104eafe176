//! What the server remembers of itself, and its backup.

use std::sync::Arc;

use serde_json::json;

use super::Case;
use super::fixtures::{beat, enrolled, host, inventory, report, time};
use crate::{Store, StoreError, get_setting, keys, put_setting};

pub(super) const CASES: &[Case] = &[
    ("a setting is read back, replaced and taken away", settings),
    ("a counter never gives a number twice", counters),
    (
        "a backup holds everything, and imports into an empty store",
        backup,
    ),
    (
        "a backup that is cut, altered or foreign changes nothing",
        bad_backup,
    ),
];

fn settings(store: &Arc<dyn Store>) {
    assert_eq!(store.setting(keys::ACTIVE_REVISION).unwrap(), None);
    for revision in ["r1", "r2", &"r".repeat(10_000)] {
        put_setting(store.as_ref(), keys::ACTIVE_REVISION, &revision).unwrap();
        let read: Option<String> = get_setting(store.as_ref(), keys::ACTIVE_REVISION).unwrap();
        assert_eq!(read.as_deref(), Some(revision));
    }
    let wrong = get_setting::<u32>(store.as_ref(), keys::ACTIVE_REVISION);
    assert!(matches!(wrong, Err(StoreError::Damaged { .. })));
    store.put_setting(keys::ACTIVE_REVISION, None).unwrap();
    assert_eq!(store.setting(keys::ACTIVE_REVISION).unwrap(), None);
    for name in ["", "a/b", "ü", &"x".repeat(129)] {
        let refused = store.put_setting(name, Some(json!(1)));
        assert!(matches!(refused, Err(StoreError::Refused(_))));
    }
}

fn counters(store: &Arc<dyn Store>) {
    assert_eq!(store.next_number("serial", 0).unwrap(), 1);
    assert_eq!(store.next_number("serial", 0).unwrap(), 2);
    assert_eq!(store.next_number("serial", 40).unwrap(), 41);
    assert_eq!(store.next_number("serial", 5).unwrap(), 42);
    assert_eq!(store.next_number("other", 0).unwrap(), 1);
    assert!(store.next_number("serial", u64::MAX).is_err());
    let mut given: Vec<u64> = std::thread::scope(|scope| {
        let take = || -> Vec<u64> {
            (0..25)
                .map(|_| store.next_number("serial", 0).unwrap())
                .collect()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
        let given = threads.into_iter().map(|thread| thread.join().unwrap());
        given.flatten().collect()
    });
    given.sort_unstable();
    assert_eq!(given, (43..243).collect::<Vec<_>>());
}

fn filled(store: &Arc<dyn Store>) -> Vec<u8> {
    enrolled(store, "a");
    store
        .put_inventory(&host("a"), inventory("a"), time(5))
        .unwrap();
    for sequence in 1..=5 {
        let report = report("a", sequence, 2000 * usize::try_from(sequence).unwrap());
        store.append_report(report, time(6)).unwrap();
    }
    store.heartbeat(&host("a"), beat(60, None));
    put_setting(store.as_ref(), "x", &json!({"y": [1, null, "z"]})).unwrap();
    let mut backup = Vec::new();
    assert!(store.export(&mut backup).unwrap() > 10);
    backup
}

fn backup(store: &Arc<dyn Store>) {
    let backup = filled(store);
    let copy = crate::MemoryStore::new().unwrap();
    copy.import(&mut &backup[..]).unwrap();
    assert_eq!(
        copy.host(&host("a")).unwrap(),
        store.host(&host("a")).unwrap()
    );
    assert_eq!(copy.host(&host("a")).unwrap().unwrap().seen, Some(time(60)));
    assert_eq!(
        copy.reports(None, None, 9).unwrap(),
        store.reports(None, None, 9).unwrap()
    );
    assert_eq!(
        copy.drift(None, None, 9).unwrap(),
        store.drift(None, None, 9).unwrap()
    );
    let mut again = Vec::new();
    copy.export(&mut again).unwrap();
    assert_eq!(again, backup);
    // The copy goes on where the original was.
    copy.append_report(report("a", 6, 10), time(7)).unwrap();
    let newest = copy.reports(None, None, 1).unwrap();
    assert_eq!(newest.rows[0].report.id.sequence, 6);
    // A store that has records takes no backup.
    assert!(store.import(&mut &backup[..]).is_err());
    assert!(store.host(&host("a")).unwrap().is_some());
}

fn bad_backup(store: &Arc<dyn Store>) {
    let good = filled(&crate::MemoryStore::new().unwrap());
    let cut = &good[..good.len() - 1];
    let half = &good[..good.len() / 2];
    let text = String::from_utf8(good.clone()).unwrap();
    let altered = text.replacen("\"hostname\":\"a\"", "\"hostname\":\"b\"", 1);
    let lines: Vec<&str> = text.lines().collect();
    let headless = lines[1..].join("\n") + "\n";
    let mut short = lines.clone();
    short.remove(3);
    let short = short.join("\n") + "\n";
    for bad in [
        cut,
        half,
        b"",
        b"{}\n",
        b"\xff\xfe\n",
        altered.as_bytes(),
        headless.as_bytes(),
        short.as_bytes(),
    ] {
        assert!(store.import(&mut &bad[..]).is_err());
        assert_eq!(store.count_hosts().unwrap(), 0);
    }
    store.import(&mut &good[..]).unwrap();
    assert_eq!(store.count_hosts().unwrap(), 1);
}
