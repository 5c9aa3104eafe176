//! A host before its resources: groups, roles, record, layers, merged variables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_schemas::catalog::Enforcement;

use crate::compile::HostInput;
use crate::diag::{Diagnostics, Source, Span};
use crate::groups::{facts, members, record, sought};
use crate::render::nonce;
use crate::site::{Group, Parts, Role, Site};
use crate::vars::{HostState, Ingredients, Layer, Term, merge};

/// A host with everything that its resources depend on.
pub(crate) struct Prepared<'a> {
    pub(crate) state: Arc<HostState>,
    /// In the order in which they apply.
    pub(crate) roles: Vec<&'a Role>,
    /// Those of them that only facts bring, with the groups that they put the host into.
    pub(crate) chosen: BTreeMap<&'a str, Span>,
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
    let chosen = chosen(parts, &groups, host);
    let declared = Some(&parts.variables).filter(|variables| !variables.declared.is_empty());
    let mut layers: Vec<Layer> = declared.map(Layer::declared).into_iter().collect();
    layers.extend(roles.iter().map(|role| Layer::role(role)));
    layers.push(Layer::global(&parts.globals));
    layers.extend(groups.iter().map(|group| Layer::group(group)));
    layers.extend(own.map(|host| Layer::host(&host.file)));
    if !host.vars.is_empty() {
        let source = Source::new("job", "");
        let vars = serde_json::Value::Object(host.vars.clone());
        layers.push(Layer::job(Term::of_json(&vars, &source)));
    }
    let tree = merge(&layers, &parts.settings.rules, wrong);
    let record = record(parts, host, &groups, &roles);
    let state = HostState::new(Ingredients {
        parts: Arc::clone(parts),
        name: host.name.clone(),
        layers,
        tree,
        record,
        facts: facts(host),
        nonce: nonce_of(parts, host),
    });
    state.check_declared();
    Some(Prepared {
        state,
        roles,
        chosen,
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
fn chosen<'a>(parts: &'a Parts, groups: &[&'a Group], host: &HostInput) -> BTreeMap<&'a str, Span> {
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
        .map(|(name, span)| (&**name, span.clone()))
        .collect()
}
