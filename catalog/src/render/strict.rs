//! Makes comparisons strict: the engine compares something undefined as if it were a value, so
//! that a typo in `when: params.prot == 80` would quietly be false.
//!
//! Each name or attribute chain that is compared gets a filter behind it which refuses undefined.
//! The filter is inserted into the text that is compiled; places are mapped back.

use std::ops::Range;

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::{parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::programs::Kind;

/// The filter that refuses undefined, put behind what is compared.
pub(super) const GIVEN: &str = "_given";

/// Text to compile, and how its places map to those written.
#[derive(Debug)]
pub(super) struct Strict {
    pub(super) text: String,
    /// Where guards stand in the text as written, and how long they are.
    inserted: Vec<(usize, usize)>,
}

/// An attribute of `host` that a program reads.
#[derive(Debug)]
pub(crate) struct HostAttribute {
    pub(crate) name: String,
    pub(crate) range: Range<usize>,
}

impl Strict {
    /// Guards an expression or a template; `None` where it does not parse.
    pub(super) fn of(
        kind: Kind,
        text: &str,
        syntax: &SyntaxConfig,
    ) -> Option<(Self, Vec<HostAttribute>)> {
        let mut walk = Walk::default();
        match kind {
            Kind::Expression => walk.expr(&parse_expr(text).ok()?),
            Kind::Match => {
                walk.lenient_host = true;
                walk.expr(&parse_expr(text).ok()?);
            }
            Kind::Text => walk.stmt(&parse(text, "", syntax.clone()).ok()?),
        }
        walk.operands.sort_unstable_by_key(|operand| operand.end);
        walk.operands.dedup_by_key(|operand| operand.end);
        let mut strict = String::with_capacity(text.len() * 2);
        let mut inserted = Vec::with_capacity(walk.operands.len());
        let mut from = 0;
        for operand in walk.operands {
            strict.push_str(text.get(from..operand.end)?);
            let guard = guard(text.get(operand.clone())?);
            strict.push_str(&guard);
            inserted.push((operand.end, guard.len()));
            from = operand.end;
        }
        strict.push_str(text.get(from..)?);
        let guarded = Self {
            text: strict,
            inserted,
        };
        Some((guarded, walk.host))
    }

    /// The text as it is, for a program that is reported as wrong anyway.
    pub(super) fn unguarded(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            inserted: Vec::new(),
        }
    }

    /// The place as written of a place in the compiled text.
    pub(super) fn written(&self, range: Range<usize>) -> Range<usize> {
        let back = |at: usize| {
            let mut shift = 0;
            for &(end, step) in &self.inserted {
                match at {
                    _ if at >= end + shift + step => shift += step,
                    _ if at > end + shift => return end,
                    _ => break,
                }
            }
            at - shift
        };
        back(range.start)..back(range.end)
    }
}

/// The filter behind an operand, with the operand's text for the error.
fn guard(operand: &str) -> String {
    match operand.contains(['"', '\\', '\n', '{', '%', '}']) {
        true => format!("|{GIVEN}"),
        false => format!("|{GIVEN}(\"{operand}\")"),
    }
}

#[derive(Default)]
struct Walk {
    operands: Vec<Range<usize>>,
    host: Vec<HostAttribute>,
    lenient_host: bool,
}

