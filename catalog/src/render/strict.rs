//! Guards: filters put behind parts of a program where the engine alone is too lenient.
//!
//! The engine compares something undefined as if it were a value, so that a typo in `when:
//! params.prot == 80` would quietly be false; `~` prints `true` where Python prints `True`; and
//! neither looks at how much a value holds. What is compared, joined and kept gets a filter behind
//! it, in the text that is compiled; places are mapped back.

use std::ops::Range;

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::{parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::guard::{Guard, is_chain, is_const, named, put, range, sort};
use super::programs::Kind;

/// The filter that refuses undefined, put behind what is compared.
pub(super) const GIVEN: &str = "_given";

/// The filter that refuses something undefined, put behind what something is looked for in.
pub(super) const HELD: &str = "_held";

/// The filter that makes text of what is joined.
pub(super) const TEXT: &str = "_text";

/// The filter that refuses what holds too much, put behind what is kept or handed on.
pub(super) const LIGHT: &str = "_light";

/// Filters that compare the items of what they are given.
const WALKING: [&str; 10] = [
    "dictsort",
    "difference",
    "groupby",
    "intersect",
    "items2dict",
    "max",
    "min",
    "sort",
    "union",
    "unique",
];

/// Filters that compare items with an argument.
const COMPARING: [&str; 4] = ["reject", "rejectattr", "select", "selectattr"];

/// Text to compile, and how its places map to those written.
#[derive(Debug)]
pub(super) struct Strict {
    pub(super) text: String,
    /// Where guards stand in the text as written, what they guard from where on, and how long
    /// they are.
    inserted: Vec<(usize, usize, usize)>,
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
        Self::with(kind, text, syntax, &[])
    }

    /// The same with guards of others.
    pub(super) fn with(
        kind: Kind,
        text: &str,
        syntax: &SyntaxConfig,
        more: &[Guard],
    ) -> Option<(Self, Vec<HostAttribute>)> {
        let mut walk = Walk::of(kind, text, syntax)?;
        walk.guards.extend_from_slice(more);
        sort(&mut walk.guards);
        let mut strict = String::with_capacity(text.len() * 2);
        let mut inserted = Vec::with_capacity(walk.guards.len());
        let mut from = 0;
        for guard in walk.guards {
            strict.push_str(text.get(from..guard.at)?);
            strict.push_str(&guard.text);
            inserted.push((guard.begin, guard.at, guard.text.len()));
            from = guard.at;
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
        // A place in a guard is that of what it guards.
        let back = |at: usize| {
            let mut shift = 0;
            for &(begin, end, step) in &self.inserted {
                match at {
                    _ if at >= end + shift + step => shift += step,
                    _ if at > end + shift => return (begin, end),
                    _ => break,
                }
            }
            (at - shift, at - shift)
        };
        back(range.start).0..back(range.end).1
    }
}

#[derive(Default)]
struct Walk<'t> {
    text: &'t str,
    guards: Vec<Guard>,
    host: Vec<HostAttribute>,
    lenient_host: bool,
}

impl<'t> Walk<'t> {
    /// Walks through a program; `None` where it does not parse.
    fn of(kind: Kind, text: &'t str, syntax: &SyntaxConfig) -> Option<Self> {
        let mut walk = Self {
            text,
            lenient_host: kind == Kind::Match,
            ..Self::default()
        };
        match kind {
            Kind::Expression | Kind::Match => walk.expr(&parse_expr(text).ok()?),
            Kind::Text => walk.stmt(&parse(text, "", syntax.clone()).ok()?),
        }
        Some(walk)
    }

    /// Puts a filter behind an expression.
    fn guard(&mut self, expr: &Expr<'_>, filter: &str) {
        let (begin, end) = range(expr);
        let call = match is_chain(expr) {
            true => named(filter, self.text.get(begin..end).unwrap_or("{")),
            false => format!("|{filter}"),
        };
        put(&mut self.guards, expr, call);
    }

