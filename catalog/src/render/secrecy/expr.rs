//! The walk through expressions: what would look into a secret, and what facts look up.

use minijinja::machinery::ast::{
    BinOpKind, CallArg, CompareOpKind, Expr, Filter, Test, UnaryOpKind,
};

use super::chains::{argument, each_in, path};
use super::depends::Depends;
use super::filters::{CAPTURED, CHOSEN, OUTER, SOUGHT, TRUTH, WHOLE, by_attribute};
use super::walk::Walk;
use crate::render::filters::BUILTIN;
use crate::render::guard::named;
use crate::render::shape::is_const;

/// Filters that hand on what they are given as it is.
const HANDING: [&str; 3] = ["d", "default", "mandatory"];

/// Filters that look at lists and mappings, and not at what is in them.
const HOLDING: [&str; 18] = [
    "attr",
    "batch",
    "combine",
    "count",
    "dict2items",
    "extract",
    "first",
    "flatten",
    "items",
    "items2dict",
    "last",
    "length",
    "list",
    "reverse",
    "slice",
    "subelements",
    "zip",
    "zip_longest",
];

/// Those of them whose list or mapping has as many items, under the same names, whatever is in them.
const OUTLINES: [&str; 13] = [
    "batch",
    "combine",
    "count",
    "dict2items",
    "items",
    "length",
    "list",
    "reverse",
    "slice",
    "zip",
    "zip_longest",
    "d",
    "default",
];

/// The filter that looks up what it is given.
const EXTRACT: &str = "extract";

/// Those that count.
const COUNTING: [&str; 2] = ["count", "length"];

/// Filters that look at one attribute of each item: the one that is their first argument, or
/// their `attribute`.
const BY_FIRST: [&str; 3] = ["groupby", "rejectattr", "selectattr"];
const BY_NAME: [&str; 6] = ["join", "max", "min", "sort", "sum", "unique"];

/// Tests that do not look into what they are given.
const BLIND: [&str; 3] = ["defined", "none", "undefined"];

