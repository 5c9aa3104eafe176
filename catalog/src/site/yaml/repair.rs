//! A document that the parser refused, without the values that begin with an unquoted `{{`.
//!
//! Two opening braces side by side, outside of quotes and comments, are never what somebody who
//! writes YAML means. They are told each at its place and covered with letters of the same length,
//! so that the rest of the file can be read and its places stay.

use std::sync::Arc;

use granit_parser::{Scanner, StrInput, TokenType};

use crate::diag::{Code, Diagnostic, Source, Span};

/// Most values that are covered in one file; the parser is asked again after each.
const MAX_REPAIRS: usize = 32;

/// A text that may be read in place of the one that was refused.
pub(super) struct Repaired {
    pub(super) text: String,
    /// What was wrong with the other.
    pub(super) told: Vec<Diagnostic>,
}

impl Repaired {
    /// Covers what can be recognised; `None` where that is nothing.
    pub(super) fn of(source: &Arc<Source>) -> Option<Self> {
        let mut text = source.text().to_owned();
        let mut told = Vec::new();
        while let Some(begin) = braces(&text).filter(|_| told.len() < MAX_REPAIRS) {
            let end = end_of_value(&text, begin);
            let span = Span::new(source, begin, end);
            let message = "a value that begins with `{{` is a mapping to YAML";
            let quoted = span.text().replace('"', "'");
            told.push(
                Diagnostic::new(Code::UnquotedExpression, message, &span)
                    .help(format!("quote it: \"{quoted}\"")),
            );
            text.replace_range(begin..end, &"x".repeat(end - begin));
        }
        (!told.is_empty()).then_some(Self { text, told })
    }
}

/// Where two braces open side by side.
fn braces(text: &str) -> Option<usize> {
    let mut before: Option<usize> = None;
    // It ends at its first error; what that is, the parser says.
    for token in Scanner::new(StrInput::new(text)).map_while(Result::ok) {
        let opening = matches!(token.token_type(), TokenType::FlowMappingStart);
        let at = token.span().byte_range().map(|range| range.start);
        match (opening, before, at) {
            (true, Some(first), Some(at)) if at == first + 1 => return Some(first),
            (true, ..) => before = at,
            // Between the braces the scanner may put tokens of no length.
            (false, ..) if token.span().is_empty() => {}
            (false, ..) => before = None,
        }
    }
    None
}

/// Where the value that begins with `{{` ends: behind its `}}` in a list or mapping in brackets,
/// else with its line.
fn end_of_value(text: &str, begin: usize) -> usize {
    let line = text[begin..].lines().next().unwrap_or_default();
    let line = line.split(" #").next().unwrap_or(line).trim_end();
    let closed = line.find("}}").map(|at| at + 2);
    match closed {
        Some(at) if line[at..].trim_start().starts_with([',', ']', '}']) => begin + at,
        _ => begin + line.len(),
    }
}
