//! Why a host is in a group, or not.

use std::sync::Arc;

use serde::Serialize;

use super::members::{decide, sought};
use crate::compile::HostInput;
use crate::render::conditions;
use crate::site::{Group, Parts, Site, Sought};

/// How a host stands to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is a member.
    In,
    /// It is none.
    Out,
    /// That depends on something that is not known, such as its facts.
    Unknown,
}

/// How a host stands to a group, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupStanding {
    /// The group.
    pub group: Arc<str>,
    /// Its tier.
    pub tier: Arc<str>,
    /// Its priority within the tier.
    pub priority: i64,
    /// How the host stands to it.
    pub standing: Standing,
    /// What speaks for and against it, in the order listed, excluded, nested, matched.
    pub because: Vec<Reason>,
}

/// Something that speaks for or against a host's being in a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Reason {
    /// An entry of `hosts:` holds for it.
    Listed {
        /// The entry as written.
        entry: String,
        /// `file:line:column`.
        place: String,
    },
    /// An entry of `exclude:` holds for it, and that decides.
    Excluded {
        /// The entry as written.
        entry: String,
        /// `file:line:column`.
        place: String,
    },
    /// It is in another group, whose members are members.
    Nested {
        /// The other group.
        group: Arc<str>,
        /// `file:line:column`.
        place: String,
    },
    /// The group has a `match`.
    Match {
        /// The expression as written.
        expression: String,
        /// `file:line:column`.
        place: String,
        /// Whether it holds; absent where that is not known.
        #[serde(skip_serializing_if = "Option::is_none")]
        holds: Option<bool>,
        /// What stands between its `and` and `or`.
        conditions: Vec<Condition>,
        /// Why it cannot be known whether it holds.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
}

/// A part of a `match`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// As written.
    pub text: String,
    /// Whether it holds; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
}

impl Site {
    /// How a host stands to every group, by tier, priority and name, and why.
    pub fn standing(&self, host: &HostInput) -> Vec<GroupStanding> {
        let parts = &self.parts;
        let decided = decide(parts, host);
        let sought = sought(parts, host);
        let groups = parts.groups.iter().enumerate();
        let all = groups.map(|(place, group)| {
            let standing = decided.standing[place];
            let mut because = lists(group, &sought);
            because.extend(nested(parts, place, &decided.standing));
            because.extend(matched(parts, group, &decided));
            GroupStanding {
                group: Arc::clone(&group.name),
                tier: Arc::clone(&group.tier),
                priority: group.priority,
                standing,
                because,
            }
        });
        all.collect()
    }
}

fn lists(group: &Group, host: &Sought<'_>) -> Vec<Reason> {
    let listed = group.hosts.entry(host).map(|span| Reason::Listed {
        entry: group.hosts.text(span),
        place: span.to_string(),
    });
    let excluded = group.exclude.entry(host).map(|span| Reason::Excluded {
        entry: group.exclude.text(span),
        place: span.to_string(),
    });
    listed.into_iter().chain(excluded).collect()
}

fn nested(parts: &Parts, place: usize, standing: &[Standing]) -> Vec<Reason> {
    let others = parts.order.nested[place].iter();
    let others = others.filter(|(other, _)| standing[*other] == Standing::In);
    let reasons = others.map(|(other, span)| Reason::Nested {
        group: Arc::clone(&parts.groups[*other].name),
        place: span.to_string(),
    });
    reasons.collect()
}

fn matched(parts: &Parts, group: &Group, decided: &super::Decided) -> Option<Reason> {
    let id = group.matching?;
    let engine = &parts.engine;
    let text = engine.text(id);
    let result = engine.eval(id, &decided.context);
    let holds = result.as_ref().ok().map(|value| value.is_true());
    let error = result.err().map(|failing| {
        let recorded = failing
            .recorded
            .and_then(|number| decided.wrong.get(number));
        match recorded {
            Some(told) => told.message.clone(),
            None => decided.scope().diagnostic(failing).message,
        }
    });
    let parts = conditions(text).into_iter().map(|range| {
        let part = text.get(range).unwrap_or_default();
        Condition {
            text: part.to_owned(),
            holds: engine.holds(part, &decided.context),
        }
    });
    Some(Reason::Match {
        expression: text.to_owned(),
        place: engine.span(id).to_string(),
        holds,
        conditions: parts.collect(),
        error,
    })
}
