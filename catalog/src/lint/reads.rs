//! The paths of variables that anything in the repo reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::site::Parts;

/// Names by which Ansible's templates look variables up that they work out: where one is read, any
/// variable may be.
const LOOKUPS: [&str; 8] = [
    "context", "debug", "hostvars", "lookup", "q", "query", "varnames", "vars",
];

/// The paths that are read.
#[derive(Debug, Default)]
pub(super) struct Reads {
    paths: BTreeSet<Vec<String>>,
    /// Of parameters, by role, the paths behind `params`.
    params: BTreeMap<String, BTreeSet<Vec<String>>>,
    /// Whether something may read any variable.
    any: bool,
    /// Roles in which something may read any parameter.
    any_param: BTreeSet<String>,
}

/// How much of a variable is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    All,
    /// Some of its parts.
    Parts,
    Nothing,
}

impl Reads {
    /// What everything in a site reads.
    pub(super) fn of(parts: &Parts) -> Self {
        let mut reads = Self::default();
        for read in parts.engine.reads_of_all() {
            let role = read.file.strip_prefix("roles/");
            let role = role.and_then(|rest| rest.split('/').next());
            let Some(paths) = read.paths else {
                reads.any = true;
                reads.any_param.extend(role.map(str::to_owned));
                continue;
            };
            for path in paths {
                reads.take(role, path);
            }
        }
        reads
    }

    fn take(&mut self, role: Option<&str>, path: Vec<String>) {
        match (path[0].as_str(), role) {
            ("params", Some(role)) => {
                let params = self.params.entry(role.to_owned()).or_default();
                params.insert(path[1..].to_vec());
            }
            ("global", _) => {
                self.any |= path.len() == 1;
                self.paths.insert(path[1..].to_vec());
                self.paths.insert(path);
            }
            (name, _) => {
                self.any |= LOOKUPS.contains(&name);
                self.paths.insert(path);
            }
        }
    }

    /// How much of a variable is read.
    pub(super) fn extent(&self, path: &[Arc<str>]) -> Extent {
        match self.any {
            true => Extent::All,
            false => extent(&self.paths, path),
        }
    }

    /// Whether anything reads (a part of) a variable, or of the parameter that it is.
    pub(super) fn variable(&self, parts: &Parts, path: &[Arc<str>]) -> bool {
        let of_role = path.first().and_then(|name| parts.roles.get(name));
        match (of_role.filter(|role| !role.params.is_empty()), path) {
            (Some(role), [_, name, ..]) => self.parameter(&role.name, name),
            (Some(_), _) => true,
            (None, _) => self.extent(path) != Extent::Nothing,
        }
    }

    /// Whether `global.…` reads (a part of) a variable, as the globals have it.
    pub(super) fn as_global(&self, path: &[Arc<str>]) -> bool {
        let global: Arc<str> = "global".into();
        let path: Vec<Arc<str>> = [global].into_iter().chain(path.iter().cloned()).collect();
        self.extent(&path) != Extent::Nothing
    }

    /// Whether a role, or anything by its full name, reads a parameter.
    pub(super) fn parameter(&self, role: &Arc<str>, name: &Arc<str>) -> bool {
        let own = self.params.get(&**role);
        let own = own.map(|own| extent(own, std::slice::from_ref(name)));
        self.any_param.contains(&**role)
            || own.is_some_and(|own| own != Extent::Nothing)
            || self.extent(&[Arc::clone(role), Arc::clone(name)]) != Extent::Nothing
    }
}

fn extent(paths: &BTreeSet<Vec<String>>, path: &[Arc<str>]) -> Extent {
    let path: Vec<String> = path.iter().map(|step| step.to_string()).collect();
    if (0..=path.len()).any(|length| paths.contains(&path[..length])) {
        return Extent::All;
    }
    let mut behind = paths.range(path.clone()..);
    match behind.next().is_some_and(|next| next.starts_with(&path)) {
        true => Extent::Parts,
        false => Extent::Nothing,
    }
}
