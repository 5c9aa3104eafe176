//! What differs in the probes of roles.

use std::collections::BTreeMap;

use holdfast_schemas::catalog::Catalog;
use serde_json::Value;

use super::Change;

/// The roles whose probes differ. That they are about other resources is said by these.
pub(super) fn changes(before: &Catalog, after: &Catalog) -> Vec<Change> {
    let (mut old, new) = (probes(before), probes(after));
    let mut changes = Vec::new();
    for (role, now) in new {
        let known = old.remove(role);
        if known.as_ref() != Some(&now) {
            changes.push((role, known, Some(now)));
        }
    }
    changes.extend(old.into_iter().map(|(role, gone)| (role, Some(gone), None)));
    changes.sort_by_key(|(role, ..)| *role);
    let changes = changes
        .into_iter()
        .map(|(role, before, after)| Change::Health {
            role: role.to_owned(),
            before,
            after,
        });
    changes.collect()
}

fn probes(catalog: &Catalog) -> BTreeMap<&str, Value> {
    let roles = catalog.health.iter();
    let probes = roles.map(|health| {
        let probes = serde_json::to_value(&health.probes).unwrap_or_default();
        (&*health.role, probes)
    });
    probes.collect()
}
