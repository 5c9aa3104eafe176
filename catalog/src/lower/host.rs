//! A host before its resources: groups, roles, record, layers, merged variables.

use std::collections::BTreeSet;
use std::sync::Arc;

use holdfast_schemas::catalog::Enforcement;
use minijinja::Value;
use minijinja::value::Serde;

use crate::compile::HostInput;
use crate::diag::{Diagnostics, Source};
use crate::site::{Group, Parts, Role, Site};
use crate::vars::{HostState, Ingredients, Layer, Missing, Scope, Term, merge};

/// A host with everything that its resources depend on.
pub(crate) struct Prepared<'a> {
    pub(crate) state: Arc<HostState>,
    /// In the order in which they apply.
    pub(crate) roles: Vec<&'a Role>,
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
    let facts = match &host.facts {
        Some(facts) => Value::from(Serde(&**facts)),
        None => Value::from_object(Missing),
    };
    let groups = groups(parts, host, &facts, wrong)?;
    let declared = parts.hosts.get(&host.name);
    let files = groups.iter().map(|group| &group.file);
    let files = [&parts.globals]
        .into_iter()
        .chain(files)
        .chain(declared.map(|host| &host.file));
    let mut roles: Vec<&Role> = Vec::new();
    for (name, _) in files.flat_map(|file| &file.roles) {
        let role = parts.roles.get(name);
        roles.extend(role.filter(|role| !roles.iter().any(|one| one.name == role.name)));
    }
    let mut layers: Vec<Layer> = roles.iter().map(|role| Layer::role(role)).collect();
    layers.push(Layer::global(&parts.globals));
    layers.extend(groups.iter().map(|group| Layer::group(group)));
    layers.extend(declared.map(|host| Layer::host(&host.file)));
    if !host.vars.is_empty() {
        let source = Source::new("job", "");
        let vars = serde_json::Value::Object(host.vars.clone());
        layers.push(Layer::job(Term::of_json(&vars, &source)));
    }
    let tree = merge(&layers, &parts.settings.rules, wrong);
    let record = record(parts, host, &groups, &roles, Attributes::Own);
    let state = HostState::new(Ingredients {
        parts: Arc::clone(parts),
        name: host.name.clone(),
        layers,
        tree,
        record,
        facts,
    });
    Some(Prepared {
        state,
        roles,
        mode: declared
            .and_then(|host| host.mode)
            .unwrap_or(parts.settings.mode),
    })
}

/// The groups of a host, in the order in which they apply.
fn groups<'a>(
    parts: &'a Arc<Parts>,
    host: &HostInput,
    facts: &Value,
    wrong: &mut Diagnostics,
) -> Option<Vec<&'a Group>> {
    let named = parts
        .groups
        .iter()
        .filter(|group| group.has(host.name.as_str()));
    let named: Vec<&Group> = named.collect();
    if parts.groups.iter().all(|group| group.matching.is_none()) {
        return Some(named);
    }
    let record = record(parts, host, &named, &[], Attributes::Known);
    let state = HostState::new(Ingredients {
        parts: Arc::clone(parts),
        name: host.name.clone(),
        layers: vec![Layer::global(&parts.globals)],
        tree: Default::default(),
        record,
        facts: facts.clone(),
    });
    let scope = Scope::variables(&state);
    let context = scope.value();
    let mut groups = Vec::new();
    for group in &parts.groups {
        let by_name = group.has(host.name.as_str());
        let by_match = group.matching.filter(|_| !by_name).is_some_and(|program| {
            let result = parts.engine.eval(program, &context);
            let told = result.map_err(|failing| {
                if failing.recorded.is_none() {
                    state.record(scope.diagnostic(failing));
                }
            });
            told.is_ok_and(|value| value.is_true())
        });
        if by_name || by_match {
            groups.push(group);
        }
    }
    let told = state.take_wrong();
    let known = told.is_empty();
    told.into_iter().for_each(|one| wrong.push(one));
    known.then_some(groups)
}

/// Which attributes a record has.
#[derive(Clone, Copy, PartialEq)]
enum Attributes {
    /// The host's own.
    Own,
    /// All that any host has; what this one has not is none.
    Known,
}

/// The host's record, as `host`.
fn record(
    parts: &Parts,
    host: &HostInput,
    groups: &[&Group],
    roles: &[&Role],
    attributes: Attributes,
) -> Value {
    let declared = parts.hosts.get(&host.name);
    let own_tags = declared.into_iter().flat_map(|host| &host.tags);
    let tags = own_tags.chain(groups.iter().flat_map(|group| &group.tags));
    let tags: BTreeSet<&Arc<str>> = tags.collect();
    let list = |names: Vec<&Arc<str>>| -> Value {
        names
            .into_iter()
            .map(|name| Value::from(Arc::clone(name)))
            .collect()
    };
    let mut pairs = vec![
        (Value::from("name"), Value::from(host.name.as_str())),
        (Value::from("tags"), list(tags.into_iter().collect())),
        (
            Value::from("groups"),
            list(groups.iter().map(|group| &group.name).collect()),
        ),
        (
            Value::from("roles"),
            list(roles.iter().map(|role| &role.name).collect()),
        ),
    ];
    let own = declared.map(|host| &host.attributes);
    for (name, value) in own.into_iter().flatten() {
        pairs.push((Value::from(Arc::clone(name)), value.clone()));
    }
    if attributes == Attributes::Known {
        let lacking = parts.attributes.iter();
        let lacking = lacking.filter(|name| !own.is_some_and(|own| own.contains_key(*name)));
        pairs.extend(lacking.map(|name| (Value::from(Arc::clone(name)), Value::from(()))));
    }
    Value::from_pairs(pairs)
}
