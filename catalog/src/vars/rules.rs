//! Which merge rule a variable has, and which mappings are not variables but hold them.
//!
//! A rule is declared once, for a pattern such as `nginx.*` (`*` is any one name). A mapping on the
//! way to a pattern, and the mapping that holds a role's parameters, is merged key by key: `nginx`
//! in a group and in a host set different parameters of the role without replacing each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::MergeRule;
use crate::diag::Span;

/// A pattern, its rule, and where it stands.
#[derive(Debug)]
struct Pattern {
    path: Vec<Arc<str>>,
    rule: MergeRule,
    span: Span,
}

/// The merge rules of a site.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    patterns: Vec<Pattern>,
    roles: BTreeSet<Arc<str>>,
}

impl Rules {
    /// Takes a rule; `false` where the pattern names no variable.
    pub(crate) fn add(&mut self, pattern: &str, rule: MergeRule, span: &Span) -> bool {
        let path: Vec<Arc<str>> = pattern.split('.').map(Arc::from).collect();
        let named = path.iter().all(|part| !part.is_empty());
        if named {
            let span = span.clone();
            self.patterns.push(Pattern { path, rule, span });
        }
        named
    }

    /// The patterns, and where they stand.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = (&[Arc<str>], &Span)> {
        let patterns = self.patterns.iter();
        patterns.map(|pattern| (&*pattern.path, &pattern.span))
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
            .map(|pattern| &pattern.path)
            .any(|pattern| pattern.len() > path.len() && matches(&pattern[..path.len()], path))
    }

    /// The rule of a variable.
    pub(crate) fn of(&self, path: &[Arc<str>]) -> MergeRule {
        self.best(path).map_or(MergeRule::Replace, |best| best.rule)
    }

    /// The pattern with the fewest `*` that holds for a variable, of these the first.
    fn best(&self, path: &[Arc<str>]) -> Option<&Pattern> {
        let stars = |pattern: &[Arc<str>]| pattern.iter().filter(|part| &***part == "*").count();
        let fitting = self
            .patterns
            .iter()
            .filter(|pattern| pattern.path.len() == path.len() && matches(&pattern.path, path));
        fitting.min_by_key(|pattern| stars(&pattern.path))
    }

    /// The rule that decides over a path: its own, or that of the variable it is a part of.
    pub(crate) fn deciding(&self, path: &[Arc<str>]) -> MergeRule {
        let variable = self.variable(path);
        variable.map_or(MergeRule::Deep, |variable| self.of(variable))
    }

    /// Where the rule stands that decides over a path.
    pub(crate) fn place(&self, path: &[Arc<str>]) -> Option<&Span> {
        self.best(self.variable(path)?).map(|best| &best.span)
    }

    /// The variable that a path is, or is a part of; none where it holds variables.
    fn variable<'p>(&self, path: &'p [Arc<str>]) -> Option<&'p [Arc<str>]> {
        let mut starts = (1..=path.len()).map(|length| &path[..length]);
        starts.find(|start| !self.holds_variables(start))
    }
}

fn matches(pattern: &[Arc<str>], path: &[Arc<str>]) -> bool {
    pattern
        .iter()
        .zip(path)
        .all(|(part, name)| &**part == "*" || part == name)
}
