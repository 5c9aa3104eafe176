//! Who joins and leaves groups when the repo changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_schemas::HostName;
use serde::Serialize;

use super::Standing;
use super::members::decide;
use crate::compile::HostInput;
use crate::site::{Group, Site};

/// What a change of the repo does to its groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preview {
    /// How many hosts were looked at: those that either state of the repo knows by name.
    pub hosts: usize,
    /// The groups that change, by name.
    pub changes: Vec<GroupChange>,
}

/// What changes about a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GroupChange {
    /// The group.
    pub group: Arc<str>,
    /// Whether the group is new.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub added: bool,
    /// Whether the group is gone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
    /// Its tier and priority before, where they are others now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<(Arc<str>, i64)>,
    /// Its tier and priority now, where they were others before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<(Arc<str>, i64)>,
    /// Who joins.
    pub joins: Vec<HostName>,
    /// Who leaves.
    pub leaves: Vec<HostName>,
    /// Of whom it cannot be known whether they join or leave, for want of facts say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<HostName>,
}

/// Compares two states of a site; `input` says what is known of a host.
pub fn preview(before: &Site, after: &Site, input: impl Fn(&HostName) -> HostInput) -> Preview {
    let (old, new) = (before.known_hosts(), after.known_hosts());
    let hosts: BTreeSet<&HostName> = old.union(&new).collect();
    let mut changes: BTreeMap<Arc<str>, GroupChange> = BTreeMap::new();
    declared(before, after, &mut changes);
    for host in &hosts {
        let input = input(host);
        let was = old.contains(*host).then(|| standings(before, &input));
        let is = new.contains(*host).then(|| standings(after, &input));
        let (was, is) = (was.unwrap_or_default(), is.unwrap_or_default());
        let names: BTreeSet<&Arc<str>> = was.keys().chain(is.keys()).collect();
        for name in names {
            let of = |all: &BTreeMap<Arc<str>, Standing>| {
                all.get(name).copied().unwrap_or(Standing::Out)
            };
            let (was, is) = (of(&was), of(&is));
            if was == is {
                continue;
            }
            let change = changes
                .entry(Arc::clone(name))
                .or_insert_with(|| GroupChange {
                    group: Arc::clone(name),
                    ..GroupChange::default()
                });
            let list = match (was, is) {
                (Standing::Unknown, _) | (_, Standing::Unknown) => &mut change.unknown,
                (_, Standing::In) => &mut change.joins,
                _ => &mut change.leaves,
            };
            list.push((*host).clone());
        }
    }
    Preview {
        hosts: hosts.len(),
        changes: changes.into_values().collect(),
    }
}

/// The groups that a host is or may be in.
fn standings(site: &Site, input: &HostInput) -> BTreeMap<Arc<str>, Standing> {
    let groups = site.parts.groups.iter();
    let standing = groups.zip(decide(&site.parts, input).standing);
    let told = standing.filter(|(_, standing)| *standing != Standing::Out);
    told.map(|(group, standing)| (Arc::clone(&group.name), standing))
        .collect()
}

/// Groups that are new, gone, or of another tier or priority.
fn declared(before: &Site, after: &Site, changes: &mut BTreeMap<Arc<str>, GroupChange>) {
    let by_name = |site: &'_ Site| -> BTreeMap<Arc<str>, (Arc<str>, i64)> {
        let place = |group: &Group| (Arc::clone(&group.tier), group.priority);
        let groups = site.parts.groups.iter();
        groups
            .map(|group| (Arc::clone(&group.name), place(group)))
            .collect()
    };
    let (old, new) = (by_name(before), by_name(after));
    let names: BTreeSet<&Arc<str>> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (was, is) = (old.get(name), new.get(name));
        if was == is {
            continue;
        }
        let moved = was.is_some() && is.is_some();
        let change = GroupChange {
            group: Arc::clone(name),
            added: was.is_none(),
            removed: is.is_none(),
            moved_from: was.filter(|_| moved).cloned(),
            moved_to: is.filter(|_| moved).cloned(),
            ..GroupChange::default()
        };
        changes.insert(Arc::clone(name), change);
    }
}