impl Walk {
    fn all<'e, 'a: 'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr<'a>>) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn args(&mut self, args: &[CallArg<'_>]) {
        for arg in args {
            match arg {
                CallArg::Pos(expr)
                | CallArg::Kwarg(_, expr)
                | CallArg::PosSplat(expr)
                | CallArg::KwargSplat(expr) => self.expr(expr),
            }
        }
    }

    fn compared(&mut self, expr: &Expr<'_>) {
        let chain = matches!(expr, Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_));
        if chain && !(self.lenient_host && root(expr) == Some("host")) {
            let end = expr.span().end_offset as usize;
            self.operands.push(start(expr)..end);
        }
    }

    fn expr(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::Var(_) | Expr::Const(_) => {}
            Expr::Slice(slice) => {
                self.expr(&slice.expr);
                self.all(slice.start.iter().chain(&slice.stop).chain(&slice.step));
            }
            Expr::UnaryOp(unary) => self.expr(&unary.expr),
            Expr::BinOp(binary) => {
                use BinOpKind::{Eq, Gt, Gte, In, Lt, Lte, Ne};
                if matches!(binary.op, Eq | Ne | Lt | Lte | Gt | Gte | In) {
                    self.compared(&binary.left);
                    self.compared(&binary.right);
                }
                self.all([&binary.left, &binary.right]);
            }
            Expr::Compare(compare) => {
                self.compared(&compare.expr);
                self.expr(&compare.expr);
                for op in &compare.ops {
                    self.compared(&op.expr);
                    self.expr(&op.expr);
                }
            }
            Expr::IfExpr(choice) => {
                self.all([&choice.test_expr, &choice.true_expr]);
                self.all(&choice.false_expr);
            }
            Expr::Filter(filter) => {
                self.all(&filter.expr);
                self.args(&filter.args);
            }
            Expr::Test(test) => {
                self.expr(&test.expr);
                self.args(&test.args);
            }
            Expr::GetAttr(attribute) => {
                if matches!(&attribute.expr, Expr::Var(var) if var.id == "host") {
                    let span = attribute.span();
                    self.host.push(HostAttribute {
                        name: attribute.name.to_owned(),
                        range: span.start_offset as usize..span.end_offset as usize,
                    });
                }
                self.expr(&attribute.expr);
            }
            Expr::GetItem(item) => self.all([&item.expr, &item.subscript_expr]),
            Expr::Call(call) => {
                // A method of the host's record is no attribute of it.
                match &call.expr {
                    Expr::GetAttr(method) => self.expr(&method.expr),
                    other => self.expr(other),
                }
                self.args(&call.args);
            }
            Expr::List(list) => self.all(&list.items),
            Expr::Tuple(tuple) => self.all(&tuple.items),
            Expr::Map(map) => {
                self.all(&map.keys);
                self.all(&map.values);
            }
        }
    }

    fn body(&mut self, body: &[Stmt<'_>]) {
        for stmt in body {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt<'_>) {
        match stmt {
            Stmt::Template(template) => self.body(&template.children),
            Stmt::EmitExpr(emit) => self.expr(&emit.expr),
            Stmt::EmitRaw(_) | Stmt::Continue(_) | Stmt::Break(_) => {}
            Stmt::ForLoop(each) => {
                self.expr(&each.iter);
                self.all(&each.filter_expr);
                self.body(&each.body);
                self.body(&each.else_body);
            }
            Stmt::IfCond(choice) => {
                self.expr(&choice.expr);
                self.body(&choice.true_body);
                self.body(&choice.false_body);
            }
            Stmt::WithBlock(with) => {
                self.all(with.assignments.iter().map(|(_, value)| value));
                self.body(&with.body);
            }
            Stmt::Set(set) => self.expr(&set.expr),
            Stmt::SetBlock(set) => self.body(&set.body),
            Stmt::AutoEscape(escape) => self.body(&escape.body),
            Stmt::FilterBlock(filter) => self.body(&filter.body),
            Stmt::Block(block) => self.body(&block.body),
            Stmt::Import(_) | Stmt::FromImport(_) | Stmt::Extends(_) | Stmt::Include(_) => {}
            Stmt::Macro(declared) => {
                self.all(&declared.defaults);
                self.body(&declared.body);
            }
            Stmt::CallBlock(block) => {
                self.args(&block.call.args);
                self.body(&block.macro_decl.body);
            }
            Stmt::Do(run) => self.args(&run.call.args),
        }
    }
}

/// Where a chain begins: the place of its first name.
fn start(expr: &Expr<'_>) -> usize {
    match expr {
        Expr::GetAttr(attribute) => start(&attribute.expr),
        Expr::GetItem(item) => start(&item.expr),
        other => other.span().start_offset as usize,
    }
}

fn root<'a>(expr: &Expr<'a>) -> Option<&'a str> {
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
    use super::*;

    #[test]
    fn what_is_compared_is_guarded_and_places_map_back() {
        let text = "a.b == 1 and not c and 'x' in d.e";
        let (strict, _) = Strict::of(Kind::Expression, text, &SyntaxConfig::default()).unwrap();
        assert_eq!(
            strict.text,
            "a.b|_given(\"a.b\") == 1 and not c and 'x' in d.e|_given(\"d.e\")"
        );
        let at = strict.text.find("d.e").unwrap();
        assert_eq!(&text[strict.written(at..at + 3)], "d.e");
        assert_eq!(&text[strict.written(0..10)], "a.b");
    }

    #[test]
    fn a_host_may_lack_an_attribute_in_a_match() {
        let text = "host.idc == 'js' and facts.os.id == 'debian'";
        let (strict, host) = Strict::of(Kind::Match, text, &SyntaxConfig::default()).unwrap();
        assert_eq!(
            strict.text,
            "host.idc == 'js' and facts.os.id|_given(\"facts.os.id\") == 'debian'"
        );
        assert_eq!(host[0].name, "idc");
    }
}
