//! The shape of expressions: what is a name, what a constant, where one begins and ends.

use minijinja::machinery::ast::{BinOpKind, Expr, UnaryOpKind};

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

/// A list or mapping that stands in the program, or a choice of such.
pub(super) fn is_literal(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::List(_) | Expr::Map(_) => true,
        Expr::IfExpr(choice) => {
            is_literal(&choice.true_expr) || choice.false_expr.as_ref().is_some_and(is_literal)
        }
        _ => false,
    }
}

/// Where an expression begins and ends: its first token, brackets around that aside, which those
/// that are put in stand beside.
pub(super) fn range(text: &str, expr: &Expr<'_>) -> (usize, usize) {
    (start(text, expr), expr.span().end_offset as usize)
}

/// Where an expression begins.
pub(super) fn start(text: &str, expr: &Expr<'_>) -> usize {
    let of = |inner: &Expr<'_>| start(text, inner);
    let told = expr.span().start_offset as usize;
    match expr {
        Expr::GetAttr(attribute) => of(&attribute.expr),
        Expr::GetItem(item) => of(&item.expr),
        Expr::Slice(slice) => of(&slice.expr),
        Expr::Tuple(tuple) => tuple.items.first().map_or(told, of),
        Expr::BinOp(binary) => of(&binary.left),
        Expr::Compare(compare) => of(&compare.expr),
        Expr::IfExpr(choice) => of(&choice.true_expr),
        Expr::Test(test) => of(&test.expr),
        Expr::Call(call) => of(&call.expr),
        Expr::Filter(filter) => filter.expr.as_ref().map_or(told, of),
        Expr::UnaryOp(unary) if matches!(unary.op, UnaryOpKind::Not) => {
            let behind = text.get(told..).unwrap_or_default();
            match &unary.expr {
                Expr::Test(test) if !is_prefix(behind, told, of(&test.expr)) => of(&test.expr),
                // The parser has `a not in b` begin at the word before it.
                Expr::BinOp(within)
                    if matches!(within.op, BinOpKind::In)
                        && !is_prefix(behind, told, of(&within.left)) =>
                {
                    of(&within.left)
                }
                _ => told,
            }
        }
        _ => told,
    }
}

/// Whether a `not` stands in front of what begins at a place, and not in it or behind it.
fn is_prefix(behind: &str, at: usize, inner: usize) -> bool {
    let rest = behind.strip_prefix("not").unwrap_or("x");
    at < inner && !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// The name that a chain begins with.
pub(super) fn root<'a>(expr: &Expr<'a>) -> Option<&'a str> {
    match expr {
        Expr::Var(var) => Some(var.id),
        Expr::GetAttr(attribute) => root(&attribute.expr),
        Expr::GetItem(item) => root(&item.expr),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use minijinja::machinery::parse_expr;

    use super::*;

    #[test]
    fn an_expression_begins_at_its_first_word() {
        for (text, begins) in [
            ("x == (a not in b)", "a not in b)"),
            ("x == (not a in b)", "not a in b)"),
            ("x == (a.b is not defined)", "a.b is not defined)"),
            ("x == (not a is defined)", "not a is defined)"),
            ("x == (nota not in b)", "nota not in b)"),
            ("x == (-a)", "-a)"),
        ] {
            let expr = parse_expr(text).unwrap();
            let Expr::BinOp(binary) = &expr else { continue };
            assert_eq!(&text[start(text, &binary.right)..], begins);
        }
    }
}
