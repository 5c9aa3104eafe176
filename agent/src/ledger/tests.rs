#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use holdfast_schemas::resource::{Directory, Ensure, Kind};
use proptest::prelude::*;

use super::*;

fn id(title: &str) -> ResourceId {
    ResourceId::new(Kind::Service, title).unwrap()
}

fn act(title: &str, notifies: &[&str]) -> Act {
    Act {
        id: id(title),
        spec: SpecMark::of(title.as_bytes()),
        notifies: notifies.iter().map(|to| id(to)).collect(),
        makes: true,
    }
}

fn acted(title: &str) -> Acted {
    Acted {
        id: id(title),
        spec: Some(SpecMark::of(title.as_bytes())),
        made: true,
    }
}

fn debt(to: &str, because: &str) -> Debt {
    Debt {
        to: id(to),
        because: vec![id(because)],
    }
}

fn directory(path: &str) -> Resource {
    Resource {
        id: ResourceId::new(Kind::Directory, path).unwrap(),
        spec: Spec::Directory(Directory {
            path: path.parse().unwrap(),
            ensure: Ensure::Present,
            owner: None,
            group: None,
            mode: None,
            force: false,
        }),
        requires: Vec::new(),
        subscribes: Vec::new(),
    }
}

fn open(folder: &Path) -> Ledger {
    Ledger::open(folder, Knowledge::Whole).unwrap()
}

#[test]
fn an_intent_without_an_outcome_is_owed_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(folder.path());
    ledger.intend(vec![act("conf", &["nginx"])]).unwrap();
    drop(ledger);
    for _ in 0..2 {
        let ledger = open(folder.path());
        assert_eq!(ledger.memory().debts(), [debt("nginx", "conf")]);
        let entry = ledger.memory().entry(&id("conf")).unwrap();
        assert_eq!((entry.spec, entry.made), (None, true));
    }
}

#[test]
fn an_outcome_closes_the_intent_and_a_refresh_pays_the_debt() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(folder.path());
    ledger.intend(vec![act("conf", &["nginx"])]).unwrap();
    ledger.conclude(vec![acted("conf")], Vec::new()).unwrap();
    assert!(ledger.memory().owed().is_empty());
    ledger.intend(vec![act("other", &["nginx"])]).unwrap();
    let owed = vec![debt("nginx", "other")];
    ledger.conclude(vec![acted("other")], owed).unwrap();
    drop(ledger);
    let mut ledger = open(folder.path());
    assert_eq!(ledger.memory().debts(), [debt("nginx", "other")]);
    ledger.refreshed(&id("nginx")).unwrap();
    drop(ledger);
    assert!(open(folder.path()).memory().owed().is_empty());
}

#[test]
fn damage_in_the_middle_keeps_debts_and_forgets_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(folder.path());
    ledger.conclude(vec![acted("a")], Vec::new()).unwrap();
    ledger
        .conclude(vec![acted("b")], vec![debt("s", "b")])
        .unwrap();
    drop(ledger);
    let path = folder.path().join(JOURNAL);
    let mut bytes = fs::read(&path).unwrap();
    bytes[20] ^= 1;
    fs::write(&path, bytes).unwrap();
    for _ in 0..2 {
        let ledger = open(folder.path());
        assert_eq!(ledger.memory().knowledge(), Knowledge::Lost);
        assert_eq!(ledger.memory().entry(&id("a")), None);
        assert_eq!(ledger.memory().debts(), [debt("s", "b")]);
    }
    assert!(folder.path().join(DAMAGED).exists());
}

#[test]
fn a_missing_journal_means_what_the_caller_says() {
    let folder = tempfile::tempdir().unwrap();
    let recalled = recall(folder.path(), Knowledge::Lost).unwrap();
    assert_eq!(recalled.knowledge(), Knowledge::Lost);
    let recalled = recall(folder.path(), Knowledge::Whole).unwrap();
    assert_eq!(recalled.knowledge(), Knowledge::Whole);
    assert!(!folder.path().join(JOURNAL).exists());
}

#[test]
fn the_settled_mark_holds_until_somebody_appends() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Digest::of("catalog");
    let mut ledger = open(folder.path());
    ledger.adopt([directory("/srv")].iter()).unwrap();
    ledger.close(Some((catalog, vec![id("old")]))).unwrap();
    let mark = Settled::holds(folder.path(), &catalog).unwrap();
    assert_eq!(mark.orphans, [id("old")]);
    assert_eq!(Settled::holds(folder.path(), &Digest::of("other")), None);
    let mut ledger = open(folder.path());
    ledger.refreshed(&id("x")).unwrap();
    assert_eq!(Settled::holds(folder.path(), &catalog), None);
}

