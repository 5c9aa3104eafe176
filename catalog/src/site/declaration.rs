//! A parameter of a role, or a variable of the site: what its value may be, and its default.

use std::sync::Arc;

use minijinja::Value;

use super::fields::{Fields, unknown_key};
use super::schema::{Misfit, Schema};
use super::veil::veil;
use super::yaml::Node;
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::render::Programs;
use crate::vars::{LayerSource, Term};

/// A parameter or a variable as it is declared.
#[derive(Debug)]
pub(crate) struct Declaration {
    pub(crate) schema: Arc<Schema>,
    /// Absent where some layer has to give a value.
    pub(crate) default: Option<Arc<Term>>,
    /// Where it says that there has to be a value.
    pub(crate) required: Option<Span>,
    /// Its name.
    pub(crate) span: Span,
}

impl Declaration {
    /// Reads one entry of `params` or `variables`.
    pub(super) fn read(
        span: &Span,
        node: &Node,
        subject: &Subject,
        (programs, wrong): (&mut Programs, &mut Diagnostics),
    ) -> Option<Self> {
        let mut fields = Fields::of(node, subject.what(), wrong)?;
        let (schema, required) = Schema::read(&mut fields, span, wrong);
        let default = fields.even_none("default");
        fields.finish(wrong);
        let default = default.map(|field| {
            let mut node = field.node.clone();
            veil(&mut node, (&schema, subject), wrong);
            Term::of(&node, programs)
        });
        if let (Some((true, place)), Some(default)) = (&required, &default) {
            let message = "what has a default need not be given";
            let told = Diagnostic::new(Code::InvalidValue, message, place);
            wrong.push(
                told.also(&default.span, "the default")
                    .help("leave one of both out"),
            );
        }
        let nothing = default.as_ref().and_then(|term| term.constant.as_ref());
        let schema = match nothing.is_some_and(Value::is_none) {
            true => schema.or_nothing(),
            false => schema,
        };
        Some(Self {
            schema: Arc::new(schema),
            default,
            required: required.and_then(|(needed, place)| needed.then_some(place)),
            span: span.clone(),
        })
    }
}

/// Whose value it is that does not fit.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    Variable(Arc<str>),
    Parameter { role: Arc<str>, name: Arc<str> },
}

impl Subject {
    /// What it is, with its article.
    fn what(&self) -> &'static str {
        match self {
            Self::Variable(_) => "a variable",
            Self::Parameter { .. } => "a parameter",
        }
    }

    /// Where its value stands among the variables.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Variable(name) => name.to_string(),
            Self::Parameter { role, name } => format!("{role}.{name}"),
        }
    }

    /// A part of it, as a message names it: ``variable `ntp.servers[2]` ``.
    pub(crate) fn part(&self, path: &str) -> String {
        match self {
            Self::Variable(name) => format!("variable `{name}{path}`"),
            Self::Parameter { role, name } => format!("parameter `{name}{path}` of role `{role}`"),
        }
    }

    /// What of it does not fit, set by a layer; `around` is where what was computed was asked for.
    pub(crate) fn told(
        &self,
        misfit: Misfit,
        by: Option<&LayerSource>,
        around: &Span,
    ) -> Diagnostic {
        let message = format!("{}: {}", self.part(&misfit.path), misfit.message);
        let place = misfit.at.as_ref().unwrap_or(around);
        let told = Diagnostic::new(misfit.code, message, place);
        let told = match by {
            Some(layer) => told.label(format!("set by {layer}")),
            None => told,
        };
        told.also(&misfit.demand, "declared here")
            .maybe_help(misfit.help)
    }
}

/// A parameter that a role does not have.
pub(super) fn unknown(name: &str, role: &str, span: &Span, known: &[&str]) -> Diagnostic {
    let what = format!("role `{role}`");
    let mut told = unknown_key(name, span, &what, known);
    told.message = format!("role `{role}` has no parameter `{name}`");
    told.help(format!(
        "a parameter is declared under `params` of roles/{role}/role.yaml"
    ))
}
