//! What the resources of one type in a role, or in a block of it, have in common: `defaults`.
//!
//! A resource that says nothing of an attribute takes the default; one that says `null` has
//! neither. Defaults of a block stand before those around it.

use std::sync::Arc;

use holdfast_schemas::resource::Kind as ResourceKind;

use super::fields::{Fields, wrong_type};
use super::resource::{Attributes, read_attributes};
use super::yaml::{Node, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics, did_you_mean, listed};
use crate::render::Programs;

/// What a resource is, which no two have in common.
const OWN: [&str; 7] = [
    "command", "content", "name", "path", "source", "target", "template",
];

/// Attributes by type.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    of: Vec<(ResourceKind, Arc<Attributes>)>,
}

impl Defaults {
    /// The defaults of a type.
    pub(super) fn of(&self, kind: ResourceKind) -> Option<&Attributes> {
        let found = self.of.iter().find(|(known, _)| *known == kind);
        found.map(|(_, attributes)| &**attributes)
    }

    /// Reads `defaults`, over those that hold around it.
    pub(super) fn read(
        &self,
        node: &Node,
        programs: &mut Programs,
        wrong: &mut Diagnostics,
    ) -> Self {
        let Yaml::Map(types) = &node.value else {
            wrong.push(wrong_type(
                "defaults: a mapping from types of resource",
                node,
            ));
            return self.clone();
        };
        let mut all = self.clone();
        for (word, field) in types {
            let known = ResourceKind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == &**word);
            let Some(kind) = known else {
                let words = || ResourceKind::ALL.iter().map(|kind| kind.as_str());
                let help = did_you_mean(word, words());
                let help = help.unwrap_or_else(|| format!("the types are {}", listed(words())));
                let message = format!("there is no resource type `{word}`");
                wrong.push(Diagnostic::new(Code::UnknownKey, message, &field.key).help(help));
                continue;
            };
            let Some(fields) = Fields::of(&field.node, "the defaults of a type", wrong) else {
                continue;
            };
            let mut own = read_attributes(kind, &fields, (&mut *programs, &mut *wrong));
            own.retain(|name, field| {
                let refused = OWN.contains(&&**name);
                if refused {
                    let message = format!("`{name}` is what one {kind} is, and no default");
                    wrong.push(Diagnostic::new(Code::UnknownKey, message, &field.key));
                }
                !refused
            });
            for (name, field) in self.of(kind).into_iter().flatten() {
                own.entry(Arc::clone(name)).or_insert_with(|| field.clone());
            }
            all.of.retain(|(known, _)| *known != kind);
            all.of.push((kind, Arc::new(own)));
        }
        all
    }
}
