//! An error that is expected: by its code, by a part of its words, or by both.

use std::sync::Arc;

use crate::diag::{Code, Diagnostic, Diagnostics, Span, UnknownCode, did_you_mean};
use crate::site::fields::{Fields, text};
use crate::site::yaml::{Node, Yaml};

/// An error that is expected.
#[derive(Debug)]
pub(super) struct WantedError {
    code: Option<Code>,
    text: Option<Arc<str>>,
    span: Span,
}

impl WantedError {
    /// Reads `error`: a code, or a mapping of `code` and `text`.
    pub(super) fn read(node: &Node, wrong: &mut Diagnostics) -> Option<Self> {
        if matches!(node.value, Yaml::Text(_)) {
            return Some(Self {
                code: Some(code(node, wrong)?),
                text: None,
                span: node.span.clone(),
            });
        }
        let mut fields = Fields::of(node, "an expected error", wrong)?;
        let wanted = fields.get("code").map(|field| &field.node);
        let wanted = match wanted {
            None => None,
            Some(node) => Some(code(node, wrong)?),
        };
        let part = fields.text("text", wrong).map(|(text, _)| text);
        fields.finish(wrong);
        if wanted.is_none() && part.is_none() {
            let message = "an expected error has a `code`, a `text`, or both";
            wrong.push(Diagnostic::new(Code::MissingKey, message, &node.span));
        }
        Some(Self {
            code: wanted,
            text: part,
            span: node.span.clone(),
        })
    }

    /// What is said of a host that has a catalog.
    pub(super) fn compiles(&self) -> Diagnostic {
        let message = "the host compiles, and an error is expected";
        Diagnostic::new(Code::UnmetExpectation, message, &self.span)
    }

    /// What is said of a host that has none, for whatever reason.
    pub(super) fn check(&self, found: &Diagnostics) -> Option<Diagnostic> {
        let is_it = |one: &Diagnostic| {
            let text = self.text.as_deref();
            self.code.is_none_or(|code| code == one.code)
                && text.is_none_or(|text| one.message.contains(text))
        };
        if found.iter().any(is_it) {
            return None;
        }
        let mut told = Diagnostic::new(
            Code::UnmetExpectation,
            "the host has another error",
            &self.span,
        );
        if let Some(first) = found.iter().next() {
            let words = format!("{}: {}", first.code, first.message);
            told = because(told, first, words);
        }
        Some(told)
    }
}

/// Points to the place of another error, where it has one in the repo.
pub(super) fn because(told: Diagnostic, reason: &Diagnostic, words: String) -> Diagnostic {
    let place = reason.labels.first().map(|label| &label.span);
    match place.filter(|span| !span.source().text().is_empty()) {
        Some(span) => told.also(span, words),
        None => told.help(words),
    }
}

fn code(node: &Node, wrong: &mut Diagnostics) -> Option<Code> {
    let (word, span) = text(node, wrong)?;
    let code: Result<Code, UnknownCode> = word.parse();
    if code.is_err() {
        let message = format!("there is no error code `{word}`");
        let words = Code::ALL.iter().map(|code| code.as_str());
        let help = did_you_mean(&word, words);
        let told = Diagnostic::new(Code::InvalidValue, message, &span);
        wrong.push(told.help(help.unwrap_or_else(|| "`holdfast help` lists the codes".to_owned())));
    }
    code.ok()
}
