//! The programs of a site, collected while it is parsed: what to compile, and where it stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Value;

use super::secret::Handle;
use crate::diag::{Source, Span};
use crate::site::Secret;

/// A program, by its place in the list of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ProgramId(pub(crate) u32);

/// What a program gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A value of any type.
    Expression,
    /// An expression over a host's record, where an attribute that other hosts have is none.
    Match,
    /// A string with expressions in it.
    Text,
}

/// A program as written.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A template of a role.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) source: Arc<Source>,
}

/// All programs and templates of a site.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    pub(crate) list: Vec<Program>,
    pub(crate) templates: Vec<Template>,
    /// The secrets that values are, by their number.
    pub(crate) secrets: Vec<Arc<Secret>>,
    /// Roles whose resources treat the white space of templates in ways of their own.
    pub(crate) whitespace: BTreeSet<Arc<str>>,
}

impl Programs {
    /// Takes a program that stands in a scalar.
    pub(crate) fn add(&mut self, kind: Kind, text: &str, span: &Span) -> ProgramId {
        let id = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(Program {
            kind,
            text: text.to_owned(),
            span: span.clone(),
        });
        ProgramId(id)
    }

    /// Takes a secret; what stands for it in expressions.
    pub(crate) fn add_secret(&mut self, secret: &Arc<Secret>) -> Value {
        self.secrets.push(Arc::clone(secret));
        Handle::of(self.secrets.len() - 1, secret).into_value()
    }

    /// Takes a template.
    pub(crate) fn add_template(&mut self, source: Arc<Source>) {
        self.templates.push(Template { source });
    }
}

impl Program {
    /// Where a range of the program's text stands in its file; the whole scalar where escapes or
    /// folded lines keep the text from being found.
    pub(crate) fn place(&self, range: std::ops::Range<usize>) -> Span {
        match self.span.text().find(&self.text) {
            Some(at) if range.end > range.start => {
                self.span.within(at + range.start..at + range.end)
            }
            _ => self
                .among_escapes(range)
                .unwrap_or_else(|| self.span.clone()),
        }
    }

    /// A range of a text that is written with escapes or in folded lines: where the same part
    /// stands there, for the same time.
    fn among_escapes(&self, range: std::ops::Range<usize>) -> Option<Span> {
        let part = self.text.get(range.clone())?;
        let before = self.text.get(..range.start)?;
        let mut written = self.span.text().match_indices(part.trim());
        let (at, found) = written.nth(before.matches(part.trim()).count())?;
        (!found.is_empty()).then(|| self.span.within(at..at + found.len()))
    }
}
