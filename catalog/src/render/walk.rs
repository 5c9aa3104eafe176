//! The walk over a program that finds what to guard.

use std::collections::HashSet;

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::{parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::guard::{Guard, named, put, put_closed};
use super::mutable;
use super::programs::Kind;
use super::shape::{is_chain, is_const, is_literal, range, root};
use super::strict::{
    GIVEN, HELD, HostAttribute, LIGHT, ORDER, OWN, OWN_ITEMS, PERHAPS, REMAINDER, SPACED, TEXT,
};

/// Filters that compare the items of what they are given.
const WALKING: [&str; 11] = [
    "dictsort",
    "difference",
    "groupby",
    "intersect",
    "items2dict",
    "max",
    "min",
    "sort",
    "symmetric_difference",
    "union",
    "unique",
];

/// Filters that compare items with an argument.
const COMPARING: [&str; 4] = ["reject", "rejectattr", "select", "selectattr"];

/// Filters and tests that ask whether something is there at all.
const ASKING: [&str; 5] = ["d", "default", "defined", "mandatory", "undefined"];

/// What was found on the way.
#[derive(Default)]
pub(super) struct Walk<'t> {
    text: &'t str,
    pub(super) guards: Vec<Guard>,
    pub(super) host: Vec<HostAttribute>,
    /// Names of what the program adds to or takes from.
    pub(super) changed: HashSet<String>,
    /// The same, known from an earlier walk.
    changes: HashSet<String>,
    lenient_host: bool,
    statements: bool,
    /// Whether `host` is a name of the template's own somewhere, and not the host's record.
    own_host: bool,
}

impl<'t> Walk<'t> {
    /// Walks through a program; `None` where it does not parse.
    pub(super) fn of(
        kind: Kind,
        text: &'t str,
        syntax: &SyntaxConfig,
        changes: HashSet<String>,
    ) -> Option<Self> {
        let mut walk = Self {
            text,
            changes,
            lenient_host: kind == Kind::Match,
            statements: kind == Kind::Text,
            ..Self::default()
        };
        match kind {
            Kind::Expression | Kind::Match => walk.expr(&parse_expr(text).ok()?),
            Kind::Text => walk.stmt(&parse(text, "", syntax.clone()).ok()?),
        }
        if walk.own_host {
            walk.host.clear();
        }
        Some(walk)
    }

    /// The call of a filter behind an expression, with its name for the error.
    fn call(&self, expr: &Expr<'_>, filter: &str) -> String {
        let (begin, end) = range(self.text, expr);
        match is_chain(expr) {
            true => named(filter, self.text.get(begin..end).unwrap_or("{")),
            false => format!("|{filter}"),
        }
    }

    /// Puts a filter behind an expression.
    fn guard(&mut self, expr: &Expr<'_>, filter: &str) {
        let call = self.call(expr, filter);
        put(&mut self.guards, self.text, expr, &call);
    }

    /// Where something is asked for, what it would be in may be missing as well.
    fn asked(&mut self, expr: &Expr<'_>) {
        let inner = match expr {
            Expr::GetAttr(attribute) => &attribute.expr,
            Expr::GetItem(item) => &item.expr,
            _ => return,
        };
        let lenient = self.lenient_host && root(inner) == Some("host");
        if !lenient && root(inner) != Some("loop") {
            put_closed(&mut self.guards, self.text, inner, &format!("|{PERHAPS}"));
        }
        self.asked(inner);
    }

    /// `a < b` is asked of what has an order.
    fn ordered(&mut self, whole: (usize, usize), left: &Expr<'_>, right: &Expr<'_>) {
        if [left, right]
            .iter()
            .any(|side| self.is_free(side) && !is_const(side))
        {
            return;
        }
        let from = left.span().end_offset as usize;
        let rest = self.text.get(from..whole.1).unwrap_or_default();
        if let Some(at) = rest.find(['<', '>']) {
            let sign = &rest[at..];
            let length = 1 + usize::from(sign[1..].starts_with('='));
            let call = format!(")|{ORDER}(\"{}\", ", &sign[..length]);
            self.guards.push(Guard::before(whole.0, "("));
            let place = from + at..from + at + length;
            self.guards.push(Guard::operator(place, call));
            self.guards.push(Guard::behind(whole, ")"));
        }
    }

