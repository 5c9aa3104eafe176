//! What is sensitive and stands in the repo as it is: from here on it is a secret, shown by its
//! name, whose text only the host gets to know. Whoever wrote it is advised to encrypt it.

use std::sync::Arc;

use super::schema::Schema;
use super::secret;
use super::variables::Variables;
use super::yaml::{Map, Node, Yaml};
use super::{Role, declaration::Subject};
use crate::diag::{Code, Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// What is known to be sensitive.
pub(super) struct Veil<'a> {
    pub(super) variables: &'a Variables,
    pub(super) roles: &'a BTreeMap<Arc<str>, Role>,
}

impl Veil<'_> {
    /// Veils what is sensitive among variables: those of a file, under `vars` or by themselves.
    pub(super) fn file(&self, node: &mut Node, wrong: &mut Diagnostics) {
        let Yaml::Map(map) = &mut node.value else {
            return;
        };
        match map.get_mut("vars") {
            Some(field) => {
                if let Yaml::Map(vars) = &mut field.node.value {
                    self.vars(vars, wrong);
                }
            }
            None => self.vars(map, wrong),
        }
    }

    fn vars(&self, vars: &mut Map, wrong: &mut Diagnostics) {
        for (name, field) in vars {
            if let Some(declared) = self.variables.declared.get(name) {
                let subject = Subject::Variable(Arc::clone(name));
                veil(&mut field.node, (&declared.schema, &subject), wrong);
                continue;
            }
            let Some(role) = self.roles.get(name) else {
                continue;
            };
            params(role, &mut field.node, wrong);
        }
    }

    /// Veils what is sensitive among what a role is given by one that includes it.
    pub(super) fn given(&self, role: &str, node: &mut Node, wrong: &mut Diagnostics) {
        if let Some(role) = self.roles.get(role) {
            params(role, node, wrong);
        }
    }
}

fn params(role: &Role, node: &mut Node, wrong: &mut Diagnostics) {
    let Yaml::Map(values) = &mut node.value else {
        return;
    };
    for (param, field) in values {
        let Some(declared) = role.params.get(param) else {
            continue;
        };
        let subject = Subject::Parameter {
            role: Arc::clone(&role.name),
            name: Arc::clone(param),
        };
        veil(&mut field.node, (&declared.schema, &subject), wrong);
    }
}

/// Veils what is sensitive in a value.
pub(super) fn veil(
    node: &mut Node,
    (schema, subject): (&Schema, &Subject),
    wrong: &mut Diagnostics,
) {
    let mut path = subject.path();
    part(node, Some(schema), &mut (None, &mut path, wrong));
}

/// The schema that says that something is sensitive, the path of the value, what is told.
type Way<'s, 'w> = (Option<&'s Schema>, &'w mut String, &'w mut Diagnostics);

fn part<'s>(node: &mut Node, schema: Option<&'s Schema>, way: &mut Way<'s, '_>) {
    let around = way.0;
    way.0 = around.or(schema.filter(|schema| schema.sensitive));
    let length = way.1.len();
    match &mut node.value {
        Yaml::List(items) => {
            for (place, item) in items.iter_mut().enumerate() {
                way.1.push_str(&format!(".{place}"));
                part(
                    item,
                    schema.and_then(|one| one.items().map(|one| &**one)),
                    way,
                );
                way.1.truncate(length);
            }
        }
        Yaml::Map(map) => {
            for (name, field) in map {
                way.1.push_str(&format!(".{name}"));
                let inner = schema.and_then(|one| one.property(name).map(|one| &**one));
                part(&mut field.node, inner, way);
                way.1.truncate(length);
            }
        }
        _ => {
            if let Some(schema) = way.0 {
                scalar(node, schema, way);
            }
        }
    }
    way.0 = around;
}

fn scalar(node: &mut Node, schema: &Schema, (_, path, wrong): &mut Way<'_, '_>) {
    let plain = match &node.value {
        // What an expression makes of plain values is as plain as they are.
        Yaml::Text(text) if text.contains("{{") || text.contains("{%") => return,
        Yaml::Text(text) => secret::Plain::text(text),
        Yaml::Int(value) => secret::Plain::integer(*value),
        Yaml::Float(value) => secret::Plain::number(*value),
        // One of two hides nothing, and what is nothing less. Secrets are what they are to be.
        Yaml::Bool(_) | Yaml::Null | Yaml::Secret(_) | Yaml::List(_) | Yaml::Map(_) => return,
    };
    node.span.veil();
    let message = format!("`{path}` is sensitive, and stands here as it is");
    let told = Diagnostic::new(Code::PlainSensitive, message, &node.span);
    wrong.push(
        told.also(&schema.span, "declared sensitive here")
            .help(format!(
                "encrypt it: `holdfast secret encrypt {path}`; hosts are given it sealed meanwhile"
            )),
    );
    match secret::plain(path, plain, &node.span) {
        Ok(secret) => node.value = Yaml::Secret(Arc::new(secret)),
        Err(told) => wrong.push(told),
    }
}
