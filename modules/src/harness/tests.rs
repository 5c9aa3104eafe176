#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cell::Cell;

use holdfast_schemas::resource::Kind;
use serde_json::json;

use super::{Enforced, enforce_batch, enforce_together, look};
use crate::host::fake::FakeHost;
use crate::host::{Host, HostError, Probe};
use crate::module::{Module, Proof, Work};
use crate::shown::Shown;
use crate::testing::spec;

/// A number that is to be 7.
struct Number {
    is: Cell<u8>,
    becomes: Result<u8, ()>,
    proof: Proof,
    transactions: Cell<u8>,
}

fn number(is: u8, becomes: Result<u8, ()>) -> Number {
    Number {
        is: Cell::new(is),
        becomes,
        proof: Proof::SecondLook,
        transactions: Cell::new(0),
    }
}

impl Module for Number {
    type Observed = u8;
    type Difference = u8;

    fn observe(&self, _: &dyn Probe) -> Result<u8, HostError> {
        Ok(self.is.get())
    }

    fn diff(&self, is: &u8) -> Result<Vec<u8>, HostError> {
        match is {
            0 => Err(HostError::refused("zero", "is refused")),
            7 => Ok(Vec::new()),
            other => Ok(vec![*other]),
        }
    }

    fn apply(&self, _: &u8, _: &[u8], _: &dyn Host) -> Result<(), HostError> {
        let failed = |()| HostError::Unsupported("it does not become anything".into());
        self.is.set(self.becomes.map_err(failed)?);
        Ok(())
    }

    fn apply_together(work: &[Work<'_, Self>], host: &dyn Host) -> Vec<Result<(), HostError>> {
        let first = work.first().unwrap().spec;
        first.transactions.set(first.transactions.get() + 1);
        let apply = |one: &Work<'_, Self>| one.spec.apply(one.observed, one.differences, host);
        work.iter().map(apply).collect()
    }

    fn show(&self, _: &u8, differences: &[u8]) -> Shown {
        let mut shown = Shown::default();
        for difference in differences {
            shown.push("number", Some(difference.to_string()), Some("7".into()));
        }
        shown
    }

    fn proof(&self) -> Proof {
        self.proof
    }
}

#[test]
fn every_ending_is_told_apart_and_each_resource_gets_its_own() {
    let resources = [
        number(7, Err(())),
        number(1, Ok(7)),
        number(0, Ok(7)),
        number(2, Ok(3)),
        number(4, Err(())),
        number(5, Ok(7)),
    ];
    let modules: Vec<&Number> = resources.iter().collect();
    let outcomes = enforce_together(&modules, &FakeHost::new());
    let [
        Enforced::InSync,
        Enforced::Changed(one),
        Enforced::Failed { tried: None, .. },
        Enforced::NotConverged { tried, left },
        Enforced::Failed {
            tried: Some(four), ..
        },
        Enforced::Changed(_),
    ] = &outcomes[..]
    else {
        panic!("{outcomes:?}");
    };
    let from = |shown: &Shown| shown.changes[0].from.clone().unwrap();
    assert_eq!([one, tried, left, four].map(from), ["1", "2", "3", "4"]);
    let transactions: u8 = resources.iter().map(|one| one.transactions.get()).sum();
    assert_eq!(transactions, 1);
}

#[test]
fn nothing_to_do_is_no_transaction() {
    let settled = number(7, Err(()));
    let outcomes = enforce_together(&[&settled, &settled], &FakeHost::new());
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Enforced::InSync))
    );
    assert_eq!(settled.transactions.get(), 0);
}

#[test]
fn what_is_taken_at_its_word_is_not_looked_at_again() {
    let mut always = number(1, Ok(1));
    always.proof = Proof::ItsWord;
    let outcomes = enforce_together(&[&always], &FakeHost::new());
    assert!(
        matches!(outcomes[..], [Enforced::Changed(_)]),
        "{outcomes:?}"
    );
}

#[test]
fn a_look_is_no_change() {
    let differs = number(1, Ok(7));
    let host = FakeHost::new();
    assert!(!look(&differs, host.as_probe()).unwrap().in_sync());
    assert_eq!(differs.is.get(), 1);
}

#[test]
fn a_batch_of_several_types_keeps_its_order() {
    let host = FakeHost::new();
    let folder = spec(Kind::Directory, json!({"path": "/srv"}));
    let first = spec(Kind::File, json!({"path": "/srv/a"}));
    let second = spec(Kind::File, json!({"path": "/no/b"}));
    let outcomes = enforce_batch(&[&folder, &first, &second], &host);
    let [
        Enforced::Changed(_),
        Enforced::Changed(_),
        Enforced::Failed { .. },
    ] = &outcomes[..]
    else {
        panic!("{outcomes:?}");
    };
    assert!(host.files().get("/srv/a").is_some());
    assert!(enforce_batch(&[], &host).is_empty());
}
