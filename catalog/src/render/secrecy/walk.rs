//! The walk through the statements of a program: what stands where facts decide.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::ast::{CallBlock, Expr, ForLoop, Macro, Spanned, Stmt};
use minijinja::machinery::{parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::Text;
use super::depends::{ByFacts, Depends};
use super::filters::{CAPTURED, CHOSEN, OPEN, SETTLED};
use crate::render::guard::{Guard, is_const, put_closed, range};
use crate::render::programs::Kind;

/// What the names that programs give stand for; the templates of a role share them, because they
/// include and import each other.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Names {
    locals: BTreeMap<String, Depends>,
    /// What macros are called with.
    handed: BTreeMap<String, Depends>,
    /// Macros that are called where facts decide.
    called: BTreeSet<String>,
    /// Blocks that stand where facts decide.
    blocks: BTreeSet<String>,
}

impl Names {
    /// Takes note of what a name stands for.
    pub(super) fn local(&mut self, name: &str, depends: Depends) {
        note(&mut self.locals, name, depends);
    }

    pub(super) fn of(&self, name: &str) -> Depends {
        self.locals.get(name).copied().unwrap_or_default()
    }
}

fn note(names: &mut BTreeMap<String, Depends>, name: &str, depends: Depends) {
    if depends > Depends::Not {
        let known = names.entry(name.to_owned()).or_default();
        *known = depends.max(*known);
    }
}

/// Who decides whether a statement is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decided {
    ByRepo,
    ByFacts,
}

/// A walk through one program.
pub(super) struct Walk<'w> {
    pub(super) text: &'w str,
    kind: Kind,
    pub(super) by_facts: &'w ByFacts,
    pub(super) role: Option<&'w str>,
    pub(super) names: &'w mut Names,
    pub(super) guards: Vec<Guard>,
    decided: Decided,
    /// Whether a loop was left or cut short where facts decide.
    cut: bool,
    /// Whether facts may decide how the macro around is called.
    called: bool,
}

impl<'w> Walk<'w> {
    pub(super) fn new(
        text: &Text<'w>,
        (by_facts, role): (&'w ByFacts, Option<&'w str>),
        names: &'w mut Names,
    ) -> Self {
        Self {
            text: text.text,
            kind: text.kind,
            by_facts,
            role,
            names,
            guards: Vec::new(),
            decided: match text.chosen {
                true => Decided::ByFacts,
                false => Decided::ByRepo,
            },
            cut: false,
            called: false,
        }
    }

    /// Walks through it; how its value depends on facts.
    pub(super) fn program(&mut self, syntax: &SyntaxConfig) -> Depends {
        match self.kind {
            Kind::Expression | Kind::Match => {
                let Ok(expr) = parse_expr(self.text) else {
                    return Depends::Not;
                };
                if self.kind == Kind::Match {
                    self.truth(&expr);
                }
                self.shown(&expr)
            }
            Kind::Text => match parse(self.text, "", syntax.clone()) {
                Ok(stmt) => self.stmt(&stmt),
                Err(_) => Depends::Not,
            },
        }
    }

    /// What is printed, or what a program gives.
    fn shown(&mut self, expr: &Expr<'_>) -> Depends {
        let depends = self.expr(expr);
        if self.decided == Decided::ByFacts && !is_const(expr) {
            self.guard(expr, CHOSEN);
        }
        depends
    }

    /// Puts a filter behind an expression.
    pub(super) fn guard(&mut self, expr: &Expr<'_>, filter: &str) {
        put_closed(&mut self.guards, expr, &format!("|{filter}"));
    }

