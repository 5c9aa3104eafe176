//! What a `match` asks of a host beside its attributes: other groups, tags, facts.
//!
//! Groups are decided one after the other, so it has to be known before anything is evaluated
//! which others an expression asks for.

use std::ops::Range;

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr};
use minijinja::machinery::parse_expr;

use super::shape::{range as place, start};

/// What a `match` asks for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Groups by name, as in `"web" in host.groups`.
    pub(crate) groups: Vec<(String, Range<usize>)>,
    /// Where it asks for groups in another way, so that which ones cannot be known.
    pub(crate) any_group: Option<Range<usize>>,
    /// Tags by name, as in `"web" in host.tags`.
    pub(crate) tags: Vec<(String, Range<usize>)>,
    /// Where it asks for tags in another way.
    pub(crate) any_tag: Option<Range<usize>>,
    /// Whether it asks for facts, which hosts report of themselves.
    pub(crate) facts: bool,
}

/// What an expression asks for; nothing where it does not parse, which is told elsewhere.
pub(crate) fn asked(text: &str) -> Asked {
    let mut asked = Asked::default();
    if let Ok(expr) = parse_expr(text) {
        asked.expr(&expr);
    }
    asked
}

/// The parts of a condition between its `and` and `or`, in the order written.
pub(crate) fn conditions(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if let Ok(expr) = parse_expr(text) {
        leaves(&expr, text, &mut found);
    }
    found
}

fn leaves(expr: &Expr<'_>, text: &str, found: &mut Vec<Range<usize>>) {
    match expr {
        Expr::BinOp(binary) if matches!(binary.op, BinOpKind::ScAnd | BinOpKind::ScOr) => {
            leaves(&binary.left, text, found);
            leaves(&binary.right, text, found);
        }
        other => {
            let (begin, end) = place(text, other);
            found.push(begin..end);
        }
    }
}

/// Where a name with what stands behind it begins and ends.
fn range(chain: &Expr<'_>) -> Range<usize> {
    start("", chain)..chain.span().end_offset as usize
}

/// A part of the host's record that is decided group by group.
#[derive(Clone, Copy, PartialEq)]
enum Field {
    Groups,
    Tags,
}

fn field(name: &str) -> Option<Field> {
    match name {
        "groups" => Some(Field::Groups),
        "tags" => Some(Field::Tags),
        _ => None,
    }
}

fn is_host(expr: &Expr<'_>) -> bool {
    matches!(expr, Expr::Var(var) if var.id == "host")
}

/// `host.groups`, `host["tags"]`.
fn record(expr: &Expr<'_>) -> Option<Field> {
    match expr {
        Expr::GetAttr(attribute) if is_host(&attribute.expr) => field(attribute.name),
        Expr::GetItem(item) if is_host(&item.expr) => field(word(&item.subscript_expr)?),
        _ => None,
    }
}

fn word<'e>(expr: &'e Expr<'_>) -> Option<&'e str> {
    match expr {
        Expr::Const(one) => one.value.as_str(),
        _ => None,
    }
}

impl Asked {
    fn named(&mut self, field: Field, name: &str, range: Range<usize>) {
        let list = match field {
            Field::Groups => &mut self.groups,
            Field::Tags => &mut self.tags,
        };
        list.push((name.to_owned(), range));
    }

    fn unnamed(&mut self, field: Field, range: Range<usize>) {
        let place = match field {
            Field::Groups => &mut self.any_group,
            Field::Tags => &mut self.any_tag,
        };
        place.get_or_insert(range);
    }

    /// `NAME in FIELD`; whether it is one.
    fn membership(&mut self, name: &Expr<'_>, held: &Expr<'_>) -> bool {
        match (word(name), record(held)) {
            (Some(name), Some(field)) => {
                self.named(field, name, range(held));
                true
            }
            _ => false,
        }
    }

