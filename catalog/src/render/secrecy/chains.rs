//! Paths that programs read: `a.b["c"][0]` is the path of an item of `a.b.c`.

use minijinja::machinery::ast::{CallArg, Expr, Stmt};
use minijinja::machinery::{parse, parse_expr};

use super::depends::ITEM;
use crate::render::prepare::Plain;
use crate::render::programs::Kind;

/// A step that is worked out.
const ANY: &str = "\u{0}";

/// The path of a chain from its name on, as far as it is written out.
pub(in crate::render) fn path<'e>(expr: &'e Expr<'_>) -> Option<Vec<&'e str>> {
    let mut path = steps(expr)?;
    let written = path.iter().position(|step| *step == ANY);
    path.truncate(written.unwrap_or(path.len()));
    Some(path)
}

fn steps<'e>(expr: &'e Expr<'_>) -> Option<Vec<&'e str>> {
    let (inner, step) = match expr {
        Expr::Var(var) => return Some(vec![var.id]),
        Expr::GetAttr(attribute) => (&attribute.expr, attribute.name),
        Expr::GetItem(item) => {
            let step = match &item.subscript_expr {
                Expr::Const(key) => key.value.as_str().unwrap_or(ITEM),
                _ => ANY,
            };
            (&item.expr, step)
        }
        _ => return None,
    };
    let mut steps = steps(inner)?;
    steps.push(step);
    Some(steps)
}

/// Every path that a program reads, names of its own among them.
pub(super) fn reads(plain: &Plain) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    match plain.kind {
        Kind::Expression | Kind::Match => {
            if let Ok(expr) = parse_expr(plain.text()) {
                in_expr(&expr, &mut found);
            }
        }
        Kind::Text => {
            if let Ok(stmt) = parse(plain.text(), "", plain.syntax.clone()) {
                in_stmt(&stmt, &mut found);
            }
        }
    }
    found
}

pub(in crate::render) fn in_expr(expr: &Expr<'_>, found: &mut Vec<Vec<String>>) {
    match path(expr) {
        Some(path) => {
            found.push(path.into_iter().map(str::to_owned).collect());
            in_keys(expr, found);
        }
        None => each_in(expr, &mut |inner| in_expr(inner, found)),
    }
}

/// What the keys of a chain read.
fn in_keys(chain: &Expr<'_>, found: &mut Vec<Vec<String>>) {
    match chain {
        Expr::GetAttr(attribute) => in_keys(&attribute.expr, found),
        Expr::GetItem(item) => {
            in_keys(&item.expr, found);
            in_expr(&item.subscript_expr, found);
        }
        _ => {}
    }
}

/// Visits the expressions right inside of one.
pub(super) fn each_in<'e, 'a>(expr: &'e Expr<'a>, visit: &mut dyn FnMut(&'e Expr<'a>)) {
    match expr {
        Expr::Var(_) | Expr::Const(_) => {}
        Expr::Slice(slice) => {
            visit(&slice.expr);
            let bounds = slice.start.iter().chain(&slice.stop).chain(&slice.step);
            bounds.for_each(visit);
        }
        Expr::UnaryOp(unary) => visit(&unary.expr),
        Expr::BinOp(binary) => {
            visit(&binary.left);
            visit(&binary.right);
        }
        Expr::Compare(compare) => {
            visit(&compare.expr);
            compare.ops.iter().for_each(|op| visit(&op.expr));
        }
        Expr::IfExpr(choice) => {
            visit(&choice.test_expr);
            visit(&choice.true_expr);
            choice.false_expr.iter().for_each(visit);
        }
        Expr::Filter(filter) => {
            filter.expr.iter().for_each(&mut *visit);
            in_args(&filter.args, visit);
        }
        Expr::Test(test) => {
            visit(&test.expr);
            in_args(&test.args, visit);
        }
        Expr::GetAttr(attribute) => visit(&attribute.expr),
        Expr::GetItem(item) => {
            visit(&item.expr);
            visit(&item.subscript_expr);
        }
        Expr::Call(call) => {
            visit(&call.expr);
            in_args(&call.args, visit);
        }
        Expr::List(list) => list.items.iter().for_each(visit),
        Expr::Tuple(tuple) => tuple.items.iter().for_each(visit),
        Expr::Map(map) => map.keys.iter().chain(&map.values).for_each(visit),
    }
}

fn in_args<'e, 'a>(args: &'e [CallArg<'a>], visit: &mut dyn FnMut(&'e Expr<'a>)) {
    args.iter().for_each(|arg| visit(argument(arg)));
}

/// The expression of an argument.
pub(super) fn argument<'e, 'a>(arg: &'e CallArg<'a>) -> &'e Expr<'a> {
    let (CallArg::Pos(expr)
    | CallArg::Kwarg(_, expr)
    | CallArg::PosSplat(expr)
    | CallArg::KwargSplat(expr)) = arg;
    expr
}

fn in_body(body: &[Stmt<'_>], found: &mut Vec<Vec<String>>) {
    body.iter().for_each(|stmt| in_stmt(stmt, found));
}

pub(in crate::render) fn in_stmt(stmt: &Stmt<'_>, found: &mut Vec<Vec<String>>) {
    match stmt {
        Stmt::Template(template) => in_body(&template.children, found),
        Stmt::EmitExpr(emit) => in_expr(&emit.expr, found),
        Stmt::EmitRaw(_) | Stmt::Continue(_) | Stmt::Break(_) => {}
        Stmt::ForLoop(each) => {
            in_expr(&each.iter, found);
            each.filter_expr
                .iter()
                .for_each(|expr| in_expr(expr, found));
            in_body(&each.body, found);
            in_body(&each.else_body, found);
        }
        Stmt::IfCond(choice) => {
            in_expr(&choice.expr, found);
            in_body(&choice.true_body, found);
            in_body(&choice.false_body, found);
        }
        Stmt::WithBlock(with) => {
            with.assignments
                .iter()
                .for_each(|(_, value)| in_expr(value, found));
            in_body(&with.body, found);
        }
        Stmt::Set(set) => in_expr(&set.expr, found),
        Stmt::SetBlock(set) => {
            set.filter.iter().for_each(|expr| in_expr(expr, found));
            in_body(&set.body, found);
        }
        Stmt::AutoEscape(escape) => in_body(&escape.body, found),
        Stmt::FilterBlock(block) => {
            in_expr(&block.filter, found);
            in_body(&block.body, found);
        }
        Stmt::Block(block) => in_body(&block.body, found),
        Stmt::Import(import) => in_expr(&import.expr, found),
        Stmt::FromImport(import) => in_expr(&import.expr, found),
        Stmt::Extends(extends) => in_expr(&extends.name, found),
        Stmt::Include(include) => in_expr(&include.name, found),
        Stmt::Macro(declared) => {
            declared
                .defaults
                .iter()
                .for_each(|expr| in_expr(expr, found));
            in_body(&declared.body, found);
        }
        Stmt::CallBlock(block) => {
            in_args(&block.call.args, &mut |expr| in_expr(expr, found));
            in_body(&block.macro_decl.body, found);
        }
        Stmt::Do(run) => {
            in_expr(&run.call.expr, found);
            in_args(&run.call.args, &mut |expr| in_expr(expr, found));
        }
    }
}
