//! A group: the hosts it has by name, by match or by way of other groups, and what it gives them.

mod address;
mod hosts;
mod pattern;

pub(crate) use hosts::{HostList, Sought};
pub use pattern::glob;
pub(crate) use pattern::{Pattern, is_pattern};

use std::ops::Range;
use std::sync::Arc;

use super::fields::{Fields, text};
use super::settings::Settings;
use super::varfile::VarFile;
use super::yaml::{Node, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics, Source, Span, did_you_mean, listed};
use crate::render::{Kind, ProgramId, Programs};

/// A group of hosts.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: Arc<str>,
    pub(crate) tier: Arc<str>,
    pub(crate) tier_rank: usize,
    pub(crate) priority: i64,
    pub(crate) hosts: HostList,
    /// Groups whose members it has.
    pub(crate) nested: Vec<(Arc<str>, Span)>,
    pub(crate) matching: Option<ProgramId>,
    /// Hosts that are not in it, whatever else is said.
    pub(crate) exclude: HostList,
    pub(crate) tags: Vec<Arc<str>>,
    pub(crate) file: VarFile,
    /// All of its file.
    pub(crate) place: Span,
    /// Where its file says what its members get, and not who they are.
    beside_members: Vec<Range<usize>>,
}

/// The keys that do not say who is in a group; its tags do, of others.
const BESIDE_MEMBERS: [&str; 4] = ["description", "roles", "unset", "vars"];

impl Group {
    /// Reads `groups/NAME.yaml`.
    pub(crate) fn read(
        name: &str,
        node: &Node,
        settings: &Settings,
        (programs, wrong): (&mut Programs, &mut Diagnostics),
    ) -> Option<Self> {
        let mut fields = Fields::of(node, "a group", wrong)?;
        let (tier, tier_rank) = read_tier(&mut fields, settings, wrong);
        let hosts = fields.texts("hosts", wrong);
        let matching = fields.get("match").and_then(|field| {
            bare(
                &field.node,
                Kind::Match,
                "match",
                (&mut *programs, &mut *wrong),
            )
        });
        let nested = fields.texts("groups", wrong);
        let exclude = fields.texts("exclude", wrong);
        if !["hosts", "match", "groups"]
            .into_iter()
            .any(|key| fields.get(key).is_some())
        {
            let message = "a group needs `hosts`, `match` or `groups`";
            let told = Diagnostic::new(Code::MissingKey, message, &node.span);
            wrong.push(told.help("`hosts: []` is a group without hosts"));
        }
        let group = Self {
            name: name.into(),
            tier,
            tier_rank,
            priority: fields.integer("priority", wrong).unwrap_or(0),
            hosts: HostList::read(hosts, wrong),
            nested,
            matching,
            exclude: HostList::read(exclude, wrong),
            tags: fields
                .texts("tags", wrong)
                .into_iter()
                .map(|(tag, _)| tag)
                .collect(),
            file: VarFile::read(&mut fields, programs, wrong),
            place: node.span.clone(),
            beside_members: beside_members(node),
        };
        let _ = fields.get("description");
        fields.finish(wrong);
        Some(group)
    }

    /// Whether it has a host by a name or pattern that does not hold for every name.
    pub(crate) fn names(&self, host: &Sought<'_>) -> bool {
        self.hosts.names(host) && self.exclude.entry(host).is_none()
    }

    /// Whether a place of its file is in what does not say who its members are.
    pub(super) fn is_beside_members(&self, at: usize) -> bool {
        self.beside_members.iter().any(|range| range.contains(&at))
    }

    /// Its place among all groups; equal for groups between which nothing decides.
    pub(crate) fn rank(&self) -> (usize, i64) {
        (self.tier_rank, self.priority)
    }
}

/// From each key that is not about members to the next key.
fn beside_members(node: &Node) -> Vec<Range<usize>> {
    let Yaml::Map(map) = &node.value else {
        return Vec::new();
    };
    let begins = map.values().map(|field| field.key.range().start);
    let ends = begins.skip(1).chain([usize::MAX]);
    let ranges = map.iter().zip(ends);
    let ranges = ranges.filter(|((key, _), _)| BESIDE_MEMBERS.contains(&&***key));
    ranges
        .map(|((_, field), end)| field.key.range().start..end)
        .collect()
}

/// The tier and its rank; the highest where it is not said, or not one of them.
fn read_tier(
    fields: &mut Fields<'_>,
    settings: &Settings,
    wrong: &mut Diagnostics,
) -> (Arc<str>, usize) {
    let highest = settings.tiers.len() - 1;
    let unsaid = || (Arc::clone(&settings.tiers[highest]), highest);
    let Some((tier, span)) = fields.text("tier", wrong) else {
        return unsaid();
    };
    if let Some(rank) = settings.tiers.iter().position(|known| *known == tier) {
        return (tier, rank);
    }
    let known = || settings.tiers.iter().map(|tier| &**tier);
    let help = did_you_mean(&tier, known());
    let help = help.unwrap_or_else(|| format!("the tiers are {}", listed(known())));
    let message = format!("there is no tier `{tier}`");
    wrong.push(Diagnostic::new(Code::UnknownName, message, &span).help(help));
    unsaid()
}

/// A bare expression: `match`, `when`.
pub(super) fn bare(
    node: &Node,
    kind: Kind,
    key: &str,
    (programs, wrong): (&mut Programs, &mut Diagnostics),
) -> Option<ProgramId> {
    if let Yaml::Bool(value) = node.value {
        return Some(programs.add(kind, if value { "true" } else { "false" }, &node.span));
    }
    let (expression, span) = text(node, wrong)?;
    if expression.contains("{{") || expression.contains("{%") {
        let message = format!("`{key}` is an expression by itself");
        let inner = expression
            .trim()
            .trim_start_matches("{{")
            .trim_end_matches("}}");
        let told = Diagnostic::new(Code::Syntax, message, &span);
        wrong.push(told.help(format!("write `{key}: {}`", inner.trim())));
        return None;
    }
    Some(programs.add(kind, &expression, &span))
}

/// The text of a file and its stem, as `groups/NAME.yaml`.
pub(super) fn stem(source: &Source) -> &str {
    let name = source.path().rsplit('/').next().unwrap_or_default();
    name.strip_suffix(".yaml").unwrap_or(name)
}