    fn compared(&mut self, expr: &Expr<'_>, filter: &str) {
        let lenient = self.lenient_host && root(expr) == Some("host");
        if !lenient && !is_const(expr) {
            self.guard(expr, filter);
        }
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
    fn kept(&mut self, expr: &Expr<'_>) {
        if let Expr::BinOp(sum) = expr
            && matches!(sum.op, BinOpKind::Add)
        {
            self.kept(&sum.left);
            if !is_const(&sum.right) {
                self.guard(&sum.right, LIGHT);
            }
        } else if !is_chain(expr) && !is_const(expr) {
            self.guard(expr, LIGHT);
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

    /// The arguments of a call, which may be that of a macro inside of itself.
    fn handed(&mut self, args: &[CallArg<'_>]) {
        for arg in args {
            if let CallArg::Pos(expr) | CallArg::Kwarg(_, expr) = arg {
                self.kept(expr);
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
                if WALKING.contains(&filter.name) {
                    filter
                        .expr
                        .iter()
                        .for_each(|inner| self.compared(inner, GIVEN));
                }
                if WALKING.contains(&filter.name) || COMPARING.contains(&filter.name) {
                    self.walked(&filter.args);
                }
                self.all(&filter.expr);
                self.args(&filter.args);
            }
            Expr::Test(test) => {
                self.walked(&test.args);
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
                for (_, value) in &with.assignments {
                    self.kept(value);
                    self.expr(value);
                }
                self.body(&with.body);
            }
            Stmt::Set(set) => {
                self.kept(&set.expr);
                self.expr(&set.expr);
            }
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
                self.handed(&block.call.args);
                self.body(&block.macro_decl.body);
            }
            Stmt::Do(run) => self.handed(&run.call.args),
        }
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
            "a.b|_given(\"a.b\") == 1 and not c and 'x' in d.e|_held(\"d.e\")"
        );
        let at = strict.text.find("d.e").unwrap();
        assert_eq!(&text[strict.written(at..at + 3)], "d.e");
        assert_eq!(&text[strict.written(0..10)], "a.b");
    }

    #[test]
    fn guards_stand_around_whole_operands() {
        let guarded = |text: &str| {
            let (strict, _) = Strict::of(Kind::Expression, text, &SyntaxConfig::default()).unwrap();
            assert!(parse_expr(&strict.text).is_ok(), "{}", strict.text);
            strict.text
        };
        assert_eq!(guarded("a|f(1) == 2"), "(a|f(1))|_given == 2");
        assert_eq!(guarded("1 == (a + b)"), "1 == ((a + b)|_given)");
        assert_eq!(
            guarded("(a + b) * (c + d) == 1"),
            "((a + b) * (c + d))|_given == 1"
        );
        assert_eq!(
            guarded("a.f(x)[0] == 1"),
            "a.f(x)[0]|_given(\"a.f(x)[0]\") == 1"
        );
        assert_eq!(guarded("a.f(x) == 1"), "(a.f(x))|_given == 1");
        assert_eq!(guarded("a[1:] == b"), "(a[1:])|_given == b|_given(\"b\")");
        assert_eq!(guarded("-a == 1"), "(-a)|_given == 1");
        assert_eq!(guarded("[a, 1] == (1, 2)"), "([a, 1])|_given == (1, 2)");
        assert_eq!(
            guarded("{'x': a} == b"),
            "({'x': a})|_given == b|_given(\"b\")"
        );
        assert_eq!(
            guarded("(a if b else c) == 1"),
            "((a if b else c)|_given) == 1"
        );
        assert_eq!(
            guarded("a ~ true ~ 'x' ~ 1"),
            "a|_text(\"a\") ~ (true)|_text ~ 'x' ~ 1"
        );
        assert_eq!(
            guarded("a ~ (b ~ (c + 1))"),
            "a|_text(\"a\") ~ (b|_text(\"b\") ~ ((c + 1)|_text))"
        );
        assert_eq!(guarded("a|sort == 1"), "(a|_given(\"a\")|sort)|_given == 1");
        assert_eq!(
            guarded("a|selectattr('b', 'eq', c)"),
            "a|selectattr('b', 'eq', c|_given(\"c\"))"
        );
        assert_eq!(
            guarded("f([a], c, k=[b])"),
            "f(([a])|_light, c, k=([b])|_light)"
        );
    }

    #[test]
    fn what_is_kept_is_guarded() {
        let text = "{% set ns.x = [ns.x, a] %}{% set y = 1, a %}{% with z = a + b %}{% endwith %}";
        let (strict, _) = Strict::of(Kind::Text, text, &SyntaxConfig::default()).unwrap();
        let kept = "{% set ns.x = ([ns.x, a])|_light %}{% set y = (1, a)|_light %}{% with z = a + b|_light(\"b\") %}{% endwith %}";
        assert_eq!(strict.text, kept);
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
