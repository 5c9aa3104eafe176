//! The groups of a site and who is in each.

use std::collections::BTreeSet;
use std::sync::Arc;

use holdfast_schemas::HostName;
use serde::Serialize;

use super::members::decide;
use super::{Order, Standing};
use crate::compile::HostInput;
use crate::site::{Group, Site};

/// A group and who is in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupRow {
    /// The group.
    pub group: Arc<str>,
    /// Its tier.
    pub tier: Arc<str>,
    /// Its priority within the tier.
    pub priority: i64,
    /// Its file.
    pub file: String,
    /// The tags it gives its members.
    pub tags: Vec<Arc<str>>,
    /// The roles it gives its members.
    pub roles: Vec<Arc<str>>,
    /// How many variables it sets.
    pub variables: usize,
    /// Whether who is in it can depend on facts, which hosts report of themselves.
    pub by_facts: bool,
    /// Whether anybody can be in it.
    pub reach: Reach,
    /// Who is in it.
    pub members: Vec<HostName>,
    /// Of whom that cannot be known, for want of facts say.
    pub unknown: Vec<HostName>,
}

/// Whether anybody can be in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Somebody is, or of somebody it cannot be known.
    Reached,
    /// None of the hosts that were looked at is; one that joins the fleet may be.
    Nobody,
    /// Nothing that the group says can hold for any host.
    Never,
}

impl Site {
    /// The groups by tier, priority and name, and which of the hosts given are in each.
    pub fn groups<'a>(&self, hosts: impl IntoIterator<Item = &'a HostInput>) -> Vec<GroupRow> {
        let parts = &self.parts;
        let never = never(&parts.groups, &parts.order, |group| {
            group
                .matching
                .is_some_and(|id| parts.engine.text(id).trim() != "false")
        });
        let rows = parts
            .groups
            .iter()
            .enumerate()
            .map(|(place, group)| GroupRow {
                group: Arc::clone(&group.name),
                tier: Arc::clone(&group.tier),
                priority: group.priority,
                file: group.place.path().to_owned(),
                tags: group.tags.clone(),
                roles: group
                    .file
                    .roles
                    .iter()
                    .map(|(role, _)| Arc::clone(role))
                    .collect(),
                variables: group.file.vars.as_map().map_or(0, |vars| vars.len()),
                by_facts: parts.order.by_facts[place],
                reach: match never.contains(&place) {
                    true => Reach::Never,
                    false => Reach::Nobody,
                },
                members: Vec::new(),
                unknown: Vec::new(),
            });
        let mut rows: Vec<GroupRow> = rows.collect();
        for host in hosts {
            for (row, standing) in rows.iter_mut().zip(decide(parts, host).standing) {
                match standing {
                    Standing::In => row.members.push(host.name.clone()),
                    Standing::Unknown => row.unknown.push(host.name.clone()),
                    Standing::Out => continue,
                }
                row.reach = Reach::Reached;
            }
        }
        rows
    }

    /// Hosts that the repo knows by name: those it declares, and those that groups list.
    pub fn known_hosts(&self) -> BTreeSet<HostName> {
        let groups = self.parts.groups.iter();
        let listed = groups.flat_map(|group| group.hosts.written());
        let listed = listed.filter_map(|(name, _)| name.parse().ok());
        self.hosts().cloned().chain(listed).collect()
    }
}

/// Groups that nobody can ever be in.
fn never(groups: &[Group], order: &Order, matches: impl Fn(&Group) -> bool) -> BTreeSet<usize> {
    let mut never = BTreeSet::new();
    for &place in &order.sequence {
        let group = &groups[place];
        let mut nested = order.nested[place].iter();
        let empty = group.hosts.is_empty() && !matches(group);
        if empty && nested.all(|(other, _)| never.contains(other)) {
            never.insert(place);
        }
    }
    never
}