    /// `a % b` may be text with values put in.
    fn remainder(&mut self, whole: (usize, usize), left: &Expr<'_>) {
        if matches!(left, Expr::Const(one) if one.value.is_number()) {
            return;
        }
        let from = left.span().end_offset as usize;
        let rest = self.text.get(from..whole.1).unwrap_or_default();
        if let Some(at) = rest.find('%') {
            self.guards.push(Guard::before(whole.0, "("));
            let call = format!(")|{REMAINDER}(");
            let place = from + at..from + at + 1;
            self.guards.push(Guard::operator(place, call));
            self.guards.push(Guard::behind(whole, ")"));
        }
    }

    fn compared(&mut self, expr: &Expr<'_>, filter: &str) {
        if !self.is_free(expr) {
            self.guard(expr, filter);
        }
    }

    /// What can be compared as it is.
    fn is_free(&self, expr: &Expr<'_>) -> bool {
        is_const(expr) || (self.lenient_host && root(expr) == Some("host"))
    }

    fn joined(&mut self, expr: &Expr<'_>) {
        // Text and numbers print alike everywhere.
        let plain = matches!(expr, Expr::Const(one) if one.value.as_str().is_some() || one.value.is_number());
        // A row of `~` is text already, but for its ends.
        let row = matches!(expr, Expr::BinOp(inner) if matches!(inner.op, BinOpKind::Concat));
        if !plain && !row {
            self.guard(expr, TEXT);
        }
    }

    /// What is given a name or handed on: a name alone adds nothing to what there is.
    ///
    /// Of a sum, what is added: what it is added to was weighed when it was kept, and a list that
    /// grows item by item is not walked for each.
    fn kept(&mut self, expr: &Expr<'_>, under: &str) {
        let literal = self.statements && is_literal(expr);
        let changes = !self.changes.is_empty() && !is_chain(expr) && !is_const(expr);
        if literal || changes || self.changes.contains(under) {
            self.parts(expr);
            self.guard(expr, OWN);
        } else if let Expr::BinOp(sum) = expr
            && matches!(sum.op, BinOpKind::Add)
        {
            self.kept(&sum.left, "");
            if !is_const(&sum.right) {
                self.guard(&sum.right, LIGHT);
            }
        } else if !is_chain(expr) && !is_const(expr) {
            self.guard(expr, LIGHT);
        }
    }

    /// What is kept in a namespace. What is there already was looked at when it was put there, so
    /// that a list which grows item by item is not walked for each.
    fn spaced(&mut self, target: &Expr<'_>, expr: &Expr<'_>) {
        let written = |expr| {
            let (begin, end) = range(self.text, expr);
            self.text.get(begin..end)
        };
        if let Expr::BinOp(sum) = expr
            && matches!(sum.op, BinOpKind::Add)
        {
            self.spaced(target, &sum.left);
            self.spaced(target, &sum.right);
        } else if !(is_const(expr) || is_chain(expr) && written(expr) == written(target)) {
            self.guard(expr, SPACED);
        }
    }

    /// Lists and mappings inside of one that a template may change.
    fn parts(&mut self, expr: &Expr<'_>) {
        let parts = match expr {
            Expr::List(list) => list.items.iter().collect(),
            Expr::Map(map) => map.values.iter().collect(),
            Expr::IfExpr(choice) => {
                let other = choice.false_expr.iter();
                std::iter::once(&choice.true_expr).chain(other).collect()
            }
            _ => Vec::new(),
        };
        for part in parts {
            if is_literal(part) {
                self.guard(part, OWN);
            }
            self.parts(part);
        }
    }

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

