//! A host before its resources: groups, roles, record, layers, merged variables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_schemas::catalog::Enforcement;

use super::context::Chosen;
use super::included::{Given, included};
use crate::compile::HostInput;
use crate::diag::Diagnostics;
use crate::groups::{members, sought};
use crate::render::nonce;
use crate::site::{Group, Parts, Role, Site};
use crate::vars::HostState;

/// A host with everything that its resources depend on.
pub(crate) struct Prepared<'a> {
    pub(crate) state: Arc<HostState>,
    /// Those that the host is given, in the order in which they apply.
    pub(crate) roles: Vec<&'a Role>,
    /// Those of them, and of the roles that they include, that only facts bring, with what
    /// decides by facts.
    pub(super) chosen: BTreeMap<&'a str, Chosen>,
    pub(crate) mode: Enforcement,
}

/// Finds the groups and roles of a host and merges its variables. `None` where the groups cannot
/// be known; what is wrong is told.
pub(crate) fn prepare<'a>(
    site: &'a Site,
    host: &HostInput,
    wrong: &mut Diagnostics,
) -> Option<Prepared<'a>> {
    let parts = &site.parts;
    let groups = members(parts, host, wrong)?;
    let own = parts.hosts.get(&host.name);
    let files = groups.iter().map(|group| &group.file);
    let files = [&parts.globals]
        .into_iter()
        .chain(files)
        .chain(own.map(|host| &host.file));
    let mut roles: Vec<&Role> = Vec::new();
    for (name, _) in files.flat_map(|file| &file.roles) {
        let role = parts.roles.get(name);
        roles.extend(role.filter(|role| !roles.iter().any(|one| one.name == role.name)));
    }
    let found = included(Given {
        parts,
        host,
        groups: &groups,
        roles: &roles,
        chosen: chosen(parts, &groups, host),
        nonce: nonce_of(parts, host),
    });
    wrong.extend(found.wrong);
    Some(Prepared {
        state: found.state,
        chosen: found.chosen,
        roles,
        mode: own
            .and_then(|host| host.mode)
            .unwrap_or(parts.settings.mode),
    })
}

/// What no mark of a secret is without, in a site with secrets.
fn nonce_of(parts: &Parts, host: &HostInput) -> Arc<str> {
    if parts.secrecy.is_none() {
        return "".into();
    }
    let facts = host
        .facts
        .as_ref()
        .map(|facts| serde_json::to_vec(&**facts));
    let facts = facts.and_then(Result::ok).unwrap_or_default();
    let vars = serde_json::to_vec(&host.vars).unwrap_or_default();
    let ingredients = [host.name.as_str().as_bytes(), &facts, &vars];
    nonce(parts.engine.secrets(), ingredients)
}

/// The roles that a host has by nothing but groups that facts put it into.
fn chosen<'a>(
    parts: &'a Parts,
    groups: &[&'a Group],
    host: &HostInput,
) -> BTreeMap<&'a str, Chosen> {
    let Some(secrecy) = &parts.secrecy else {
        return BTreeMap::new();
    };
    let by_facts = secrecy.by_facts.record.get("groups");
    let by_facts = |group: &Group| by_facts.is_some_and(|names| names.contains(&group.name));
    let declared = parts.hosts.get(&host.name).map(|host| &host.file);
    let sought = sought(parts, host);
    let listed = |group: &Group| group.hosts.entry(&sought).is_some();
    let by_repo = groups
        .iter()
        .filter(|group| !by_facts(group) || listed(group));
    let by_repo = by_repo.map(|group| &group.file).chain(declared);
    let by_repo: BTreeSet<&str> = by_repo
        .chain([&parts.globals])
        .flat_map(|file| file.roles.iter().map(|(name, _)| &**name))
        .collect();
    let chosen = groups.iter().filter(|group| by_facts(group));
    let chosen = chosen.flat_map(|group| &group.file.roles);
    chosen
        .filter(|(name, _)| !by_repo.contains(&**name))
        .map(|(name, span)| {
            let (what, span) = ("the role", span.clone());
            (&**name, Chosen { what, span })
        })
        .collect()
}