    fn body(&mut self, body: &[Stmt<'_>]) -> Depends {
        let found = body.iter().map(|stmt| self.stmt(stmt));
        found.max().unwrap_or_default()
    }

    /// Walks through what is carried out as something depends.
    fn branch(&mut self, depends: Depends, walk: impl FnOnce(&mut Self) -> Depends) -> Depends {
        let before = self.decided;
        if depends > Depends::Not {
            self.decided = Decided::ByFacts;
        }
        let inner = walk(self);
        self.decided = before;
        inner.max(depends.throughout())
    }

    fn given(&mut self, target: &Expr<'_>, depends: Depends) {
        let depends = match self.decided {
            Decided::ByFacts => Depends::Itself,
            Decided::ByRepo => depends,
        };
        match target {
            Expr::Var(var) => self.names.local(var.id, depends),
            Expr::GetAttr(attribute) => self.given(&attribute.expr, depends),
            Expr::GetItem(item) => self.given(&item.expr, depends),
            Expr::List(list) => list.items.iter().for_each(|one| self.given(one, depends)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|one| self.given(one, depends)),
            _ => {}
        }
    }

    /// How what a statement prints depends on facts.
    fn stmt(&mut self, stmt: &Stmt<'_>) -> Depends {
        match stmt {
            Stmt::Template(template) => self.body(&template.children),
            Stmt::EmitExpr(emit) => self.shown(&emit.expr),
            Stmt::EmitRaw(_) => Depends::Not,
            Stmt::Continue(_) | Stmt::Break(_) => {
                self.cut |= self.decided == Decided::ByFacts;
                Depends::Not
            }
            Stmt::ForLoop(each) => self.each(each),
            Stmt::IfCond(choice) => {
                self.truth(&choice.expr);
                let depends = self.expr(&choice.expr);
                self.branch(depends, |walk| {
                    let one = walk.body(&choice.true_body);
                    one.max(walk.body(&choice.false_body))
                })
            }
            Stmt::WithBlock(with) => {
                for (target, value) in &with.assignments {
                    let depends = self.shown(value);
                    self.given(target, depends);
                }
                self.body(&with.body)
            }
            Stmt::Set(set) => {
                let depends = self.expr(&set.expr);
                let outside = matches!(set.target, Expr::GetAttr(_));
                if self.decided == Decided::ByFacts || (outside && self.called) {
                    self.guard(&set.expr, CHOSEN);
                }
                self.given(&set.target, depends);
                Depends::Not
            }
            Stmt::SetBlock(set) => {
                let depends = self.body(&set.body);
                let end = range(&set.target);
                let (call, depends) = match &set.filter {
                    None => (CAPTURED, depends.within()),
                    Some(filter) => (OPEN, depends.max(self.expr(filter)).throughout()),
                };
                self.guards.push(Guard::behind(end, format!("|{call}")));
                self.given(&set.target, depends);
                Depends::Not
            }
            Stmt::AutoEscape(escape) => {
                self.expr(&escape.enabled);
                self.body(&escape.body)
            }
            Stmt::FilterBlock(block) => {
                let begin = block.filter_span.start_offset as usize;
                self.guards.push(Guard::before(begin, format!("{OPEN}|")));
                self.expr(&block.filter).max(self.body(&block.body))
            }
            Stmt::Block(block) => {
                if self.decided == Decided::ByFacts {
                    self.names.blocks.insert(block.name.to_owned());
                }
                let depends = match self.names.blocks.contains(block.name) {
                    true => Depends::Itself,
                    false => Depends::Not,
                };
                self.branch(depends, |walk| walk.body(&block.body))
            }
            Stmt::Import(import) => {
                let depends = self.another(&import.expr);
                self.given(&import.name, depends);
                Depends::Not
            }
            Stmt::FromImport(import) => {
                let depends = self.another(&import.expr);
                for (name, other) in &import.names {
                    self.given(other.as_ref().unwrap_or(name), depends);
                }
                Depends::Not
            }
            Stmt::Extends(extends) => {
                if self.decided == Decided::ByFacts || self.expr(&extends.name) > Depends::Not {
                    self.guard(&extends.name, SETTLED);
                }
                Depends::Not
            }
            Stmt::Include(include) => {
                let depends = self.expr(&include.name);
                if self.decided == Decided::ByFacts || depends > Depends::Not {
                    self.wrap(stmt, stmt_range(include));
                }
                depends.throughout()
            }
            Stmt::Macro(declared) => self.declared(declared),
            Stmt::CallBlock(block) => self.call_block(block, stmt),
            Stmt::Do(run) => {
                self.call(&run.call);
                Depends::Not
            }
        }
    }

    /// A template that is named; which one it is must not depend on facts.
    fn another(&mut self, name: &Expr<'_>) -> Depends {
        let depends = self.expr(name);
        if depends > Depends::Not {
            self.guard(name, SETTLED);
        }
        depends
    }

    fn each(&mut self, each: &ForLoop<'_>) -> Depends {
        self.outer(&each.iter, "gone through");
        let list = self.expr(&each.iter);
        self.given(&each.target, list);
        let mut decides = match list {
            Depends::Itself => Depends::Itself,
            Depends::Not | Depends::Within => Depends::Not,
        };
        if let Some(filter) = &each.filter_expr {
            self.truth(filter);
            decides = decides.max(self.expr(filter));
        }
        // What stands ahead of a `break` comes after it in the next round.
        let guards = self.guards.len();
        let cut = std::mem::replace(&mut self.cut, false);
        let body = |walk: &mut Self| walk.body(&each.body);
        let mut inner = self.branch(decides, body);
        if std::mem::replace(&mut self.cut, cut) {
            decides = Depends::Itself;
            self.guards.truncate(guards);
            inner = self.branch(decides, body);
            self.cut = cut;
        }
        if decides > Depends::Not {
            self.given(&each.target, Depends::Itself);
        }
        inner.max(self.branch(decides, |walk| walk.body(&each.else_body)))
    }

    fn declared(&mut self, declared: &Macro<'_>) -> Depends {
        let defaults = declared.defaults.iter().map(|default| self.shown(default));
        let defaults = defaults.max().unwrap_or_default();
        let handed = self.names.handed.get(declared.name).copied();
        // Where it is declared decides nothing about where it is called.
        let decided = std::mem::replace(&mut self.decided, Decided::ByRepo);
        for arg in &declared.args {
            self.given(arg, handed.unwrap_or_default().max(defaults));
        }
        let called = self.called;
        self.called |= self.names.called.contains(declared.name);
        let cut = self.cut;
        self.body(&declared.body);
        (self.called, self.decided, self.cut) = (called, decided, cut);
        if decided == Decided::ByFacts {
            self.names.local(declared.name, Depends::Itself);
        }
        Depends::Not
    }

    fn call_block(&mut self, block: &CallBlock<'_>, stmt: &Stmt<'_>) -> Depends {
        let depends = self.call(&block.call);
        if self.decided == Decided::ByFacts || depends == Depends::Itself {
            let span = match stmt {
                Stmt::CallBlock(block) => stmt_range(block),
                _ => return depends,
            };
            self.wrap(stmt, span);
        }
        let handed = self.names.handed.get("caller").copied();
        for arg in &block.macro_decl.args {
            self.given(arg, handed.unwrap_or_default());
        }
        depends.max(self.body(&block.macro_decl.body))
    }

    /// Takes note of how a macro is called. What it gives is guarded where it is called; what
    /// else it does, and what it decides by a part of what it is handed, is guarded in it.
    pub(super) fn handed(&mut self, name: &str, depends: Depends) {
        if depends == Depends::Within {
            note(&mut self.names.handed, name, depends);
        }
        if self.decided == Decided::ByFacts || self.called || depends > Depends::Not {
            self.names.called.insert(name.to_owned());
        }
    }

    /// Puts a block of a filter around a statement, from its opening to its closing bracket.
    fn wrap(&mut self, _: &Stmt<'_>, (begin, end): (usize, usize)) {
        let before = self.text.get(..begin).unwrap_or_default();
        let after = self.text.get(end..).unwrap_or_default();
        let (Some(open), Some(close)) = (before.rfind("{%"), after.find("%}")) else {
            return;
        };
        let sign = |at: usize| match self.text.as_bytes().get(at) {
            Some(b'-') => "-",
            Some(b'+') => "+",
            _ => "",
        };
        let close = end + close;
        let (left, right) = (sign(open + 2), sign(close - 1));
        let opening = format!("{{%{left} filter {CHOSEN} %}}");
        let closing = format!("{{% endfilter {right}%}}");
        self.guards.push(Guard::before(open, opening));
        self.guards.push(Guard::behind((open, close + 2), closing));
    }
}

fn stmt_range<T>(stmt: &Spanned<T>) -> (usize, usize) {
    let span = stmt.span();
    (span.start_offset as usize, span.end_offset as usize)
}
