#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use holdfast_schemas::resource::{Kind, Spec};
use serde_json::{Value, json};

use crate::harness::{Enforced, enforce, enforce_batch, observe};
use crate::host::fake::FakeHost;
use crate::host::fake::programs::{Apt, Offer};
use crate::host::{Facility, Host, HostError};
use crate::testing::{assert_in_sync, converge, lines, refused};

/// A host with apt, and what is installed on it: `name version status`.
struct Fixture {
    host: FakeHost,
    apt: Arc<Mutex<Apt>>,
}

impl Fixture {
    fn new(offers: &[(&str, &str)], stanzas: &[&str]) -> Self {
        let offers = offers
            .iter()
            .map(|(package, version)| Offer::new(package, version))
            .collect();
        let apt = Arc::new(Mutex::new(Apt {
            offers,
            ..Apt::default()
        }));
        let host = FakeHost::new();
        host.install(&["apt-get", "apt-cache", "dpkg"], apt.clone());
        host.edit(|files| {
            files.make_directory("/var/lib/dpkg/updates");
            files.write("/var/lib/dpkg/status", status(stanzas));
        });
        Self { host, apt }
    }

    fn apt(&self) -> MutexGuard<'_, Apt> {
        self.apt.lock().unwrap()
    }

    fn status(&self) -> String {
        self.host.files().text("/var/lib/dpkg/status").to_owned()
    }
}

fn status(stanzas: &[&str]) -> String {
    let dpkg = "dpkg 1.21.22 install ok installed";
    let stanza = |line: &&str| {
        let mut words = line.splitn(3, ' ');
        let (name, version, rest) = (
            words.next().unwrap(),
            words.next().unwrap(),
            words.next().unwrap(),
        );
        let (state, provides) = rest.split_once(" / ").unwrap_or((rest, ""));
        let provides = if provides.is_empty() {
            String::new()
        } else {
            format!("\nProvides: {provides}")
        };
        format!(
            "Package: {name}\nStatus: {state}\nArchitecture: amd64\nVersion: {version}{provides}\n\n"
        )
    };
    stanzas.iter().chain([&dpkg]).map(stanza).collect()
}

fn package(json: Value) -> Spec {
    crate::testing::spec(Kind::Package, json)
}

fn named(name: &str) -> Spec {
    package(json!({ "name": name }))
}

#[test]
fn a_package_is_installed_removed_and_purged() {
    let fixture = Fixture::new(&[("nginx", "1.22.1-9")], &[]);
    let shown = converge(&named("nginx"), &fixture.host);
    assert_eq!(lines(&shown), ["state: absent -> installed"]);
    let shown = converge(
        &package(json!({"name": "nginx", "state": "absent"})),
        &fixture.host,
    );
    assert_eq!(lines(&shown), ["state: installed (1.22.1-9) -> absent"]);
    assert!(fixture.status().contains("deinstall ok config-files"));
    converge(
        &package(json!({"name": "nginx", "state": "purged"})),
        &fixture.host,
    );
    assert!(!fixture.status().contains("nginx"));
}

/// X11; and P12: a look starts nothing that changes anything, which `converge` asserts.
#[test]
fn many_packages_are_one_transaction() {
    let fixture = Fixture::new(
        &[("a1", "1"), ("b1", "1"), ("c1", "1")],
        &["old 1 install ok installed"],
    );
    let specs = [
        named("a1"),
        named("b1"),
        named("c1"),
        package(json!({"name": "old", "state": "absent"})),
    ];
    let outcomes = enforce_batch(&specs.each_ref(), &fixture.host);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Enforced::Changed(_))),
        "{outcomes:?}"
    );
    assert_eq!(fixture.apt().transactions, 1);
}

#[test]
fn a_look_at_packages_in_sync_starts_no_program_and_takes_no_time() {
    let host = FakeHost::new(); // it has no programs
    let names: Vec<String> = (0..50).map(|n| format!("package-{n}")).collect();
    let stanzas: Vec<String> = names
        .iter()
        .map(|name| format!("{name} 1 install ok installed"))
        .collect();
    let stanzas: Vec<&str> = stanzas.iter().map(String::as_str).collect();
    host.edit(|files| files.write("/var/lib/dpkg/status", status(&stanzas)));
    let begun = Instant::now();
    for name in &names {
        assert!(observe(&named(name), host.as_probe()).unwrap().in_sync());
    }
    assert!(
        begun.elapsed() < Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );
}

