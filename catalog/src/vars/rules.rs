//! Which merge rule a variable has, and which mappings are not variables but hold them.
//!
//! A rule is declared once, for a pattern such as `nginx.*` (`*` is any one name). A mapping on the
//! way to a pattern, and the mapping that holds a role's parameters, is merged key by key: `nginx`
//! in a group and in a host set different parameters of the role without replacing each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::MergeRule;

/// The merge rules of a site.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    patterns: Vec<(Vec<Arc<str>>, MergeRule)>,
    roles: BTreeSet<Arc<str>>,
}

impl Rules {
    /// Takes a rule; `false` where the pattern names no variable.
    pub(crate) fn add(&mut self, pattern: &str, rule: MergeRule) -> bool {
        let parts: Vec<Arc<str>> = pattern.split('.').map(Arc::from).collect();
        let named = parts.iter().all(|part| !part.is_empty());
        if named {
            self.patterns.push((parts, rule));
        }
        named
    }

    /// Makes a name hold the parameters of a role.
    pub(crate) fn split(&mut self, role: &Arc<str>) {
        self.roles.insert(Arc::clone(role));
    }

    /// Whether a path is that of a mapping which is merged key by key.
    pub(crate) fn holds_variables(&self, path: &[Arc<str>]) -> bool {
        let role = matches!(path, [name] if self.roles.contains(name));
        role || self
            .patterns
            .iter()
            .any(|(pattern, _)| pattern.len() > path.len() && matches(&pattern[..path.len()], path))
    }

    /// The rule of a variable: that of the pattern with the fewest `*`, of these the first.
    pub(crate) fn of(&self, path: &[Arc<str>]) -> MergeRule {
        let stars = |pattern: &[Arc<str>]| pattern.iter().filter(|part| &***part == "*").count();
        let fitting = self
            .patterns
            .iter()
            .filter(|(pattern, _)| pattern.len() == path.len() && matches(pattern, path));
        let best = fitting.min_by_key(|(pattern, _)| stars(pattern));
        best.map_or(MergeRule::Replace, |(_, rule)| *rule)
    }

    /// The rule that decides over a path: its own, or that of the variable it is a part of.
    pub(crate) fn deciding(&self, path: &[Arc<str>]) -> MergeRule {
        (1..=path.len())
            .find(|length| !self.holds_variables(&path[..*length]))
            .map_or(MergeRule::Deep, |length| self.of(&path[..length]))
    }
}

fn matches(pattern: &[Arc<str>], path: &[Arc<str>]) -> bool {
    pattern
        .iter()
        .zip(path)
        .all(|(part, name)| &**part == "*" || part == name)
}