impl Walk<'_> {
    fn call_guard(&mut self, expr: &Expr<'_>, filter: &str, done: &str) {
        if !is_const(expr) {
            self.put(expr, &named(filter, done));
        }
    }

    /// Refuses secrets, and lists and mappings with secrets in them.
    fn whole(&mut self, expr: &Expr<'_>, done: &str) {
        self.call_guard(expr, WHOLE, done);
    }

    /// Refuses a secret, and takes what holds some.
    pub(super) fn outer(&mut self, expr: &Expr<'_>, done: &str) {
        self.call_guard(expr, OUTER, done);
    }

    /// Refuses a secret that is to be true or false.
    pub(super) fn truth(&mut self, expr: &Expr<'_>) {
        if !is_const(expr) {
            self.guard(expr, TRUTH);
        }
    }

    /// Walks through an expression; how its value depends on facts.
    pub(super) fn expr(&mut self, expr: &Expr<'_>) -> Depends {
        match expr {
            Expr::Const(_) => Depends::Not,
            Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => self.chain(expr),
            Expr::Slice(slice) => {
                self.outer(&slice.expr, "cut");
                let list = self.expr(&slice.expr);
                let bounds = slice.start.iter().chain(&slice.stop).chain(&slice.step);
                let bounds = bounds.map(|bound| self.expr(bound));
                let bounds = bounds.max().unwrap_or_default();
                list.max(self.looked_up(expr, bounds))
            }
            Expr::UnaryOp(unary) => {
                match unary.op {
                    UnaryOpKind::Not => self.truth(&unary.expr),
                    UnaryOpKind::Neg => self.whole(&unary.expr, "reckoned with"),
                }
                self.expr(&unary.expr).throughout()
            }
            Expr::BinOp(binary) => self.binary(expr, binary),
            Expr::Compare(compare) => {
                self.whole(&compare.expr, "compared");
                let mut depends = self.expr(&compare.expr);
                for op in &compare.ops {
                    match op.op {
                        CompareOpKind::In | CompareOpKind::NotIn => {
                            self.call_guard(&op.expr, SOUGHT, "searched");
                        }
                        _ => self.whole(&op.expr, "compared"),
                    }
                    depends = depends.max(self.expr(&op.expr));
                }
                depends.throughout()
            }
            Expr::IfExpr(choice) => {
                self.truth(&choice.test_expr);
                let test = self.expr(&choice.test_expr);
                let one = self.expr(&choice.true_expr);
                let other = choice.false_expr.as_ref().map(|other| self.expr(other));
                let chosen = self.looked_up(expr, test);
                chosen.max(one).max(other.unwrap_or_default())
            }
            Expr::Filter(filter) => self.filter(expr, filter),
            Expr::Test(test) => self.test(test),
            Expr::Call(call) => {
                let depends = self.call(call);
                self.guard(expr, CAPTURED);
                match depends {
                    Depends::Itself => self.looked_up(expr, depends),
                    Depends::Not | Depends::Within | Depends::Mixed => depends,
                }
            }
            Expr::List(_) | Expr::Tuple(_) => self.inner(expr).within(),
            Expr::Map(map) => {
                for key in &map.keys {
                    self.whole(key, "a key");
                }
                let keys = map.keys.iter().map(|key| self.expr(key));
                let keys = keys.max().unwrap_or_default();
                let values = map.values.iter().map(|value| self.expr(value));
                let values = values.max().unwrap_or_default().within();
                values.max(keys.throughout())
            }
        }
    }

    /// What depends on facts may not be a secret.
    fn looked_up(&mut self, expr: &Expr<'_>, by: Depends) -> Depends {
        if by > Depends::Not {
            self.guard(expr, CHOSEN);
        }
        by.throughout()
    }

    fn inner(&mut self, expr: &Expr<'_>) -> Depends {
        let mut depends = Depends::Not;
        each_in(expr, &mut |inner| depends = depends.max(self.expr(inner)));
        depends
    }

    /// A name with attributes and items behind it.
    fn chain(&mut self, expr: &Expr<'_>) -> Depends {
        let path = path(expr).unwrap_or_default();
        let root = path.first().copied();
        let count = step_count(expr);
        let written = || self.by_facts.path(&path, self.role);
        let written = match path.len() {
            0 => Depends::Not,
            whole if whole > count => written(),
            _ => written().part(),
        };
        let local = self.names.at(&path, count);
        let (base, keys) = self.steps(expr);
        let depends = match root {
            Some(_) => written.max(local).max(base),
            None => base.part(),
        };
        let depends = depends.max(keys.throughout());
        let plain = matches!(root, Some("facts" | "host" | "inventory_hostname"));
        if depends == Depends::Itself && !plain {
            self.guard(expr, CHOSEN);
        }
        depends
    }

    /// Walks through what a chain begins with, where that is no name, and through its keys.
    fn steps(&mut self, expr: &Expr<'_>) -> (Depends, Depends) {
        match expr {
            Expr::Var(_) => (Depends::Not, Depends::Not),
            Expr::GetAttr(attribute) => self.steps(&attribute.expr),
            Expr::GetItem(item) => {
                let (base, keys) = self.steps(&item.expr);
                self.whole(&item.subscript_expr, "a key");
                (base, keys.max(self.expr(&item.subscript_expr)))
            }
            other => (self.expr(other), Depends::Not),
        }
    }

    fn binary(
        &mut self,
        expr: &Expr<'_>,
        binary: &minijinja::machinery::ast::BinOp<'_>,
    ) -> Depends {
        use BinOpKind::{Add, Concat, Eq, Gt, Gte, In, Lt, Lte, Ne, ScAnd, ScOr};
        let (left, right) = (&binary.left, &binary.right);
        match binary.op {
            Eq | Ne | Gt | Gte | Lt | Lte => {
                self.whole(left, "compared");
                self.whole(right, "compared");
            }
            In => {
                self.whole(left, "compared");
                self.call_guard(right, SOUGHT, "searched");
                if let Some(depends) = self.listed(left, right) {
                    return depends;
                }
            }
            ScAnd | ScOr => {
                self.truth(left);
                let decides = self.expr(left);
                let other = self.expr(right);
                let chosen = self.looked_up(expr, decides);
                return chosen.max(other);
            }
            Add => {
                self.outer(left, "added to");
                self.outer(right, "added");
                return self.expr(left).max(self.expr(right));
            }
            Concat => {
                self.whole(left, "joined with `~`");
                self.whole(right, "joined with `~`");
            }
            _ => {
                self.whole(left, "reckoned with");
                self.whole(right, "reckoned with");
            }
        }
        self.expr(left).max(self.expr(right)).throughout()
    }

    /// `"web" in host.groups`, which depends on what puts hosts into that one group.
    fn listed(&mut self, word: &Expr<'_>, list: &Expr<'_>) -> Option<Depends> {
        let Expr::Const(word) = word else { return None };
        let path = path(list)?;
        match path[..] {
            ["host", list] => Some(match self.by_facts.listed(list, word.value.as_str()?) {
                true => Depends::Itself,
                false => Depends::Not,
            }),
            _ => None,
        }
    }

    pub(super) fn args(&mut self, args: &[CallArg<'_>]) -> Depends {
        let depends = args.iter().map(|arg| self.expr(argument(arg)));
        depends.max().unwrap_or_default()
    }

    pub(super) fn whole_args(&mut self, args: &[CallArg<'_>], done: &str) {
        for arg in args {
            self.whole(argument(arg), done);
        }
    }

    fn filter(&mut self, expr: &Expr<'_>, filter: &Filter<'_>) -> Depends {
        let (name, args) = (plain_name(filter), &filter.args);
        let done = format!("changed by `{name}`");
        let by = seen_attribute(filter);
        let open = is_open(expr);
        if let Some(input) = filter.expr.as_ref().filter(|_| !open) {
            match by {
                _ if HANDING.contains(&name) && args.len() > 1 => self.truth(input),
                _ if HANDING.contains(&name) => {}
                _ if name == "ternary" => self.truth(input),
                _ if HOLDING.contains(&name) => self.outer(input, &done),
                Some("") => self.outer(input, &done),
                Some(attribute) => {
                    let call = by_attribute(attribute, &done);
                    self.put(input, &call);
                }
                None => self.whole(input, &done),
            }
        }
        // What captured text is to be replaced by would be chosen by that text.
        let free = HANDING.contains(&name) || HOLDING.contains(&name) || name == "ternary";
        if !free || open {
            self.whole_args(args, &done);
        }
        let input = filter.expr.as_ref().map(|input| self.expr(input));
        let (input, args) = (input.unwrap_or_default(), self.args(args));
        let keeping = HANDING.contains(&name) || OUTLINES.contains(&name) || by == Some("");
        let structural = keeping || HOLDING.contains(&name);
        match (input, args) {
            (Depends::Not, Depends::Not) => Depends::Not,
            (input, args) if open => input.max(args).throughout(),
            (Depends::Mixed, _) if COUNTING.contains(&name) => Depends::Itself,
            // Which of the two it is depends on what the first one is.
            (Depends::Mixed, Depends::Not | Depends::Within) if HANDING.contains(&name) => {
                for arg in &filter.args {
                    self.guard(argument(arg), CHOSEN);
                }
                Depends::Mixed
            }
            (Depends::Not | Depends::Within, Depends::Not | Depends::Within) if keeping => {
                Depends::Within
            }
            (input, Depends::Not | Depends::Within)
                if structural && name != EXTRACT && input < Depends::Itself =>
            {
                Depends::Mixed
            }
            (input, args) => self.looked_up(expr, input.max(args)),
        }
    }

    fn test(&mut self, test: &Test<'_>) -> Depends {
        let done = format!("asked whether it is `{}`", test.name);
        if !BLIND.contains(&test.name) {
            self.whole(&test.expr, &done);
            self.whole_args(&test.args, &done);
        }
        let args = self.args(&test.args);
        self.expr(&test.expr).max(args).throughout()
    }
}

/// The name of a filter without Ansible's prefix.
fn plain_name<'e>(filter: &Filter<'e>) -> &'e str {
    filter.name.strip_prefix(BUILTIN).unwrap_or(filter.name)
}

