//! `variables.yaml`: the variables of the site, what each may be, and what it is unless some layer
//! says otherwise.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;

use super::declaration::{Declaration, Subject};
use super::fields::{Fields, wrong_type};
use super::names::check_variable;
use super::yaml::{Node, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics, Source, Span, did_you_mean, listed};
use crate::render::Programs;
use crate::vars::Term;

/// The variables that a site declares.
#[derive(Debug)]
pub(crate) struct Variables {
    /// Where it says that there are no others.
    pub(crate) strict: Option<Span>,
    pub(crate) declared: IndexMap<Arc<str>, Declaration>,
    /// Their defaults as a layer.
    pub(crate) defaults: Arc<Term>,
}

impl Variables {
    /// None declared.
    pub(super) fn none() -> Self {
        let nowhere = Span::whole(&Source::new("", ""));
        Self {
            strict: None,
            declared: IndexMap::new(),
            defaults: Term::mapping(&nowhere, []),
        }
    }

    /// Reads the file.
    pub(super) fn read(node: &Node, programs: &mut Programs, wrong: &mut Diagnostics) -> Self {
        let mut variables = Self::none();
        let Some(mut fields) = Fields::of(node, "variables.yaml", wrong) else {
            return variables;
        };
        if let Some(field) = fields.get("strict") {
            match field.node.value {
                Yaml::Bool(true) => variables.strict = Some(field.key.clone()),
                Yaml::Bool(false) => {}
                _ => wrong.push(wrong_type("true or false", &field.node)),
            }
        }
        if let Some(field) = fields.get("variables") {
            variables.read_all(&field.node, (&mut *programs, &mut *wrong));
        }
        let needed = fields.texts("required", wrong);
        variables.require(needed, wrong);
        fields.finish(wrong);
        let defaults = variables.declared.iter().filter_map(|(name, declared)| {
            let default = Arc::clone(declared.default.as_ref()?);
            Some((Arc::clone(name), declared.span.clone(), default))
        });
        variables.defaults = Term::mapping(&node.span, defaults.collect::<Vec<_>>());
        variables
    }

    fn read_all(&mut self, node: &Node, (programs, wrong): (&mut Programs, &mut Diagnostics)) {
        let Yaml::Map(map) = &node.value else {
            let expected = "a mapping from variables to what they may be";
            wrong.push(wrong_type(expected, node));
            return;
        };
        for (name, field) in map {
            check_variable(name, &field.key, wrong);
            if name.contains('.') {
                let message = format!("`{name}` is a part of a variable");
                let told = Diagnostic::new(Code::InvalidValue, message, &field.key);
                wrong.push(told.help("declare the variable, with its parts under `properties`"));
                continue;
            }
            let both = (&mut *programs, &mut *wrong);
            let subject = Subject::Variable(Arc::clone(name));
            let read = Declaration::read(&field.key, &field.node, &subject, both);
            if let Some(declared) = read {
                self.declared.insert(Arc::clone(name), declared);
            }
        }
    }

    fn require(&mut self, needed: Vec<(Arc<str>, Span)>, wrong: &mut Diagnostics) {
        for (name, span) in needed {
            if let Some(declared) = self.declared.get_mut(&name) {
                declared.required.get_or_insert(span);
                continue;
            }
            let known = || self.declared.keys().map(|name| &**name);
            let help = did_you_mean(&name, known());
            let help = help.unwrap_or_else(|| format!("it declares {}", listed(known())));
            let message = format!("variables.yaml does not declare `{name}`");
            wrong.push(Diagnostic::new(Code::UnknownName, message, &span).help(help));
        }
    }

    /// A role that has parameters declares them itself.
    pub(super) fn leave_to_roles(&mut self, roles: &BTreeSet<&str>, wrong: &mut Diagnostics) {
        for (name, declared) in &self.declared {
            if roles.contains(&**name) {
                let message = format!("`{name}` holds the parameters of role `{name}`");
                let told = Diagnostic::new(Code::InvalidValue, message, &declared.span);
                wrong.push(told.help(format!(
                    "declare them under `params` of roles/{name}/role.yaml"
                )));
            }
        }
        self.declared.retain(|name, _| !roles.contains(&**name));
    }
}
