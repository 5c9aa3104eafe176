//! A host before its resources: groups, roles, record, layers, merged variables.

use std::sync::Arc;

use holdfast_schemas::catalog::Enforcement;

use crate::compile::HostInput;
use crate::diag::{Diagnostics, Source};
use crate::groups::{facts, members, record};
use crate::site::{Role, Site};
use crate::vars::{HostState, Ingredients, Layer, Term, merge};

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
    let groups = members(parts, host, wrong)?;
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
    let record = record(parts, host, &groups, &roles);
    let state = HostState::new(Ingredients {
        parts: Arc::clone(parts),
        name: host.name.clone(),
        layers,
        tree,
        record,
        facts: facts(host),
    });
    Some(Prepared {
        state,
        roles,
        mode: declared
            .and_then(|host| host.mode)
            .unwrap_or(parts.settings.mode),
    })
}
