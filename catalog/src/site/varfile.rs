//! What every layer's file may hold: `vars`, and `unset` for what lower layers set.

use std::sync::Arc;

use super::fields::{Fields, texts, unknown_key, wrong_type};
use super::names::check_variable;
use super::yaml::{Node, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics, Source, Span, nearest};
use crate::render::Programs;
use crate::vars::Term;

/// The variables of a layer.
#[derive(Debug, Clone)]
pub(crate) struct VarFile {
    /// A mapping.
    pub(crate) vars: Arc<Term>,
    pub(crate) unset: Vec<Unset>,
    /// Roles it gives to its hosts.
    pub(crate) roles: Vec<(Arc<str>, Span)>,
}

/// A variable, or a part of one, that a layer takes away from those below it.
#[derive(Debug, Clone)]
pub(crate) struct Unset {
    pub(crate) path: Vec<Arc<str>>,
    pub(crate) span: Span,
}

impl VarFile {
    /// No variables.
    pub(crate) fn empty() -> Self {
        let source = Source::new("", "");
        Self {
            vars: Term::of_json(&serde_json::json!({}), &source),
            unset: Vec::new(),
            roles: Vec::new(),
        }
    }

    /// Reads `vars`, `unset` and `roles` of a file.
    pub(crate) fn read(
        fields: &mut Fields<'_>,
        programs: &mut Programs,
        wrong: &mut Diagnostics,
    ) -> Self {
        let mut file = Self::empty();
        if let Some(field) = fields.get("vars") {
            file.vars = variables(&field.node, programs, wrong).unwrap_or(file.vars);
        }
        if let Some(field) = fields.get("unset") {
            file.unset = unset(&field.node, wrong);
        }
        file.roles = fields.texts("roles", wrong);
        file
    }

    /// Reads `globals.yaml`: `vars`, `unset` and `roles`, or nothing but variables.
    pub(crate) fn globals(node: &Node, programs: &mut Programs, wrong: &mut Diagnostics) -> Self {
        let Yaml::Map(map) = &node.value else {
            wrong.push(wrong_type("globals: a mapping", node));
            return Self::empty();
        };
        let keys = ["vars", "unset", "roles"];
        if keys.iter().any(|key| map.contains_key(*key)) {
            let Some(mut fields) = Fields::of(node, "globals.yaml beside `vars`", wrong) else {
                return Self::empty();
            };
            let file = Self::read(&mut fields, programs, wrong);
            fields.finish(wrong);
            return file;
        }
        for (name, field) in map {
            if let Some(key) = nearest(name, keys) {
                let told = unknown_key(name, &field.key, "globals.yaml", &[key]);
                let help = format!(
                    "a variable of this name goes under `vars:`, as in `vars: {{ {name}: … }}`"
                );
                wrong.push(told.help(help));
            }
        }
        let vars = variables(node, programs, wrong);
        let empty = Self::empty();
        Self {
            vars: vars.unwrap_or(empty.vars),
            ..empty
        }
    }
}

fn variables(node: &Node, programs: &mut Programs, wrong: &mut Diagnostics) -> Option<Arc<Term>> {
    let Yaml::Map(map) = &node.value else {
        wrong.push(wrong_type("variables: a mapping", node));
        return None;
    };
    for (name, field) in map {
        check_variable(name, &field.key, wrong);
    }
    Some(Term::of(node, programs))
}

fn unset(node: &Node, wrong: &mut Diagnostics) -> Vec<Unset> {
    let mut paths = Vec::new();
    for (path, span) in texts(node, wrong) {
        let parts: Vec<Arc<str>> = path.split('.').map(Arc::from).collect();
        match parts.iter().any(|part| part.is_empty()) {
            true => {
                let message = format!("`{path}` is no variable");
                let told = Diagnostic::new(Code::InvalidValue, message, &span);
                wrong.push(told.help("write a name, or names with dots between, as in `a.b`"));
            }
            false => paths.push(Unset { path: parts, span }),
        }
    }
    paths
}