/// P03
#[test]
fn nothing_is_removed_that_nobody_asked_to_remove() {
    let fixture = Fixture::new(
        &[],
        &[
            "postfix 3 install ok installed",
            "other 1 install ok installed",
        ],
    );
    let exim = Offer {
        conflicts: vec!["postfix".into()],
        ..Offer::new("exim4", "4.96")
    };
    fixture.apt().offers.push(exim);
    let before = fixture.status();
    let Enforced::Failed { error, .. } = enforce(&named("exim4"), &fixture.host) else {
        panic!()
    };
    assert!(
        error.to_string().contains("would also remove postfix"),
        "{error}"
    );
    assert_eq!(fixture.status(), before);
    converge(
        &package(json!({"name": "exim4", "allow_removals": true})),
        &fixture.host,
    );
    // Asked for, the same removal needs no leave.
    let fixture = Fixture::new(&[], &["postfix 3 install ok installed"]);
    let exim = Offer {
        conflicts: vec!["postfix".into()],
        ..Offer::new("exim4", "4.96")
    };
    fixture.apt().offers.push(exim);
    let gone = package(json!({"name": "postfix", "state": "absent"}));
    let outcomes = enforce_batch(&[&named("exim4"), &gone], &fixture.host);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Enforced::Changed(_))),
        "{outcomes:?}"
    );
}

/// P06
#[test]
fn a_lower_version_needs_leave() {
    let fixture = Fixture::new(
        &[("jq", "1.5"), ("jq", "1.6")],
        &["jq 1.6 install ok installed"],
    );
    let error = refused(
        &package(json!({"name": "jq", "version": "1.5"})),
        &fixture.host,
    );
    assert!(error.to_string().contains("allow_downgrade"), "{error}");
    let lower = package(json!({"name": "jq", "version": "1.5", "allow_downgrade": true}));
    assert_eq!(
        lines(&converge(&lower, &fixture.host)),
        ["version: 1.6 -> 1.5"]
    );
    let higher = package(json!({"name": "jq", "version": "1.6"}));
    converge(&higher, &fixture.host);
    let same = package(json!({"name": "jq", "version": "0:1.6"}));
    assert_in_sync(&same, &fixture.host);
}

#[test]
fn latest_follows_the_candidate() {
    let fixture = Fixture::new(
        &[("jq", "1.6")],
        &["jq 1.5 install ok installed", "here 2 install ok installed"],
    );
    let latest = |name: &str| package(json!({"name": name, "state": "latest"}));
    assert_eq!(
        lines(&converge(&latest("jq"), &fixture.host)),
        ["version: 1.5 -> 1.6"]
    );
    assert_in_sync(&latest("here"), &fixture.host);
    fixture.apt().offers.push(Offer::new("jq", "1.7"));
    converge(&latest("jq"), &fixture.host);
}

/// P09
#[test]
fn a_virtual_name_is_satisfied_by_its_provider() {
    let fixture = Fixture::new(&[], &["mawk 1.3 install ok installed / awk (= 1), other"]);
    let mawk = |version| Offer {
        provides: vec!["awk".into()],
        ..Offer::new("mawk", version)
    };
    fixture.apt().offers.push(mawk("1.3"));
    let latest = package(json!({"name": "awk", "state": "latest"}));
    assert_in_sync(&named("awk"), &fixture.host);
    assert_in_sync(&latest, &fixture.host);
    fixture.apt().offers.push(mawk("1.4"));
    fixture.apt().offers.remove(0);
    assert_eq!(
        lines(&converge(&latest, &fixture.host)),
        ["version of mawk: 1.3 -> 1.4"]
    );
    // With nothing installed the one provider there is comes.
    let fixture = Fixture::new(&[], &[]);
    fixture.apt().offers.push(mawk("1.3"));
    converge(&named("awk"), &fixture.host);
    assert!(fixture.status().contains("Package: mawk"));
}