    fn expr(&mut self, expr: &Expr<'_>) {
        if let Some(field) = record(expr) {
            return self.unnamed(field, range(expr));
        }
        match expr {
            Expr::Var(var) => match var.id {
                "facts" => self.facts = true,
                // The record as a whole.
                "host" => {
                    self.unnamed(Field::Groups, range(expr));
                    self.unnamed(Field::Tags, range(expr));
                }
                _ => {}
            },
            Expr::Const(_) => {}
            Expr::GetAttr(attribute) if is_host(&attribute.expr) => {}
            Expr::GetAttr(attribute) => self.expr(&attribute.expr),
            Expr::GetItem(item) => {
                if !(is_host(&item.expr) && word(&item.subscript_expr).is_some()) {
                    self.expr(&item.expr);
                }
                self.expr(&item.subscript_expr);
            }
            Expr::BinOp(binary) => {
                let within = matches!(binary.op, BinOpKind::In);
                if !(within && self.membership(&binary.left, &binary.right)) {
                    self.all([&binary.left, &binary.right]);
                }
            }
            Expr::Test(test) => {
                let held = test.args.first();
                let held = held.filter(|_| test.name == "in" && test.args.len() == 1);
                let within = match held {
                    Some(CallArg::Pos(held)) => self.membership(&test.expr, held),
                    _ => false,
                };
                if !within {
                    self.expr(&test.expr);
                    self.args(&test.args);
                }
            }
            Expr::UnaryOp(unary) => self.expr(&unary.expr),
            Expr::Compare(compare) => {
                self.expr(&compare.expr);
                self.all(compare.ops.iter().map(|op| &op.expr));
            }
            Expr::IfExpr(choice) => {
                self.all([&choice.test_expr, &choice.true_expr]);
                self.all(&choice.false_expr);
            }
            Expr::Filter(filter) => {
                self.all(&filter.expr);
                self.args(&filter.args);
            }
            Expr::Slice(slice) => {
                self.expr(&slice.expr);
                self.all(slice.start.iter().chain(&slice.stop).chain(&slice.step));
            }
            Expr::Call(call) => self.call(&call.expr, &call.args),
            Expr::List(list) => self.all(&list.items),
            Expr::Tuple(tuple) => self.all(&tuple.items),
            Expr::Map(map) => {
                self.all(&map.keys);
                self.all(&map.values);
            }
        }
    }

    /// `host.get("idc")` asks for one attribute, any other method for all of the record.
    fn call(&mut self, callee: &Expr<'_>, args: &[CallArg<'_>]) {
        if let Expr::GetAttr(method) = callee
            && is_host(&method.expr)
        {
            let name = match args.first() {
                Some(CallArg::Pos(name)) if method.name == "get" => word(name),
                _ => None,
            };
            match name.map(field) {
                Some(None) => {}
                Some(Some(field)) => self.unnamed(field, range(callee)),
                None => self.expr(&method.expr),
            }
        } else {
            self.expr(callee);
        }
        self.args(args);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[(String, Range<usize>)]) -> Vec<&str> {
        list.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn groups_are_asked_for_by_name() {
        let text = "host.idc == 'js' and 'web' in host.groups and 'db' not in host['groups'] and 'x' in host.tags";
        let asked = asked(text);
        assert_eq!(names(&asked.groups), ["web", "db"]);
        assert_eq!(names(&asked.tags), ["x"]);
        assert_eq!(&text[asked.groups[0].1.clone()], "host.groups");
        assert!(asked.any_group.is_none() && asked.any_tag.is_none() && !asked.facts);
    }

    #[test]
    fn any_other_way_asks_for_all() {
        for text in [
            "host.groups|length > 1",
            "host.idc in host.groups",
            "host|tojson == ''",
            "host.items()|length",
            "host[facts.x] == 1",
            "host.get('groups')",
        ] {
            assert!(asked(text).any_group.is_some(), "{text}");
        }
        for text in [
            "host.idc == 'js'",
            "host['idc'] == 1",
            "host.get('idc') == 1",
        ] {
            assert!(asked(text).any_group.is_none(), "{text}");
        }
        assert!(asked("facts.os.id == 'debian'").facts);
    }

    #[test]
    fn conditions_are_what_stands_between_and_and_or() {
        let text = "(host.idc == 'js' or host.idc == 'bj') and not 'x' in host.tags and 'y' not in host.tags";
        let parts: Vec<&str> = conditions(text)
            .into_iter()
            .map(|range| &text[range])
            .collect();
        assert_eq!(
            parts,
            [
                "host.idc == 'js'",
                "host.idc == 'bj'",
                "not 'x' in host.tags",
                "'y' not in host.tags"
            ]
        );
    }
}
