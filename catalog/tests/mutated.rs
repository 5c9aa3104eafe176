//! The example fleet with bytes of its files changed: whatever comes of it, reading, compiling, its
//! tests and lint end, without a panic and the same way twice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::Path;
use std::sync::{Arc, LazyLock};

use holdfast_catalog::expect::{Found, Suite};
use holdfast_catalog::lint::{Linter, Seen};
use holdfast_catalog::site::Entry;
use holdfast_catalog::{HostInput, Paint, Site, Snapshot};
use proptest::prelude::*;

/// What may stand where something else stood.
const INSTEAD: [&str; 22] = [
    "",
    "\0",
    "\t",
    "\n",
    "  ",
    "-",
    ": ",
    "# lint: allow ",
    "[",
    "]",
    "{",
    "{{",
    "}}",
    "{%",
    "\"",
    "'",
    "*",
    "&a ",
    "when",
    "expect",
    "99999999999999999999",
    "\u{e9}",
];

static FLEET: LazyLock<Snapshot> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fleet");
    support::folder(&folder)
});

/// One change: which file, where in it, how many bytes go, and what comes.
type Change = (usize, usize, usize, usize);

fn changed(changes: &[Change]) -> Snapshot {
    let mut snapshot = FLEET.clone();
    let texts = snapshot.files.iter_mut();
    let texts = texts.filter_map(|(_, entry)| match entry {
        Entry::Text(bytes) => Some(bytes),
        _ => None,
    });
    let mut texts: Vec<&mut Arc<[u8]>> = texts.collect();
    for (file, at, length, instead) in changes {
        let number = file % texts.len();
        let bytes = &mut texts[number];
        let mut text = bytes.to_vec();
        let from = at % (text.len() + 1);
        let to = text.len().min(from + length);
        text.splice(from..to, INSTEAD[instead % INSTEAD.len()].bytes());
        **bytes = text.into();
    }
    snapshot
}

/// All that is said of a site.
fn said(snapshot: &Snapshot) -> String {
    let site = match Site::parse(snapshot) {
        Ok(site) => site,
        Err(wrong) => return wrong.render(Paint::Plain),
    };
    let mut text = String::new();
    let linter = Linter::of(&site);
    let mut seen = Seen::default();
    for host in site.hosts() {
        linter.look(&HostInput::new(host.clone()), &mut seen);
    }
    text.push_str(&seen.wrong().render(Paint::Plain));
    text.push_str(&linter.findings(&seen).told.render(Paint::Plain));
    match Suite::of(&site) {
        Err(wrong) => text.push_str(&wrong.render(Paint::Plain)),
        Ok(suite) => {
            let mut found = Found::default();
            site.hosts()
                .for_each(|host| suite.run(&site, &HostInput::new(host.clone()), &mut found));
            for verdict in suite.verdicts(found) {
                text.push_str(&verdict.failures.render(Paint::Plain));
            }
        }
    }
    text
}

#[test]
fn unchanged_there_is_nothing_to_say() {
    assert_eq!(said(&FLEET), "");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_the_fleet_breaks_its_tests_or_lint(
        changes in proptest::collection::vec((any::<usize>(), any::<usize>(), 0..12_usize, any::<usize>()), 1..4),
    ) {
        let snapshot = changed(&changes);
        prop_assert_eq!(said(&snapshot), said(&snapshot));
    }
}
