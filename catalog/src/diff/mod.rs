//! What a change of the repo does to the catalogs of hosts.
//!
//! [`changes`] compares two catalogs of one host. A [`FleetDiff`] takes the differences of many,
//! in any order and from any number of threads, and says each once, with the hosts that have it.

mod attributes;
mod change;
mod draw;
mod fleet;
mod health;
mod order;
mod text;

pub use change::{AttributeChange, Change, EdgeChange};
pub use fleet::{FleetDiff, Group, Outcome, SiteDiff};
pub use text::{Hunk, TextDiff, Unread};

use std::collections::HashMap;

use holdfast_schemas::resource::{Resource, ResourceId};

use crate::compile::Compiled;
use attributes::Wanted;

/// In what the catalogs of a host differ; nothing where they are equal.
pub fn changes(before: &Compiled, after: &Compiled) -> Vec<Change> {
    if before.catalog == after.catalog {
        return Vec::new();
    }
    let by_id = |compiled: &'_ Compiled| -> HashMap<ResourceId, usize> {
        let resources = compiled.catalog.resources.iter().enumerate();
        resources
            .map(|(place, resource)| (resource.id.clone(), place))
            .collect()
    };
    let (old, new) = (by_id(before), by_id(after));
    let mut changes = Vec::new();
    for resource in &before.catalog.resources {
        if !new.contains_key(&resource.id) {
            changes.push(Change::Removed {
                resource: resource.id.clone(),
                attributes: attributes::compare(Some(wanted(resource, before)), None),
            });
        }
    }
    for resource in &after.catalog.resources {
        let Some(&place) = old.get(&resource.id) else {
            changes.push(Change::Added {
                resource: resource.id.clone(),
                attributes: attributes::compare(None, Some(wanted(resource, after))),
            });
            continue;
        };
        let previous = &before.catalog.resources[place];
        if previous.spec != resource.spec {
            let (from, to) = (wanted(previous, before), wanted(resource, after));
            changes.push(Change::Changed {
                resource: resource.id.clone(),
                attributes: attributes::compare(Some(from), Some(to)),
            });
        }
        changes.extend(order::edges(previous, resource, &|id| new.contains_key(id)));
    }
    let moved = order::moved(&before.catalog.resources, &after.catalog.resources);
    if !moved.is_empty() {
        changes.push(Change::Order { moved });
    }
    changes.extend(health::changes(&before.catalog, &after.catalog));
    let (from, to) = (before.catalog.enforcement, after.catalog.enforcement);
    if from != to {
        changes.push(Change::Mode {
            before: from,
            after: to,
        });
    }
    changes
}

fn wanted<'a>(resource: &'a Resource, compiled: &'a Compiled) -> Wanted<'a> {
    Wanted {
        spec: &resource.spec,
        compiled,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use holdfast_schemas::Digest;
    use holdfast_schemas::catalog::{CATALOG_FORMAT, Catalog};
    use holdfast_schemas::resource::{Content, Spec};
    use holdfast_schemas::secret::{Commitment, SecretName};
    use serde_json::json;

    use super::*;

    fn compiled(content: &Content) -> Compiled {
        let spec = json!({ "path": "/etc/app.key", "content": content });
        let id: ResourceId = "file[/etc/app.key]".parse().unwrap();
        Compiled {
            catalog: Catalog {
                format: CATALOG_FORMAT,
                host: "web-1".parse().unwrap(),
                enforcement: Default::default(),
                resources: vec![Resource {
                    spec: Spec::from_value(id.kind(), spec).unwrap(),
                    id,
                    requires: Vec::new(),
                    subscribes: Vec::new(),
                }],
                health: Vec::new(),
            },
            blobs: BTreeMap::new(),
            sealed: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    fn sealed(draft: &str) -> Content {
        Content::Sealed {
            secrets: vec![SecretName::new("app.key").unwrap()],
            commitment: Commitment::Draft(Digest::of(draft)),
        }
    }

    #[test]
    fn content_with_secrets_differs_and_is_never_shown() {
        let host = "web-1".parse().unwrap();
        let text = Content::Text("hunter2\n".to_owned());
        for (before, after) in [(sealed("a"), sealed("b")), (text, sealed("b"))] {
            let (before, after) = (compiled(&before), compiled(&after));
            let mut fleet = FleetDiff::new();
            let (old, new) = (Outcome::Compiled(&before), Outcome::Compiled(&after));
            fleet.host(&host, old, new);
            let diff = fleet.finish();
            assert!(diff.unread().is_empty());
            let drawn = diff.to_string();
            assert!(drawn.contains("-> secret:app.key\n        holds secrets: not shown"));
            let json = serde_json::to_string(&diff).unwrap();
            assert!(
                !drawn.contains("hunter2") && !json.contains("hunter2"),
                "{drawn}{json}"
            );
        }
        assert!(changes(&compiled(&sealed("a")), &compiled(&sealed("a"))).is_empty());
    }
}