/// How many steps a chain has behind its name, those that are worked out among them.
fn step_count(expr: &Expr<'_>) -> usize {
    match expr {
        Expr::GetAttr(attribute) => 1 + step_count(&attribute.expr),
        Expr::GetItem(item) => 1 + step_count(&item.expr),
        _ => 0,
    }
}

/// Whether filters stand behind no expression: those of a block, which is text without secrets.
fn is_open(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Filter(filter) => filter.expr.as_ref().is_none_or(is_open),
        _ => false,
    }
}

/// The attribute that a filter looks at, where it looks at one only; the empty one for none.
fn seen_attribute<'e>(filter: &'e Filter<'_>) -> Option<&'e str> {
    let text = |expr: &'e Expr<'_>| match expr {
        Expr::Const(text) => text.value.as_str(),
        _ => None,
    };
    let named = || {
        filter.args.iter().find_map(|arg| match arg {
            CallArg::Kwarg("attribute", expr) => text(expr),
            _ => None,
        })
    };
    match (plain_name(filter), filter.args.first()) {
        ("map", Some(CallArg::Kwarg("attribute", _))) => Some(""),
        (name, Some(CallArg::Pos(first))) if BY_FIRST.contains(&name) => text(first),
        (name, _) if BY_FIRST.contains(&name) || BY_NAME.contains(&name) => named(),
        _ => None,
    }
}
