//! From an error of the engine to what went wrong where.
//!
//! A lazy variable that fails inside of another program hands its own error through the engine as
//! a marked detail, so that the reader sees the place that is wrong and not the one that asked.

use std::ops::Range;

use minijinja::{Error, ErrorKind, Value};

use super::environment::path;
use super::secret::{CHOSEN, UNSEEN};
use super::vocabulary::Word;
use crate::diag::{Code, Span};

/// Marks an error of the engine that stands for one that is already recorded; a number follows.
const CARRIED: &str = "\u{0}recorded ";

/// Marks the error of something undefined that is known by name; the name follows.
pub(super) const NAMED: &str = "\u{0}undefined ";

/// What stands between what is wrong and what to do about it.
pub(super) const ADVICE: char = '\u{1}';

/// What went wrong where, before the host and its variables are known to the message.
#[derive(Debug, Clone)]
pub(crate) struct Failing {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) span: Option<Span>,
    /// Where the template was asked for.
    pub(crate) used: Option<Span>,
    /// The expression that was undefined.
    pub(crate) undefined: Option<String>,
    /// The number of an error that is recorded already.
    pub(crate) recorded: Option<usize>,
    /// What to do about it, where the error alone shows that.
    pub(crate) help: Option<Box<str>>,
}

/// An error that stands for a recorded one.
fn carried(number: usize) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("{CARRIED}{number}"))
}

/// The number of the recorded error that a message stands for.
pub(crate) fn recorded_in(message: &str) -> Option<usize> {
    let at = message.find(CARRIED)? + CARRIED.len();
    let digits = message.get(at..)?;
    let end = digits.find(|c: char| !c.is_ascii_digit());
    digits.get(..end.unwrap_or(digits.len()))?.parse().ok()
}

/// A value that makes the program which touches it fail as the recorded error.
pub(crate) fn carried_value(number: usize) -> Value {
    Value::from(carried(number))
}

/// Beyond a limit.
pub(super) fn of_limit(span: Span, what: String) -> Failing {
    Failing {
        code: Code::Limit,
        message: format!("this {what}"),
        span: Some(span),
        used: None,
        undefined: None,
        recorded: None,
        help: None,
    }
}

impl Failing {
    /// Text whose secrets are not whole any more.
    pub(super) fn altered(span: Span) -> Self {
        let help = "print secrets as they are; noncharacters (U+FDD0, U+FDD1) stand for them, and nothing else may hold some";
        Self {
            code: Code::Secret,
            message: "a secret in this text was changed".to_owned(),
            span: Some(span),
            used: None,
            undefined: None,
            recorded: None,
            help: Some(help.into()),
        }
    }

    /// Something undefined.
    pub(super) fn undefined(expression: &str, span: Span, name: &str) -> Self {
        Self {
            code: Code::Undefined,
            message: format!("`{expression}` is undefined"),
            span: Some(span),
            used: None,
            undefined: Some(name.to_owned()),
            recorded: None,
            help: None,
        }
    }

    /// From an error of the engine; `place` finds a range of a template.
    pub(super) fn of(
        error: &Error,
        place: impl Fn(Option<&str>, Range<usize>) -> Option<Span>,
        fallback: Option<Span>,
    ) -> Self {
        let chain = chain(error);
        let recorded = chain
            .iter()
            .find_map(|one| one.detail()?.strip_prefix(CARRIED)?.parse().ok());
        let innermost = chain.iter().rev().find(|one| one.range().is_some());
        let told = innermost.copied().unwrap_or(error);
        let root = chain.last().copied().unwrap_or(error);
        let range = told.range().unwrap_or(0..0);
        let span = place(told.name(), range).or(fallback);
        let text = span
            .as_ref()
            .map(|span| span.text().to_owned())
            .unwrap_or_default();
        let named = root.detail().and_then(|detail| detail.strip_prefix(NAMED));
        let undefined = (root.kind() == ErrorKind::UndefinedError)
            .then(|| named.map_or_else(|| name_in(span.as_ref(), &text), str::to_owned));
        let within = named.and_then(|name| Some((text.find(name)?, name.len())));
        let span = match (span, within) {
            (Some(span), Some((at, length))) => Some(span.within(at..at + length)),
            (span, _) => span,
        };
        let (code, message, help) = match about_secret(root) {
            Some((code, message, help)) => (code, message.to_owned(), Some(help.to_owned())),
            None => {
                let (message, help) = message(root, undefined.as_deref());
                (code(root.kind()), message, help)
            }
        };
        Self {
            code,
            message,
            help: help.map(String::into_boxed_str),
            span,
            used: None,
            undefined,
            recorded,
        }
    }
}

