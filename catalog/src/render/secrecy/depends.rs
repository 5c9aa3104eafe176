//! What depends on facts: which variables, and which parts of a host's record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How a value depends on facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Depends {
    /// It does not.
    #[default]
    Not,
    /// Something in it does; what there is in it does not.
    Within,
    /// Something in it does, or it does itself.
    Mixed,
    /// It does itself.
    Itself,
}

impl Depends {
    /// Of a value put together from values of which one depends so.
    pub(super) fn within(self) -> Self {
        self.min(Self::Within)
    }

    /// Of text in which a value that depends so was printed, secrets beside it.
    pub(super) fn mixed(self) -> Self {
        match self {
            Self::Not => Self::Not,
            Self::Within | Self::Mixed | Self::Itself => Self::Mixed,
        }
    }

    /// Of something in a value that depends so.
    pub(super) fn part(self) -> Self {
        match self {
            Self::Within => Self::Mixed,
            other => other,
        }
    }

    /// Of a value worked out from values of which one depends so.
    pub(super) fn throughout(self) -> Self {
        match self {
            Self::Not => Self::Not,
            Self::Within | Self::Mixed | Self::Itself => Self::Itself,
        }
    }

    /// Of what there is in a value that depends so: how many, and under which names.
    pub(super) fn outline(self) -> Self {
        match self {
            Self::Not | Self::Within => Self::Not,
            Self::Mixed | Self::Itself => Self::Itself,
        }
    }
}

/// A step of a path to any one item of a list.
pub(crate) const ITEM: &str = "[]";

/// What depends on facts in a site.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct ByFacts {
    /// Paths of variables.
    pub(crate) variables: BTreeSet<Vec<Arc<str>>>,
    /// The groups, roles and tags that facts give to hosts, by the attribute of the record that
    /// lists them.
    pub(crate) record: BTreeMap<&'static str, BTreeSet<Arc<str>>>,
    /// Files whose values apply only to hosts that facts choose.
    pub(crate) files: BTreeSet<String>,
    /// Roles that are included where facts decide, or by such roles.
    pub(crate) included: BTreeSet<Arc<str>>,
    /// What such an include gives: programs, by their places.
    pub(crate) given: BTreeSet<usize>,
}

impl ByFacts {
    /// How what stands at a path depends; `role` is the role whose parameters `params` are.
    pub(super) fn path(&self, path: &[&str], role: Option<&str>) -> Depends {
        match (path, role) {
            (["facts", ..], _) => Depends::Itself,
            (["host"], _) if !self.record.is_empty() => Depends::Within,
            (["host", list, ..], _) if self.record.contains_key(list) => Depends::Itself,
            (["host" | "inventory_hostname", ..], _) => Depends::Not,
            (["global", rest @ ..], _) => self.variable(rest),
            (["params", rest @ ..], Some(role)) => {
                let path: Vec<&str> = [role].into_iter().chain(rest.iter().copied()).collect();
                self.variable(&path)
            }
            _ => self.variable(path),
        }
    }

    /// Whether it depends on facts that a list of the record holds a word.
    pub(crate) fn listed(&self, list: &str, word: &str) -> bool {
        self.record
            .get(list)
            .is_some_and(|words| words.contains(word))
    }

    fn variable(&self, path: &[&str]) -> Depends {
        let starts =
            |long: &[Arc<str>], short: &[&str]| short.iter().zip(long).all(|(a, b)| **a == **b);
        let mut depends = Depends::Not;
        for known in &self.variables {
            if starts(known, path) {
                depends = depends.max(match known.len() <= path.len() {
                    true => Depends::Itself,
                    false => Depends::Within,
                });
            }
        }
        depends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_depends_at_below_and_above() {
        let path = |text: &str| -> Vec<Arc<str>> { text.split('.').map(Arc::from).collect() };
        let by_facts = ByFacts {
            variables: BTreeSet::from([path("mongodb.cache"), path("r.list.[].port")]),
            record: BTreeMap::from([("groups", BTreeSet::from(["big".into()]))]),
            ..ByFacts::default()
        };
        let of = |text: &str| {
            let path: Vec<&str> = text.split('.').collect();
            by_facts.path(&path, Some("r"))
        };
        for (text, depends) in [
            ("facts.os", Depends::Itself),
            ("mongodb", Depends::Within),
            ("mongodb.cache", Depends::Itself),
            ("mongodb.cache.size", Depends::Itself),
            ("mongodb.password", Depends::Not),
            ("global.mongodb.cache", Depends::Itself),
            ("params.list", Depends::Within),
            ("params.list.[].port", Depends::Itself),
            ("params.list.[].name", Depends::Not),
            ("host", Depends::Within),
            ("host.groups", Depends::Itself),
            ("host.idc", Depends::Not),
            ("inventory_hostname", Depends::Not),
        ] {
            assert_eq!(of(text), depends, "{text}");
        }
        assert!(by_facts.listed("groups", "big") && !by_facts.listed("groups", "web"));
    }
}
