//! A health probe of a role, as declared: what it looks at, how often, and when it is there.

use std::sync::Arc;

use super::fields::{Fields, unknown_key, wrong_type};
use super::steps::Steps;
use super::yaml::{Node, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean, listed};
use crate::render::Programs;
use crate::vars::{Term, TermField};

/// What a probe looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeKind {
    Port,
    Http,
    Command,
    Unit,
}

/// A probe as declared.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) kind: ProbeKind,
    /// Where its kind stands.
    pub(crate) span: Span,
    /// What it looks at, under the word of its kind, and the attributes.
    pub(crate) attributes: Vec<(Arc<str>, TermField)>,
    pub(crate) steps: Steps,
}

impl ProbeKind {
    const ALL: [Self; 4] = [Self::Port, Self::Http, Self::Command, Self::Unit];

    /// What every probe has.
    const TIMES: [&'static str; 3] = ["interval_s", "retries", "timeout_s"];

    /// The word for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Http => "http",
            Self::Command => "command",
            Self::Unit => "unit",
        }
    }

    /// The attributes that only this kind has.
    const fn attributes(self) -> &'static [&'static str] {
        match self {
            Self::Port => &["host"],
            Self::Http => &["contains", "status"],
            Self::Command => &["run_as"],
            Self::Unit => &[],
        }
    }
}

impl Probe {
    /// Reads a role's list `probes`.
    pub(super) fn read_all(
        node: &Node,
        programs: &mut Programs,
        wrong: &mut Diagnostics,
    ) -> Vec<Self> {
        let Yaml::List(items) = &node.value else {
            wrong.push(wrong_type("a list of probes", node));
            return Vec::new();
        };
        let read = |item| Self::read(item, (&mut *programs, &mut *wrong));
        items.iter().filter_map(read).collect()
    }

    fn read(node: &Node, (programs, wrong): (&mut Programs, &mut Diagnostics)) -> Option<Self> {
        let mut fields = Fields::of(node, "a probe", wrong)?;
        let steps = Steps::read(&mut fields, programs, wrong);
        let found = ProbeKind::ALL.into_iter().find_map(|kind| {
            let mut rest = fields.rest();
            Some((kind, rest.find(|(name, _)| &***name == kind.as_str())?.1))
        });
        let Some((kind, subject)) = found else {
            wrong.push(without_kind(&fields, node));
            return None;
        };
        let mut attributes = Vec::new();
        for (name, field) in fields.rest() {
            let own = [kind.as_str()].into_iter();
            let known = own.chain(kind.attributes().iter().copied());
            let known: Vec<&str> = known.chain(ProbeKind::TIMES).chain(Steps::KEYS).collect();
            if !known.contains(&&**name) {
                let what = format!("a `{}` probe", kind.as_str());
                wrong.push(unknown_key(name, &field.key, &what, &known));
                continue;
            }
            let key = field.key.clone();
            let term = Term::of(&field.node, programs);
            attributes.push((Arc::clone(name), TermField { key, term }));
        }
        Some(Self {
            kind,
            span: subject.key.clone(),
            attributes,
            steps,
        })
    }
}

/// A probe that looks at nothing, or at what it cannot.
fn without_kind(fields: &Fields<'_>, node: &Node) -> Diagnostic {
    let words = || ProbeKind::ALL.map(ProbeKind::as_str);
    let near = fields
        .rest()
        .find_map(|(name, field)| Some((&field.key, did_you_mean(name, words())?)));
    let (span, help) = near.unwrap_or_else(|| {
        let help = format!("it has one of {}", listed(words()));
        (&node.span, help)
    });
    let message = "a probe looks at a port, a page, a command or a unit";
    Diagnostic::new(Code::MissingKey, message, span).help(help)
}
