//! Whether a host could have two roles, though none has both today.
//!
//! Lists of names are as they are: two roles meet by them only where they do today. Patterns and
//! conditions take in hosts that are still to come, unless they exclude each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::titles::{Includes, reached};
use crate::render::demanded;
use crate::site::{Group, Parts, Role, VarFile, is_pattern};

/// What gives a role to hosts.
#[derive(Clone, Copy)]
enum Giver<'p> {
    Everybody,
    /// A host's own file.
    Host(&'p str),
    /// A group, by its place.
    Group(usize),
}

/// Whether a host could have two roles.
pub(super) fn could_meet(parts: &Parts, one: &Role, other: &Role) -> bool {
    let others = givers(parts, other);
    let mut ones = givers(parts, one).into_iter();
    ones.any(|one| others.iter().any(|other| meet(parts, one, *other)))
}

fn givers<'p>(parts: &'p Parts, role: &Role) -> Vec<Giver<'p>> {
    let all = parts.roles.values();
    let brings = all.filter(|one| {
        let mut reached = reached(one, &parts.roles, Includes::Certain).into_iter();
        reached.any(|one| one.name == role.name)
    });
    let brings: BTreeSet<&str> = brings.map(|one| &*one.name).collect();
    let gives = |file: &VarFile| file.roles.iter().any(|(name, _)| brings.contains(&**name));
    let everybody = gives(&parts.globals).then_some(Giver::Everybody);
    let groups = parts.groups.iter().enumerate();
    let groups = groups.filter(|(_, group)| gives(&group.file));
    let hosts = parts.hosts.iter().filter(|(_, host)| gives(&host.file));
    everybody
        .into_iter()
        .chain(groups.map(|(place, _)| Giver::Group(place)))
        .chain(hosts.map(|(name, _)| Giver::Host(name.as_str())))
        .collect()
}

fn meet(parts: &Parts, one: Giver<'_>, other: Giver<'_>) -> bool {
    match (one, other) {
        (Giver::Everybody, _) | (_, Giver::Everybody) => true,
        (Giver::Host(one), Giver::Host(other)) => one == other,
        // Whoever is in it is in it today, unless facts decide.
        (Giver::Host(_), Giver::Group(group)) | (Giver::Group(group), Giver::Host(_)) => {
            parts.order.by_facts[group]
        }
        (Giver::Group(one), Giver::Group(other)) if one == other => true,
        (Giver::Group(one), Giver::Group(other)) => {
            let by_facts = parts.order.by_facts[one] || parts.order.by_facts[other];
            let (one, other) = (&parts.groups[one], &parts.groups[other]);
            let open = is_open(one) && is_open(other);
            (open || by_facts) && !exclude_each_other(parts, one, other)
        }
    }
}

/// Whether hosts that are still to come may be in a group.
fn is_open(group: &Group) -> bool {
    group.matching.is_some() || !group.nested.is_empty() || group.hosts.rules().next().is_some()
}

fn exclude_each_other(parts: &Parts, one: &Group, other: &Group) -> bool {
    let listed = |group: &Group| group.matching.is_none() && group.nested.is_empty();
    let matched = |group: &Group| group.hosts.is_empty() && group.nested.is_empty();
    match (one.matching, other.matching) {
        (None, None) if listed(one) && listed(other) => begin_differently(one, other),
        (Some(first), Some(second)) if matched(one) && matched(other) => {
            let demands = |id| demanded(parts.engine.text(id));
            let others = demands(second);
            demands(first).iter().any(|(path, value)| {
                let mut same = others.iter().filter(|(other, _)| other == path);
                same.any(|(_, other)| other != value)
            })
        }
        _ => false,
    }
}

/// Whether no name can fit an entry of both lists: each begins otherwise than each of the other.
fn begin_differently(one: &Group, other: &Group) -> bool {
    let others = beginnings(other);
    beginnings(one).iter().all(|one| {
        let mut others = others.iter();
        others.all(|other| !one.starts_with(other.as_str()) && !other.starts_with(one.as_str()))
    })
}

/// How the names in a list begin.
fn beginnings(group: &Group) -> Vec<String> {
    let names = group
        .hosts
        .written()
        .map(|(name, _): (&Arc<str>, _)| name.to_string());
    let rules = group.hosts.rules().map(|rule| match is_pattern(rule) {
        true => rule
            .split(['*', '?', '['])
            .next()
            .unwrap_or_default()
            .to_owned(),
        // Addresses say nothing of names.
        false => String::new(),
    });
    names.chain(rules).collect()
}