    /// The arguments of what compares them.
    fn walked(&mut self, args: &[CallArg<'_>]) {
        for arg in args {
            if let CallArg::Pos(expr) | CallArg::Kwarg(_, expr) = arg {
                self.compared(expr, GIVEN);
            }
        }
    }

    /// The arguments of a test, which may stand without brackets: `x is eq y`.
    fn tested(&mut self, args: &[CallArg<'_>]) {
        for arg in args {
            if let CallArg::Pos(expr) | CallArg::Kwarg(_, expr) = arg
                && !self.is_free(expr)
            {
                let call = self.call(expr, GIVEN);
                put_closed(&mut self.guards, self.text, expr, &call);
            }
        }
    }

    /// The arguments of a call, which may be that of a macro inside of itself.
    fn handed(&mut self, args: &[CallArg<'_>]) {
        for arg in args {
            if let CallArg::Pos(expr) | CallArg::Kwarg(_, expr) = arg {
                self.kept(expr, "");
            }
        }
        self.args(args);
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
                use BinOpKind::{Concat, Eq, Gt, Gte, In, Lt, Lte, Ne};
                if matches!(binary.op, Concat) {
                    self.joined(&binary.left);
                    self.joined(&binary.right);
                }
                if matches!(binary.op, BinOpKind::Rem) {
                    self.remainder(range(self.text, expr), &binary.left);
                }
                if matches!(binary.op, Lt | Lte | Gt | Gte) {
                    self.ordered(range(self.text, expr), &binary.left, &binary.right);
                }
                if matches!(binary.op, Eq | Ne | Lt | Lte | Gt | Gte | In) {
                    self.compared(&binary.left, GIVEN);
                    let right = if matches!(binary.op, In) { HELD } else { GIVEN };
                    self.compared(&binary.right, right);
                }
                self.all([&binary.left, &binary.right]);
            }
            Expr::Compare(compare) => {
                self.compared(&compare.expr, GIVEN);
                self.expr(&compare.expr);
                for op in &compare.ops {
                    self.compared(&op.expr, GIVEN);
                    self.expr(&op.expr);
                }
            }
            Expr::IfExpr(choice) => {
                self.all([&choice.test_expr, &choice.true_expr]);
                self.all(&choice.false_expr);
            }
            Expr::Filter(filter) => {
                let name = filter.name.rsplit('.').next().unwrap_or_default();
                if ASKING.contains(&name) {
                    filter.expr.iter().for_each(|inner| self.asked(inner));
                }
                if !ASKING.contains(&name) && !WALKING.contains(&name) {
                    let input = filter.expr.as_ref().filter(|input| is_chain(input));
                    input
                        .into_iter()
                        .for_each(|input| self.compared(input, HELD));
                }
                if WALKING.contains(&name) {
                    filter
                        .expr
                        .iter()
                        .for_each(|inner| self.compared(inner, GIVEN));
                }
                if WALKING.contains(&name) || COMPARING.contains(&name) {
                    self.walked(&filter.args);
                }
                self.all(&filter.expr);
                self.args(&filter.args);
            }
            Expr::Test(test) => {
                if ASKING.contains(&test.name) {
                    self.asked(&test.expr);
                }
                self.tested(&test.args);
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
                    Expr::GetAttr(method) => {
                        if mutable::METHODS.contains(&method.name) {
                            let changed = root(&method.expr).map(str::to_owned);
                            self.changed.extend(changed);
                        }
                        self.expr(&method.expr);
                    }
                    other => self.expr(other),
                }
                self.handed(&call.args);
            }
            Expr::List(list) => self.all(&list.items),
            Expr::Tuple(tuple) => self.all(&tuple.items),
            Expr::Map(map) => {
                self.all(&map.keys);
                self.all(&map.values);
            }
        }
    }

    /// Notes a name of the template's own.
    fn owned(&mut self, target: &Expr<'_>) {
        self.own_host |= names(target).any(|name| name == "host");
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
                self.owned(&each.target);
                if names(&each.target).any(|name| self.changes.contains(name)) {
                    self.guard(&each.iter, OWN_ITEMS);
                }
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
                for (target, value) in &with.assignments {
                    self.owned(target);
                    self.kept(value, root(target).unwrap_or_default());
                    self.expr(value);
                }
                self.body(&with.body);
            }
            Stmt::Set(set) => {
                self.owned(&set.target);
                if matches!(set.target, Expr::GetAttr(_)) {
                    self.spaced(&set.target, &set.expr);
                }
                self.kept(&set.expr, root(&set.target).unwrap_or_default());
                self.expr(&set.expr);
            }
            Stmt::SetBlock(set) => self.body(&set.body),
            Stmt::AutoEscape(escape) => self.body(&escape.body),
            Stmt::FilterBlock(filter) => self.body(&filter.body),
            Stmt::Block(block) => self.body(&block.body),
            Stmt::Import(_) | Stmt::FromImport(_) | Stmt::Extends(_) | Stmt::Include(_) => {}
            Stmt::Macro(declared) => {
                declared.args.iter().for_each(|name| self.owned(name));
                self.all(&declared.defaults);
                self.body(&declared.body);
            }
            Stmt::CallBlock(block) => {
                self.handed(&block.call.args);
                self.body(&block.macro_decl.body);
            }
            Stmt::Do(run) => self.handed(&run.call.args),
        }
    }
}

/// The names in the target of a loop.
fn names<'e, 'a: 'e>(target: &'e Expr<'a>) -> impl Iterator<Item = &'a str> + 'e {
    let (alone, listed) = match target {
        Expr::List(list) => (None, list.items.as_slice()),
        other => (Some(other), [].as_slice()),
    };
    alone.into_iter().chain(listed).filter_map(root)
}
