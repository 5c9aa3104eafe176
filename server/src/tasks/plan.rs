//! From what compilation gave to the steps it calls for. Pure.

use holdfast_catalog::Diagnostics;

use crate::assign::Step;
use crate::compile::{Enrolled, Outcome, Wanted};
use crate::fleet::blame::{Fate, HeldBefore, Tried};

/// Most bytes of a reason why a host is held: it stands in every list of hosts.
const MAX_REASON: usize = 600;

/// Most bytes of the diagnostics of a refused revision.
const MAX_DIAGNOSTICS: usize = 64 * 1024;

/// The step that an outcome calls for; none if the host has what it is to have.
pub(super) fn step(wanted: &Wanted, outcome: &Outcome) -> Option<Step> {
    let enrolled = wanted.enrolled.as_ref()?;
    let release = enrolled.held.as_ref().map(|_| Step::Release);
    match outcome {
        Outcome::Compiled(body) if !enrolled.has(body) => Some(Step::Assign(body.clone())),
        Outcome::Compiled(_) | Outcome::WaitsForFacts => release,
        Outcome::FailsByFacts(wrong) | Outcome::Fails(wrong) => hold(enrolled, reason(wrong)),
        Outcome::NoSealingKey => hold(enrolled, no_sealing_key(wanted)),
        Outcome::FactsDamaged => Some(Step::AskForFacts(FACTS_DAMAGED.to_owned())),
    }
}

/// Holds a host for a reason, unless it is held for it already.
fn hold(enrolled: &Enrolled, reason: String) -> Option<Step> {
    (enrolled.held.as_ref() != Some(&reason)).then_some(Step::Hold(reason))
}

/// Why a host is held whose facts cannot be read.
const FACTS_DAMAGED: &str =
    "what the server stored of its facts is damaged; its agent is asked for them again";

/// Why a host is held that has no key to seal secrets to.
fn no_sealing_key(wanted: &Wanted) -> String {
    format!(
        "its catalog holds secrets and its agent gave no key to seal them to; upgrade the agent \
         and enrol it again (`holdfast token create --host {}`)",
        wanted.name
    )
}

/// A host as the judgement about a revision sees it.
pub(super) fn tried(wanted: &Wanted, outcome: &Outcome, declared: bool) -> Tried {
    let held = wanted
        .enrolled
        .as_ref()
        .is_some_and(|enrolled| enrolled.held.is_some());
    Tried {
        name: wanted.name.clone(),
        fate: match outcome {
            Outcome::Compiled(_) => Fate::Compiles,
            // What is wrong is the host's own and no matter of the commit.
            Outcome::NoSealingKey => Fate::Compiles,
            Outcome::WaitsForFacts | Outcome::FactsDamaged => Fate::WaitsForFacts,
            _ if !declared => Fate::Undeclared,
            Outcome::FailsByFacts(_) => Fate::FailsByFacts,
            Outcome::Fails(_) => Fate::Fails,
        },
        held_before: if held {
            HeldBefore::Yes
        } else {
            HeldBefore::No
        },
    }
}

/// The first thing that is wrong, as it stands in a list.
fn reason(wrong: &Diagnostics) -> String {
    let first = wrong.iter().next();
    let text = first.map_or_else(String::new, |first| {
        let place = first.labels.first().map(|label| label.span.to_string());
        match place {
            Some(place) => format!("{place}: {}", first.message),
            None => first.message.clone(),
        }
    });
    cut(text, MAX_REASON)
}

/// Diagnostics as a person reads them, bounded.
pub(super) fn text(wrong: Diagnostics) -> String {
    let text = wrong.sorted().render(holdfast_catalog::Paint::Plain);
    cut(text, MAX_DIAGNOSTICS)
}

fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let mut end = most;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(" … (cut)");
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use holdfast_schemas::Digest;
    use holdfast_schemas::secret::SealingKey;

    use super::*;
    use crate::assign::Body;
    use crate::compile::Given;

    fn host(body: Option<&str>, held: Option<&str>) -> Wanted {
        Wanted {
            name: "h1".parse().unwrap(),
            enrolled: Some(Enrolled {
                facts: None,
                given: body.map(|body| given(body, None)),
                sealing_key: None,
                held: held.map(str::to_owned),
            }),
        }
    }

    fn compiled(body: &str) -> Outcome {
        Outcome::Compiled(Body {
            digest: Digest::of(body),
            size: 1,
            features: Vec::new(),
            sealed: BTreeMap::new(),
            sealed_to: None,
        })
    }

    fn given(body: &str, sealed_to: Option<SealingKey>) -> Given {
        let body = Digest::of(body);
        Given { body, sealed_to }
    }

    #[test]
    fn a_body_that_is_sealed_to_another_key_is_given_anew() {
        let (before, after) = (SealingKey([1; 32]), SealingKey([2; 32]));
        let mut host = host(None, None);
        let mut compiled = compiled("a");
        if let (Some(enrolled), Outcome::Compiled(body)) = (&mut host.enrolled, &mut compiled) {
            enrolled.given = Some(given("a", Some(before)));
            body.sealed_to = Some(before);
        }
        assert_eq!(step(&host, &compiled), None);
        if let Outcome::Compiled(body) = &mut compiled {
            body.sealed_to = Some(after);
        }
        assert!(matches!(step(&host, &compiled), Some(Step::Assign(_))));
    }

    #[test]
    fn a_host_whose_secrets_cannot_be_sealed_is_held_and_vetoes_nothing() {
        let mut host = host(Some("a"), None);
        let Some(Step::Hold(reason)) = step(&host, &Outcome::NoSealingKey) else {
            unreachable!("it is held");
        };
        assert!(reason.contains("token create --host h1"), "{reason}");
        host.enrolled.as_mut().unwrap().held = Some(reason);
        assert_eq!(step(&host, &Outcome::NoSealingKey), None);
        let tried = tried(&host, &Outcome::NoSealingKey, true);
        assert_eq!(tried.fate, Fate::Compiles);
    }

    #[test]
    fn a_host_whose_facts_are_damaged_is_asked_for_them_and_vetoes_nothing() {
        let host = host(Some("a"), None);
        let asked = step(&host, &Outcome::FactsDamaged);
        assert!(matches!(asked, Some(Step::AskForFacts(_))));
        let tried = tried(&host, &Outcome::FactsDamaged, true);
        assert_eq!(tried.fate, Fate::WaitsForFacts);
    }

    #[test]
    fn only_what_changes_is_a_step() {
        assert_eq!(step(&host(Some("a"), None), &compiled("a")), None);
        assert_eq!(
            step(&host(Some("a"), Some("x")), &compiled("a")),
            Some(Step::Release)
        );
        for before in [None, Some("b")] {
            let step = step(&host(before, None), &compiled("a"));
            assert!(matches!(step, Some(Step::Assign(_))));
        }
        let wrong = Outcome::FailsByFacts(Diagnostics::new());
        assert_eq!(
            step(&host(None, None), &wrong),
            Some(Step::Hold(String::new()))
        );
        assert_eq!(step(&host(None, Some("")), &wrong), None);
        let declared = Wanted {
            name: "h2".parse().unwrap(),
            enrolled: None,
        };
        assert_eq!(step(&declared, &compiled("a")), None);
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(cut("ääää".to_owned(), 5), "ää … (cut)");
        assert_eq!(cut("ab".to_owned(), 2), "ab");
    }
}
