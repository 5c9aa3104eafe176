//! A program that does not parse: where, and what to write instead, for those who bring the
//! operators of other languages.

use std::ops::Range;

use minijinja::machinery::tokenize;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Error, ErrorKind};

use super::length::Written;
use crate::diag::{Code, Diagnostic, Span};

/// Words of other languages, and what stands for them.
const INSTEAD: [(&str, &str); 8] = [
    ("===", "`==` compares"),
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("!", "write `not`"),
    ("?", "`a if condition else b` chooses"),
    (
        "++",
        "`{% set x = x + 1 %}` counts; in a loop, with a `namespace`",
    ),
    ("=", "`==` compares; `{% set name = … %}` gives a name"),
    ("$", "variables are named as they are, without `$`"),
];

/// The first thing in a program that is no word of the language. The engine's parser takes what
/// stands behind some text for the end of the program.
pub(super) fn unreadable(text: &str, written: Written, syntax: &SyntaxConfig) -> Option<Error> {
    let tokens = tokenize(text, written == Written::Expression, syntax.clone());
    tokens.into_iter().find_map(Result::err)
}

/// What is told of a program that does not parse; `place` finds a range of it.
pub(super) fn syntax_error(
    error: &Error,
    compiled: &str,
    place: impl Fn(Range<usize>) -> Span,
) -> Diagnostic {
    let range = error.range().unwrap_or(0..0);
    let help = advice(compiled, range.start).map(str::to_owned);
    let detail = error.detail().unwrap_or("it does not parse");
    let what = match error.kind() {
        ErrorKind::SyntaxError => format!("syntax error: {detail}"),
        _ => error.to_string(),
    };
    Diagnostic::new(Code::Syntax, what, &place(range)).maybe_help(help)
}

/// What is meant by what stands at a place where a program does not parse.
fn advice(program: &str, at: usize) -> Option<&'static str> {
    let before = program.get(..at).unwrap_or_default();
    let here = program.get(at..).unwrap_or_default();
    if before.trim_end().ends_with("else") && here.starts_with("if") {
        return Some("write `elif`");
    }
    // The parser may have gone into the word, or have stopped at the blank before it.
    let from = before.trim_end_matches(['|', '&', '=']).len();
    let rest = program.get(from..)?.trim_start();
    let found = INSTEAD.iter().find(|(word, _)| rest.starts_with(word));
    found.map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_languages_are_understood() {
        let of = |text: &str, sign: &str| advice(text, text.find(sign).unwrap_or(0));
        assert_eq!(of("a = 1", "="), Some(INSTEAD[6].1));
        assert_eq!(of("a && b", "&"), Some("write `and`"));
        assert_eq!(advice("a || b", 3), Some("write `or`"));
        assert_eq!(of("!a", "!"), Some("write `not`"));
        assert_eq!(of("a ? b : c", "?"), Some(INSTEAD[4].1));
        assert_eq!(advice("a === b", 4), Some("`==` compares"));
        assert_eq!(of("{% else if a %}", "if"), Some("write `elif`"));
        assert_eq!(of("a b", "b"), None);
    }
}
