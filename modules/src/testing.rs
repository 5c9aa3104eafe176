//! What the tests of several modules share: a fake host and short ways to write a specification.
#![allow(clippy::unwrap_used, clippy::panic)]

use holdfast_schemas::resource::{Kind, Spec};
use serde_json::Value;

use crate::Shown;
use crate::harness::{Enforced, enforce, observe};
use crate::host::fake::FakeHost;
use crate::host::{Host, HostError};

/// A specification from the JSON that a catalog holds.
pub(crate) fn spec(kind: Kind, json: Value) -> Spec {
    Spec::from_value(kind, json).unwrap()
}

/// The three runs that every case gets: a look that changes nothing, the change it announced, and
/// a second run that changes nothing.
pub(crate) fn converge(spec: &Spec, host: &FakeHost) -> Shown {
    let before = host.files();
    let announced = observe(spec, host.as_probe()).unwrap();
    assert_eq!(host.files(), before, "a look changed something");
    let changed = match enforce(spec, host) {
        Enforced::Changed(shown) => shown,
        other => panic!("{other:?}"),
    };
    assert_eq!(announced.shown, changed);
    assert_in_sync(spec, host);
    changed
}

/// Nothing differs, and enforcing touches nothing.
pub(crate) fn assert_in_sync(spec: &Spec, host: &FakeHost) {
    let before = host.files();
    let outcome = enforce(spec, host);
    assert!(matches!(outcome, Enforced::InSync), "{outcome:?}");
    assert_eq!(host.files(), before, "a second run changed something");
}

/// Looking and enforcing refuse alike, and change nothing.
pub(crate) fn refused(spec: &Spec, host: &FakeHost) -> HostError {
    let before = host.files();
    let announced = observe(spec, host.as_probe()).unwrap_err();
    let error = match enforce(spec, host) {
        Enforced::Failed { tried: None, error } => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(announced.to_string(), error.to_string());
    assert_eq!(host.files(), before, "a refusal changed something");
    error
}

/// `property: from -> to`, one line for each change.
pub(crate) fn lines(shown: &Shown) -> Vec<String> {
    let none = "-".to_owned();
    let line = |change: &holdfast_schemas::report::Change| {
        let [from, to] = [&change.from, &change.to].map(|side| side.as_ref().unwrap_or(&none));
        format!("{}: {from} -> {to}", change.property)
    };
    shown.changes.iter().map(line).collect()
}
