//! Guards: filters put behind parts of a program, in the text that is compiled.

use std::cmp::Reverse;

use minijinja::machinery::ast::Expr;

/// Text to put in at a place, for an expression that begins at another.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    pub(super) at: usize,
    pub(super) begin: usize,
    side: Side,
    pub(super) text: String,
}

/// On which side of what is guarded text is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Behind,
    Before,
}

impl Guard {
    /// Text in front of a place.
    pub(super) fn before(at: usize, text: impl Into<String>) -> Self {
        Self {
            at,
            begin: at,
            side: Side::Before,
            text: text.into(),
        }
    }

    /// Text behind what begins at a place and ends at another.
    pub(super) fn behind((begin, at): (usize, usize), text: impl Into<String>) -> Self {
        Self {
            at,
            begin,
            side: Side::Behind,
            text: text.into(),
        }
    }
}

/// Puts guards in their order: what ends at one place ends from the inside out.
pub(super) fn sort(guards: &mut [Guard]) {
    guards.reverse();
    guards.sort_by_key(|guard| (guard.at, guard.side, Reverse(guard.begin)));
}

/// The call of a filter behind a name, with the name for the error.
pub(super) fn named(filter: &str, name: &str) -> String {
    match name.contains(['"', '\\', '\n', '{', '%', '}']) {
        true => format!("|{filter}"),
        false => format!("|{filter}(\"{name}\")"),
    }
}

/// Where an expression begins and ends: its first token, brackets around that aside, which those
/// that are put in stand beside.
pub(super) fn range(expr: &Expr<'_>) -> (usize, usize) {
    (start(expr), expr.span().end_offset as usize)
}

/// Puts a call of a filter behind an expression.
pub(super) fn put(guards: &mut Vec<Guard>, expr: &Expr<'_>, call: impl Into<String>) {
    let (begin, end) = range(expr);
    if is_chain(expr) {
        return guards.push(Guard::behind((begin, end), call));
    }
    guards.push(Guard::before(begin, "("));
    guards.push(Guard::behind((begin, end), format!("){}", call.into())));
}

/// The same in brackets, for what more may stand behind.
pub(super) fn put_closed(guards: &mut Vec<Guard>, expr: &Expr<'_>, call: &str) {
    let (begin, end) = range(expr);
    let (open, close) = match is_chain(expr) {
        true => ("(", ""),
        false => ("((", ")"),
    };
    guards.push(Guard::before(begin, open));
    guards.push(Guard::behind((begin, end), format!("{close}{call})")));
}

/// A name, with attributes and items behind it.
pub(super) fn is_chain(expr: &Expr<'_>) -> bool {
    matches!(expr, Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_))
}

/// A value that stands in the program itself.
pub(super) fn is_const(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Const(_) => true,
        Expr::List(list) => list.items.iter().all(is_const),
        Expr::Tuple(tuple) => tuple.items.iter().all(is_const),
        _ => false,
    }
}

/// Where it begins.
pub(super) fn start(expr: &Expr<'_>) -> usize {
    match expr {
        Expr::GetAttr(attribute) => start(&attribute.expr),
        Expr::GetItem(item) => start(&item.expr),
        Expr::Slice(slice) => start(&slice.expr),
        Expr::Tuple(tuple) => match tuple.items.first() {
            Some(first) => start(first),
            None => expr.span().start_offset as usize,
        },
        Expr::BinOp(binary) => start(&binary.left),
        Expr::Compare(compare) => start(&compare.expr),
        Expr::IfExpr(choice) => start(&choice.true_expr),
        Expr::Test(test) => start(&test.expr),
        Expr::Call(call) => start(&call.expr),
        Expr::Filter(filter) if filter.expr.is_some() => filter.expr.as_ref().map_or(0, start),
        other => other.span().start_offset as usize,
    }
}
