//! Which hosts' catalogs a variable can reach, as far as names tell: a role that reads it, or reads
//! what is made of it, can give other resources.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::circles::programs_in;
use crate::site::{Parts, layers};

/// What programs read, by name.
pub(super) struct Readers {
    /// The names that the resources and templates of each role read.
    roles: BTreeMap<Arc<str>, BTreeSet<String>>,
    /// The names that each variable is made of, in any layer.
    variables: BTreeMap<Arc<str>, BTreeSet<String>>,
}

impl Readers {
    /// Of a site.
    pub(super) fn of(parts: &Parts) -> Self {
        let mut variables: BTreeMap<Arc<str>, BTreeSet<String>> = BTreeMap::new();
        for layer in layers(parts) {
            for (name, field) in layer.vars.as_map().into_iter().flatten() {
                let mut programs = Vec::new();
                programs_in(&field.term, &mut programs);
                let names = programs.into_iter().flat_map(|id| parts.engine.reads(id));
                let names: BTreeSet<String> = names.collect();
                if !names.is_empty() {
                    variables.entry(Arc::clone(name)).or_default().extend(names);
                }
            }
        }
        let roles = parts.roles.keys().map(|role| {
            let read = parts.engine.reads_under(&format!("roles/{role}/"));
            (Arc::clone(role), read)
        });
        Self {
            roles: roles.collect(),
            variables,
        }
    }

    /// The variables that are made of one, itself among them.
    pub(super) fn made_of(&self, variable: &str) -> BTreeSet<String> {
        let mut made = BTreeSet::from([variable.to_owned()]);
        loop {
            let more = self
                .variables
                .iter()
                .filter(|(name, reads)| !made.contains(&***name) && !reads.is_disjoint(&made));
            let more: Vec<String> = more.map(|(name, _)| name.to_string()).collect();
            if more.is_empty() {
                return made;
            }
            made.extend(more);
        }
    }

    /// The roles that read one of these, or have one of these for their parameters.
    pub(super) fn roles(&self, names: &BTreeSet<String>) -> BTreeSet<Arc<str>> {
        let reading = self
            .roles
            .iter()
            .filter(|(role, reads)| names.contains(&***role) || !reads.is_disjoint(names));
        reading.map(|(role, _)| Arc::clone(role)).collect()
    }
}
