//! From what compilation gave to the steps it calls for. Pure.

use holdfast_catalog::Diagnostics;

use crate::assign::Step;
use crate::compile::{Outcome, Wanted};
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
        Outcome::Compiled(body) if enrolled.body != Some(body.digest) => {
            Some(Step::Assign(body.clone()))
        }
        Outcome::Compiled(_) | Outcome::WaitsForFacts => release,
        Outcome::FailsByFacts(wrong) | Outcome::Fails(wrong) => {
            let reason = reason(wrong);
            (enrolled.held.as_ref() != Some(&reason)).then_some(Step::Hold(reason))
        }
    }
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
            Outcome::WaitsForFacts => Fate::WaitsForFacts,
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

    use holdfast_schemas::Digest;

    use super::*;
    use crate::assign::Body;
    use crate::compile::Enrolled;

    fn host(body: Option<&str>, held: Option<&str>) -> Wanted {
        Wanted {
            name: "h1".parse().unwrap(),
            enrolled: Some(Enrolled {
                facts: None,
                body: body.map(Digest::of),
                held: held.map(str::to_owned),
            }),
        }
    }

    fn compiled(body: &str) -> Outcome {
        Outcome::Compiled(Body {
            digest: Digest::of(body),
            size: 1,
            features: Vec::new(),
        })
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