#[test]
fn nothing_is_settled_while_something_is_owed() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(folder.path());
    ledger.conclude(Vec::new(), vec![debt("s", "b")]).unwrap();
    ledger
        .close(Some((Digest::of("catalog"), Vec::new())))
        .unwrap();
    assert_eq!(Settled::holds(folder.path(), &Digest::of("catalog")), None);
}

#[test]
fn a_journal_of_history_is_written_anew_and_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(folder.path());
    let mut round = 0_u32;
    while ledger.journal.length() <= COMPACT_FROM {
        let mut one = acted("a");
        one.spec = Some(SpecMark::of(&round.to_be_bytes()));
        ledger.conclude(vec![one], vec![debt("s", "a")]).unwrap();
        round += 1;
    }
    let before = *ledger.memory().entry(&id("a")).unwrap();
    ledger.close(None).unwrap();
    assert!(fs::metadata(folder.path().join(JOURNAL)).unwrap().len() < 4096);
    let ledger = open(folder.path());
    assert_eq!(ledger.memory().entry(&id("a")), Some(&before));
    assert_eq!(ledger.memory().debts(), [debt("s", "a")]);
}

#[test]
fn a_journal_longer_than_any_document_is_read_and_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let line = Record::Outcome {
        acted: vec![acted("a")],
        owed: vec![debt("s", "a")],
    }
    .to_line();
    // Runs that were all killed before their end: nobody wrote it anew.
    let lines = 20 * 1024 * 1024 / line.len();
    fs::write(folder.path().join(JOURNAL), line.repeat(lines)).unwrap();
    let ledger = open(folder.path());
    assert_eq!(ledger.memory().debts(), [debt("s", "a")]);
    assert!(ledger.journal.length() < 4096);
    drop(ledger);
    assert_eq!(open(folder.path()).memory().debts(), [debt("s", "a")]);
}

fn any_record() -> impl Strategy<Value = Record> {
    let name = "[a-e]";
    prop_oneof![
        (name, name).prop_map(|(a, b)| Record::Intent {
            acts: vec![act(&a, &[&b])]
        }),
        (name, name).prop_map(|(a, b)| Record::Outcome {
            acted: vec![acted(&a)],
            owed: vec![debt(&b, &a)]
        }),
        name.prop_map(|a| Record::Refreshed { resource: id(&a) }),
        name.prop_map(|a| Record::Forgotten {
            resources: vec![id(&a)]
        }),
    ]
}

proptest! {
    #[test]
    fn a_torn_tail_costs_the_torn_record_and_nothing_else(
        records in prop::collection::vec(any_record(), 1..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let lines: Vec<Vec<u8>> = records.iter().map(Record::to_line).collect();
        let whole = lines.concat();
        let cut = cut.index(whole.len() + 1);
        let mut end = 0;
        let intact = lines.iter().take_while(|line| { end += line.len(); end <= cut }).count();
        let read = journal::parse(&whole[..cut]).unwrap();
        prop_assert_eq!(read.damage, Damage::None);
        prop_assert_eq!(&read.records[..], &records[..intact]);

        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(JOURNAL), &whole[..cut]).unwrap();
        let expected = Memory::replay(journal::parse(&lines[..intact].concat()[..]).unwrap()).debts();
        let mut ledger = open(folder.path());
        prop_assert_eq!(ledger.memory().debts(), expected.clone());
        ledger.refreshed(&id("nobody")).unwrap();
        drop(ledger);
        prop_assert_eq!(open(folder.path()).memory().debts(), expected);
    }

    #[test]
    fn a_flipped_bit_is_never_believed(
        records in prop::collection::vec(any_record(), 1..6),
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let mut bytes = records.iter().flat_map(Record::to_line).collect::<Vec<u8>>();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let read = journal::parse(&bytes[..]).unwrap();
        prop_assert!(read.records.len() < records.len());
        prop_assert_eq!(&read.records[..], &records[..read.records.len()]);
    }

    #[test]
    fn no_bytes_whatever_stop_the_ledger(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(JOURNAL), &bytes).unwrap();
        open(folder.path()).intend(vec![act("a", &["b"])]).unwrap();
    }
}
