//! Hosts, heartbeats, inventories.

use std::sync::Arc;

use holdfast_schemas::Digest;

use super::Case;
use super::fixtures::{beat, enrolled, host, inventory, report, time};
use crate::{Store, StoreError};

pub(super) const CASES: &[Case] = &[
    ("a host that is not enrolled is not there", unknown),
    ("hosts come in the order of their names, in pages", pages),
    ("an update is read back, and another sees it", update),
    (
        "updates of one host from many threads are all counted",
        race,
    ),
    ("updates of many hosts leave out unknown ones", many),
    ("a record of any length is kept", long_record),
    (
        "a heartbeat is seen at once, and after it was written",
        heartbeat,
    ),
    ("a heartbeat confirms only the last report", confirms),
    (
        "an inventory is kept whole, and its facts apart",
        inventories,
    ),
    ("a host that was removed left nothing", removed),
];

fn unknown(store: &Arc<dyn Store>) {
    let name = host("nobody");
    assert_eq!(store.host(&name).unwrap(), None);
    assert_eq!(store.count_hosts().unwrap(), 0);
    let refused = store.update_host(&name, Box::new(|_| {}));
    assert!(matches!(refused, Err(StoreError::UnknownHost(_))));
    let refused = store.append_report(report("nobody", 1, 10), time(1));
    assert!(matches!(refused, Err(StoreError::UnknownHost(_))));
    let refused = store.put_inventory(&name, inventory("nobody"), time(1));
    assert!(matches!(refused, Err(StoreError::UnknownHost(_))));
    assert_eq!(store.inventory(&name).unwrap(), None);
    assert!(store.reports(None, None, 10).unwrap().rows.is_empty());
}

fn pages(store: &Arc<dyn Store>) {
    for name in ["b", "a-1", "a", "c:1", "a.b"] {
        enrolled(store, name);
    }
    assert_eq!(store.count_hosts().unwrap(), 5);
    let mut names = Vec::new();
    let mut after = None;
    loop {
        let page = store.hosts(after.as_ref(), 2).unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.name.clone());
        names.extend(page.into_iter().map(|host| host.name));
    }
    let expected = ["a", "a-1", "a.b", "b", "c:1"].map(host);
    assert_eq!(names, expected);
}

fn update(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    let name = host("a");
    let hold = |why: &'static str| {
        store.update_host(
            &name,
            Box::new(move |record| {
                record.held = Some(format!("{}{why}", record.held.as_deref().unwrap_or("")));
            }),
        )
    };
    hold("one").unwrap();
    let record = hold(" two").unwrap();
    assert_eq!(record.held.as_deref(), Some("one two"));
    assert_eq!(store.host(&name).unwrap(), Some(record));
}

fn race(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    let name = host("a");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let add = |record: &mut crate::HostRecord| record.accepted += 1;
                    store.update_host(&name, Box::new(add)).unwrap();
                }
            });
        }
    });
    assert_eq!(store.host(&name).unwrap().unwrap().accepted, 200);
}

fn many(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    enrolled(store, "c");
    let hold = |name: &str| {
        let change: crate::HostChange = Box::new(|record| record.held = Some("so".to_owned()));
        (host(name), change)
    };
    let changed = store
        .update_hosts(vec![hold("a"), hold("b"), hold("c")])
        .unwrap();
    let names: Vec<_> = changed.into_iter().map(|record| record.name).collect();
    assert_eq!(names, ["a", "c"].map(host));
    assert_eq!(store.count_hosts().unwrap(), 2);
}

fn long_record(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    for length in [4000, 4096, 5000, 300_000, 10] {
        let text = "ä".repeat(length / 2);
        let held = text.clone();
        let change = move |record: &mut crate::HostRecord| record.held = Some(held);
        store.update_host(&host("a"), Box::new(change)).unwrap();
        let record = store.host(&host("a")).unwrap().unwrap();
        assert_eq!(record.held.as_deref(), Some(&*text));
        assert_eq!(store.hosts(None, 9).unwrap(), [record]);
    }
}

fn heartbeat(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    store.heartbeat(&host("a"), beat(50, None));
    store.heartbeat(&host("nobody"), beat(50, None));
    let seen = || store.host(&host("a")).unwrap().unwrap();
    assert_eq!(seen().seen, Some(time(50)));
    assert_eq!(store.hosts(None, 9).unwrap(), [seen()]);
    let before = seen();
    assert_eq!(store.write_heartbeats().unwrap(), 1);
    assert_eq!(seen(), before);
    assert_eq!(store.host(&host("nobody")).unwrap(), None);
    assert_eq!(store.write_heartbeats().unwrap(), 0);
}

fn confirms(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    let (first, second) = (report("a", 1, 10), report("a", 2, 10));
    store.append_report(first.clone(), time(10)).unwrap();
    store.heartbeat(&host("a"), beat(20, Some(first.id.clone())));
    store.append_report(second, time(30)).unwrap();
    store.heartbeat(&host("a"), beat(40, Some(first.id)));
    store.write_heartbeats().unwrap();
    let confirmed = |sequence: u64| {
        let page = store.reports(Some(&host("a")), None, 9).unwrap();
        let mut rows = page.rows.into_iter();
        let found = rows.find(|row| row.report.id.sequence == sequence);
        found.unwrap().confirmed
    };
    assert_eq!(confirmed(1), time(20));
    assert_eq!(confirmed(2), time(30));
    let record = store.host(&host("a")).unwrap().unwrap();
    assert_eq!(record.reported.unwrap().confirmed, time(30));
    assert_eq!(record.seen, Some(time(40)));
}

fn inventories(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    for hostname in ["first", "second"] {
        let found = inventory(hostname);
        let facts = Digest::of(serde_json::to_vec(&found.facts).unwrap());
        let record = store
            .put_inventory(&host("a"), found.clone(), time(5))
            .unwrap();
        assert_eq!(record.facts, Some(facts));
        let kept = store.inventory(&host("a")).unwrap().unwrap();
        assert_eq!((kept.inventory, kept.facts), (found.clone(), facts));
        assert_eq!(store.facts(&host("a")).unwrap(), Some(found.facts));
    }
}

fn removed(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    enrolled(store, "ab");
    for name in ["a", "ab"] {
        store
            .put_inventory(&host(name), inventory(name), time(5))
            .unwrap();
        for sequence in 1..=40 {
            let report = report(name, sequence, 10);
            store.append_report(report, time(6)).unwrap();
        }
        store.heartbeat(&host(name), beat(60, None));
    }
    store.remove_host(&host("a")).unwrap();
    store.remove_host(&host("a")).unwrap();
    assert_eq!(store.host(&host("a")).unwrap(), None);
    assert_eq!(store.inventory(&host("a")).unwrap(), None);
    assert_eq!(store.reports(None, None, 100).unwrap().rows.len(), 40);
    assert_eq!(store.drift(None, None, 100).unwrap().rows.len(), 40);
    assert_eq!(
        store
            .reports(Some(&host("ab")), None, 100)
            .unwrap()
            .rows
            .len(),
        40
    );
    enrolled(store, "a-new");
    assert!(
        store
            .reports(Some(&host("a")), None, 9)
            .unwrap()
            .rows
            .is_empty()
    );
}