/// The error and its causes, as far as they are the engine's.
fn chain(error: &Error) -> Vec<&Error> {
    let mut chain = vec![error];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<Error>() {
            chain.push(error);
        }
        cause = error.source();
    }
    chain
}

fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::UndefinedError => Code::Undefined,
        ErrorKind::OutOfFuel => Code::Limit,
        ErrorKind::TemplateNotFound => Code::MissingFile,
        _ => Code::Evaluation,
    }
}

/// What a guard of secrets says, and what to do about it.
fn about_secret(error: &Error) -> Option<(Code, &str, &str)> {
    let detail = error.detail()?;
    let unseen = detail.strip_prefix(UNSEEN).map(|rest| (Code::Secret, rest));
    let chosen = || Some((Code::ChosenSecret, detail.strip_prefix(CHOSEN)?));
    let (code, rest) = unseen.or_else(chosen)?;
    let (message, help) = rest.split_once('\u{0}')?;
    Some((code, message, help))
}

/// What is wrong, and what to do about it.
fn message(error: &Error, undefined: Option<&str>) -> (String, Option<String>) {
    let detail = error.detail().unwrap_or_default();
    let unknown = |word: Word, before: &str| {
        let name = detail.trim_end_matches(" is unknown");
        word.unknown(name.strip_prefix(before).unwrap_or(name))
    };
    match (error.kind(), undefined) {
        (ErrorKind::UndefinedError, Some(name)) if !name.is_empty() => {
            (format!("`{name}` is undefined"), None)
        }
        (ErrorKind::UndefinedError, _) => {
            let help = "ask with `is defined`, or give a `default`";
            (
                "a part of this is undefined".to_owned(),
                Some(help.to_owned()),
            )
        }
        (ErrorKind::OutOfFuel, _) => {
            let message =
                "this takes more steps or memory than a program may: does a loop not end?";
            (message.to_owned(), None)
        }
        (ErrorKind::UnknownFilter, _) => unknown(Word::Filter, "filter "),
        (ErrorKind::UnknownTest, _) => unknown(Word::Test, "test "),
        (ErrorKind::UnknownFunction, _) => unknown(Word::Function, ""),
        (ErrorKind::TemplateNotFound, _) => {
            let name = path(detail.split('\'').nth(1).unwrap_or(detail));
            let help = "a template names others by their path under the role's `templates/`";
            (
                format!("there is no template `{name}`"),
                Some(help.to_owned()),
            )
        }
        (ErrorKind::InvalidOperation, _) if !detail.is_empty() => match detail.split_once(ADVICE) {
            Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
            None => (detail.to_owned(), None),
        },
        (kind, _) if detail.is_empty() => (kind.to_string(), None),
        (kind, _) => (format!("{kind}: {detail}"), None),
    }
}

/// The name that is undefined where an expression stands; none where it is the name of a filter, or
/// a part of what is not written as a name.
fn name_in(span: Option<&Span>, text: &str) -> String {
    let before = span.and_then(|span| span.source().text().get(..span.range().start));
    let name = chain_in(text);
    let filter = before.is_some_and(|before| before.trim_end().ends_with('|'));
    match filter || name.starts_with('.') {
        true => String::new(),
        false => name,
    }
}

/// The names and dots at the front of an expression, `a.b` of `a.b|upper`.
fn chain_in(expression: &str) -> String {
    let text = expression.trim();
    let text = text
        .strip_prefix("{{")
        .unwrap_or(text)
        .trim_start_matches('-')
        .trim();
    let stop = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '\'' | '"'));
    text[..text.find(stop).unwrap_or(text.len())].to_owned()
}
