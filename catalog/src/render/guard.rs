//! Guards: filters put behind parts of a program, in the text that is compiled.

use std::cmp::Reverse;

use minijinja::machinery::ast::Expr;

use super::edits::Edit;
use super::shape::{is_chain, range};

/// Text to put in at a place, for an expression that begins at another.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    at: usize,
    begin: usize,
    side: Side,
    /// How much it takes the place of.
    removed: usize,
    text: String,
}

/// On which side of what is guarded text is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Behind,
    Before,
    /// In the place of an operator.
    Operator,
}

impl Guard {
    /// Text in front of a place.
    pub(super) fn before(at: usize, text: impl Into<String>) -> Self {
        Self::new((at, at), Side::Before, text)
    }

    /// Text behind what begins at a place and ends at another.
    pub(super) fn behind(range: (usize, usize), text: impl Into<String>) -> Self {
        Self::new(range, Side::Behind, text)
    }

    /// Text in the place of an operator.
    pub(super) fn operator(range: std::ops::Range<usize>, text: impl Into<String>) -> Self {
        let guard = Self::new((range.start, range.start), Side::Operator, text);
        Self {
            removed: range.len(),
            ..guard
        }
    }

    fn new((begin, at): (usize, usize), side: Side, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            at,
            begin,
            side,
            removed: 0,
            text,
        }
    }
}

/// Guards as edits in the order of their places. What ends at one place ends from the inside out,
/// and an expression is guarded before what is in it.
pub(super) fn in_order(mut guards: Vec<Guard>) -> Vec<Edit> {
    guards.reverse();
    guards.sort_by_key(|guard| (guard.at, guard.side, Reverse(guard.begin)));
    let edits = guards.into_iter().map(|guard| Edit {
        begin: guard.begin,
        at: guard.at,
        removed: guard.removed,
        text: guard.text,
    });
    edits.collect()
}

/// The call of a filter behind a name, with the name for the error.
pub(super) fn named(filter: &str, name: &str) -> String {
    match name.contains(['"', '\\', '\n', '{', '%', '}']) {
        true => format!("|{filter}"),
        false => format!("|{filter}(\"{name}\")"),
    }
}

/// Puts a call of a filter behind an expression.
pub(super) fn put(guards: &mut Vec<Guard>, text: &str, expr: &Expr<'_>, call: &str) {
    let (begin, end) = range(text, expr);
    if is_chain(expr) {
        return guards.push(Guard::behind((begin, end), call));
    }
    guards.push(Guard::before(begin, "("));
    guards.push(Guard::behind((begin, end), format!("){call}")));
}

/// The same in brackets, for what more may stand behind.
pub(super) fn put_closed(guards: &mut Vec<Guard>, text: &str, expr: &Expr<'_>, call: &str) {
    let (begin, end) = range(text, expr);
    let (open, close) = match is_chain(expr) {
        true => ("(", ""),
        false => ("((", ")"),
    };
    guards.push(Guard::before(begin, open));
    guards.push(Guard::behind((begin, end), format!("{close}{call})")));
}
