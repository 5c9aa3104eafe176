//! What programs read: the paths of variables, whoever evaluates them and whenever.

use minijinja::Value;
use minijinja::machinery::ast::{BinOpKind, CompareOpKind, Expr};
use minijinja::machinery::{parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::engine::Engine;
use super::programs::Kind;
use super::secrecy::{ITEM, in_expr, in_stmt, path};
use super::syntax::of_scalars;

/// Methods of mappings: a step of this name may be one, and reads any part of the mapping.
const OF_MAPPINGS: [&str; 9] = [
    "copy",
    "get",
    "items",
    "iteritems",
    "keys",
    "pop",
    "popitem",
    "setdefault",
    "values",
];

/// What one program or template reads.
#[derive(Debug)]
pub(crate) struct Read<'e> {
    /// The file of the repo that it stands in.
    pub(crate) file: &'e str,
    /// From the name on, as far as steps are written out; `None` where it cannot be walked, so
    /// that it may read anything.
    pub(crate) paths: Option<Vec<Vec<String>>>,
}

impl Engine {
    /// What every program and template reads, names of its own among it.
    pub(crate) fn reads_of_all(&self) -> Vec<Read<'_>> {
        let syntax = of_scalars();
        let scalars = self.scalars().map(|(kind, text, file)| Read {
            file,
            paths: paths(kind, text, &syntax),
        });
        let templates = self.all_templates().map(|(syntax, text, file)| Read {
            file,
            paths: paths(Kind::Text, text, syntax),
        });
        scalars.chain(templates).collect()
    }
}

fn paths(kind: Kind, text: &str, syntax: &SyntaxConfig) -> Option<Vec<Vec<String>>> {
    let mut found = Vec::new();
    match kind {
        Kind::Expression | Kind::Match => in_expr(&parse_expr(text).ok()?, &mut found),
        Kind::Text => in_stmt(&parse(text, "", syntax.clone()).ok()?, &mut found),
    }
    for path in &mut found {
        let opaque = |step: &String| step == ITEM || OF_MAPPINGS.contains(&step.as_str());
        let known = path.iter().skip(1).position(opaque);
        path.truncate(known.map_or(path.len(), |at| at + 1));
    }
    Some(found)
}

/// What a condition demands of paths, each to equal a constant, whatever else it asks: the
/// equalities between its `and`s.
pub(crate) fn demanded(condition: &str) -> Vec<(Vec<String>, Value)> {
    let mut found = Vec::new();
    if let Ok(expr) = parse_expr(condition) {
        demands(&expr, &mut found);
    }
    found
}

fn demands(expr: &Expr<'_>, found: &mut Vec<(Vec<String>, Value)>) {
    let (left, right) = match expr {
        Expr::BinOp(both) if matches!(both.op, BinOpKind::ScAnd) => {
            demands(&both.left, found);
            return demands(&both.right, found);
        }
        Expr::BinOp(both) if matches!(both.op, BinOpKind::Eq) => (&both.left, &both.right),
        Expr::Compare(chain) => match &chain.ops[..] {
            [one] if matches!(one.op, CompareOpKind::Eq) => (&chain.expr, &one.expr),
            _ => return,
        },
        _ => return,
    };
    let (chain, constant) = match (left, right) {
        (Expr::Const(constant), chain) | (chain, Expr::Const(constant)) => (chain, constant),
        _ => return,
    };
    if let Some(path) = path(chain) {
        let path = path.into_iter().map(str::to_owned).collect();
        found.push((path, constant.value.clone()));
    }
}
