//! Where a name that is undefined stands instead: a level down (`nginx.port` for `port`), a level
//! up (`port` for `nginx.port`), or beside the variables (`host.idc` for `idc`).

use std::sync::Arc;

use minijinja::Value;

use super::scope::Scope;
use super::{HostState, Merged};
use crate::diag::listed;

/// More places than these are no help.
const SHOWN: usize = 3;

/// What stands beside the variables and holds names.
const HOLDERS: [&str; 3] = ["params", "host", "facts"];

impl Scope {
    /// What to write for a path that is undefined, where its name stands a level up or down.
    pub(super) fn elsewhere(&self, path: &str) -> Option<String> {
        let state = self.state()?;
        let mut found: Vec<String> = Vec::new();
        match path.split_once('.') {
            None => {
                let items = self.items().filter(|(_, value)| holds(value, path));
                found.extend(items.map(|(name, _)| format!("{name}.{path}")));
                let holders = HOLDERS.into_iter().filter(|one| self.holds(one, path));
                found.extend(holders.map(|one| format!("{one}.{path}")));
                let mut below = below(&state, path);
                if self.holds("params", path) {
                    // Those of roles stand there already.
                    below.retain(|one| !is_parameter(&state, one));
                }
                found.extend(below);
            }
            Some((holder, name)) if !name.contains('.') => {
                if self.is_variable(&state, name) {
                    found.push(name.to_owned());
                }
                let others = HOLDERS.into_iter().filter(|one| *one != holder);
                let others = others.filter(|one| self.holds(one, name));
                found.extend(others.map(|one| format!("{one}.{name}")));
                let inside = state.tree.get(holder);
                found.extend(
                    inside
                        .into_iter()
                        .flat_map(|inside| inner(inside, (holder, name))),
                );
            }
            Some(_) => {}
        }
        found.truncate(SHOWN);
        let found = found.iter().map(String::as_str);
        (found.len() > 0).then(|| format!("there is {}", listed(found)))
    }

    /// Whether `params`, `host` or `facts` has an entry, as far as it is there.
    fn holds(&self, holder: &str, name: &str) -> bool {
        self.beside(holder).is_some_and(|value| holds(&value, name))
    }

    fn is_variable(&self, state: &HostState, name: &str) -> bool {
        state.tree.contains_key(name) || self.items().any(|(own, _)| &**own == name)
    }
}

/// Whether a mapping has an entry, none of which is evaluated for that.
fn holds(value: &Value, name: &str) -> bool {
    let keys = (value.kind() == minijinja::value::ValueKind::Map)
        .then(|| value.try_iter().ok())
        .flatten();
    keys.is_some_and(|mut keys| keys.any(|key| key.as_str() == Some(name)))
}

/// The variables that hold an entry of a name.
fn below(state: &HostState, name: &str) -> Vec<String> {
    let holding = state.tree.iter();
    let holding = holding.filter(|(_, value)| value.names().iter().any(|one| **one == *name));
    let mut paths: Vec<String> = holding
        .map(|(holder, _)| format!("{holder}.{name}"))
        .collect();
    paths.sort_unstable();
    paths
}

/// Whether a path is that of a role's parameter.
fn is_parameter(state: &HostState, path: &str) -> bool {
    let holder = path.split('.').next().unwrap_or_default();
    let role = state.parts.roles.get(holder);
    role.is_some_and(|role| !role.params.is_empty())
}

/// The parts of a variable that hold an entry of a name.
fn inner(value: &Merged, (holder, name): (&str, &str)) -> Vec<String> {
    let parts = value.names().into_iter().filter(|part| {
        let inner = value.part(part);
        inner.is_some_and(|inner| inner.names().contains(&Arc::from(name)))
    });
    parts
        .map(|part| format!("{holder}.{part}.{name}"))
        .collect()
}