#[test]
fn a_held_package_is_left_as_it_is() {
    let fixture = Fixture::new(&[("jq", "1.7")], &["jq 1.6 hold ok installed"]);
    assert_in_sync(&named("jq"), &fixture.host);
    assert_in_sync(
        &package(json!({"name": "jq", "state": "latest"})),
        &fixture.host,
    );
    for change in [
        json!({"name": "jq", "version": "1.7"}),
        json!({"name": "jq", "state": "absent"}),
    ] {
        let error = refused(&package(change), &fixture.host);
        assert!(error.to_string().contains("apt-mark unhold"), "{error}");
    }
}

#[test]
fn what_was_interrupted_is_finished_first() {
    let fixture = Fixture::new(
        &[("jq", "1.6"), ("sl", "5")],
        &["jq 1.6 install ok half-configured"],
    );
    let entry = status(&["tree 2 install ok unpacked"]);
    fixture
        .host
        .edit(|files| files.write("/var/lib/dpkg/updates/0001", entry));
    let tree = observe(&named("tree"), fixture.host.as_probe()).unwrap();
    assert_eq!(
        lines(&tree.shown),
        ["state: broken (unpacked) -> installed"]
    );
    converge(&named("sl"), &fixture.host);
    assert_in_sync(&named("jq"), &fixture.host);
    assert_in_sync(&named("tree"), &fixture.host);
}

#[test]
fn one_that_nobody_offers_does_not_hold_up_the_others() {
    let fixture = Fixture::new(&[("sl", "5")], &[]);
    let specs = [
        named("nosuch"),
        named("sl"),
        package(json!({"name": "sl2", "version": "9"})),
    ];
    let outcomes = enforce_batch(&specs.each_ref(), &fixture.host);
    let [
        Enforced::Failed { error, .. },
        Enforced::Changed(_),
        Enforced::Failed { .. },
    ] = &outcomes[..]
    else {
        panic!("{outcomes:?}");
    };
    assert!(
        error
            .to_string()
            .contains("no repository of this host offers it"),
        "{error}"
    );
}

#[test]
fn old_lists_are_refreshed_once() {
    let fixture = Fixture::new(&[], &[]);
    fixture.apt().published.push(Offer::new("fresh", "1"));
    let Enforced::Changed(_) = enforce(&named("fresh"), &fixture.host) else {
        panic!()
    };
    assert_in_sync(&named("fresh"), &fixture.host);
}

#[test]
fn a_failing_script_fails_its_package_only() {
    let fixture = Fixture::new(&[("bad", "1"), ("good", "1")], &[]);
    fixture.apt().failing.insert("bad".into());
    let outcomes = enforce_batch(&[&named("bad"), &named("good")], &fixture.host);
    let [Enforced::Failed { error, .. }, Enforced::Changed(_)] = &outcomes[..] else {
        panic!("{outcomes:?}");
    };
    assert!(
        error.to_string().contains("returned an error code"),
        "{error}"
    );
    assert!(
        !observe(&named("bad"), fixture.host.as_probe())
            .unwrap()
            .in_sync()
    );
}

#[test]
fn who_holds_the_lock_is_told() {
    let fixture = Fixture::new(&[("sl", "5"), ("jq", "1")], &[]);
    fixture.apt().lock_holder = Some(4711);
    for outcome in enforce_batch(&[&named("sl"), &named("jq")], &fixture.host) {
        let Enforced::Failed { error, .. } = outcome else {
            panic!("{outcome:?}")
        };
        assert!(error.to_string().contains("process 4711"), "{error}");
    }
}

#[test]
fn a_name_that_apt_would_take_for_a_pattern_is_refused() {
    let fixture = Fixture::new(&[("python3x11", "1")], &[]);
    let Enforced::Failed { error, .. } = enforce(&named("python3.11"), &fixture.host) else {
        panic!()
    };
    assert!(error.to_string().contains("pattern"), "{error}");
    assert_eq!(fixture.apt().transactions, 0);
    refused(&named("nginx-"), &fixture.host);
}

#[test]
fn a_host_without_apt_is_never_in_sync() {
    let host = FakeHost::new();
    host.lack(Facility::Apt, "no apt here");
    for state in ["installed", "absent"] {
        let error = refused(&package(json!({"name": "sl", "state": state})), &host);
        assert!(matches!(error, HostError::Unsupported(_)));
    }
}
