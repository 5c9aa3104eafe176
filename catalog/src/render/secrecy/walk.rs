//! The walk through the statements of a program: what stands where facts decide.

use minijinja::machinery::ast::{CallBlock, Expr, ForLoop, Macro, Spanned, Stmt};
use minijinja::machinery::{parse, parse_expr};

use super::Text;
use super::depends::{ByFacts, Depends};
use super::filters::{CAPTURED, CHOSEN, OPEN, SETTLED};
use super::names::Names;
use crate::render::guard::{Guard, put_closed};
use crate::render::prepare::Plain;
use crate::render::programs::Kind;
use crate::render::shape::{is_const, range, root};

/// What stands for the block around in a call, for the block that a template overrides, and for
/// the loop around.
const CALLER: &str = "caller";
const SUPER: &str = "super";
pub(super) const LOOP: &str = "loop";

/// Who decides whether a statement is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decided {
    ByRepo,
    ByFacts,
}

/// A walk through one program.
pub(super) struct Walk<'w> {
    plain: &'w Plain,
    pub(super) by_facts: &'w ByFacts,
    pub(super) role: Option<&'w str>,
    pub(super) names: &'w mut Names,
    pub(super) guards: Vec<Guard>,
    pub(super) decided: Decided,
    /// Whether a loop was left or cut short where facts decide.
    cut: bool,
    /// Whether facts may decide how the macro around is called.
    pub(super) called: bool,
}

impl<'w> Walk<'w> {
    pub(super) fn new(
        text: &Text<'w>,
        (by_facts, role): (&'w ByFacts, Option<&'w str>),
        names: &'w mut Names,
    ) -> Self {
        Self {
            plain: text.plain,
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
    pub(super) fn program(&mut self) -> Depends {
        let (kind, text) = (self.plain.kind, self.plain.text());
        match kind {
            Kind::Expression | Kind::Match => {
                let Ok(expr) = parse_expr(text) else {
                    return Depends::Not;
                };
                if kind == Kind::Match {
                    self.truth(&expr);
                }
                self.shown(&expr)
            }
            Kind::Text => match parse(text, "", self.plain.syntax.clone()) {
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
        self.put(expr, &format!("|{filter}"));
    }

    /// Puts a call of a filter behind an expression.
    pub(super) fn put(&mut self, expr: &Expr<'_>, call: &str) {
        put_closed(&mut self.guards, self.plain.text(), expr, call);
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

    /// Takes note of the names of what a template made.
    pub(super) fn owned(&mut self, target: &Expr<'_>) {
        match target {
            Expr::List(list) => list.items.iter().for_each(|one| self.owned(one)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|one| self.owned(one)),
            other => root(other)
                .into_iter()
                .for_each(|name| self.names.own(name)),
        }
    }

    fn owned_of(&mut self, target: &Expr<'_>, value: &Expr<'_>) {
        if self.names.can_change(value) {
            self.owned(target);
        }
    }

    /// Whether facts decide whether, or how, something is changed here.
    pub(super) fn shuffles(&self, depends: Depends) -> bool {
        self.decided == Decided::ByFacts || self.called || depends > Depends::Not
    }

    fn given(&mut self, target: &Expr<'_>, depends: Depends) {
        let depends = match self.decided {
            Decided::ByFacts => Depends::Itself,
            Decided::ByRepo => depends,
        };
        match target {
            Expr::Var(var) => self.names.set(var.id, depends),
            Expr::GetAttr(attribute) => self.given(&attribute.expr, depends),
            Expr::GetItem(item) => self.given(&item.expr, depends),
            Expr::List(list) => list.items.iter().for_each(|one| self.given(one, depends)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|one| self.given(one, depends)),
            _ => {}
        }
    }

    fn imported(&mut self, name: &Expr<'_>, depends: Depends) {
        let depends = match self.decided {
            Decided::ByFacts => Depends::Itself,
            Decided::ByRepo => depends,
        };
        if let Some(name) = root(name) {
            self.names.local(name, depends);
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
                    self.owned_of(target, value);
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
                self.owned_of(&set.target, &set.expr);
                self.given(&set.target, depends);
                Depends::Not
            }
            Stmt::SetBlock(set) => {
                let depends = self.body(&set.body);
                let end = range(self.plain.text(), &set.target);
                let (call, depends) = match &set.filter {
                    None => (CAPTURED, depends.mixed()),
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
                    self.names.chosen_block(block.name);
                }
                let depends = match self.names.is_chosen_block(block.name) {
                    true => Depends::Itself,
                    false => Depends::Not,
                };
                let printed = self.branch(depends, |walk| walk.body(&block.body));
                for name in [block.name, SUPER] {
                    self.names.gives(name, printed);
                }
                printed
            }
            Stmt::Import(import) => {
                let depends = self.another(&import.expr);
                self.imported(&import.name, depends);
                self.names.module(&import.name);
                Depends::Not
            }
            Stmt::FromImport(import) => {
                let depends = self.another(&import.expr);
                for (name, other) in &import.names {
                    let other = other.as_ref().unwrap_or(name);
                    self.imported(other, depends);
                    self.names.alias(other, name);
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
                    self.wrap(stmt_range(include));
                }
                depends.throughout().max(self.names.of_included())
            }
            Stmt::Macro(declared) => self.declared(declared),
            Stmt::CallBlock(block) => self.call_block(block),
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
        self.owned_of(&each.target, &each.iter);
        self.given(&each.target, list.part());
        self.names.neighbour(list.part());
        let mut decides = list.outline();
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
            self.names.neighbour(Depends::Itself);
        }
        self.names.gives(LOOP, inner);
        inner.max(self.branch(decides, |walk| walk.body(&each.else_body)))
    }

    fn declared(&mut self, declared: &Macro<'_>) -> Depends {
        let defaults = declared.defaults.iter().map(|default| self.shown(default));
        let defaults = defaults.max().unwrap_or_default();
        self.names.declared(declared.name);
        let handed = self.names.handed_to(declared.name);
        // Where it is declared decides nothing about where it is called.
        let decided = std::mem::replace(&mut self.decided, Decided::ByRepo);
        for arg in &declared.args {
            self.owned(arg);
            self.given(arg, handed.max(defaults));
        }
        let called = self.called;
        self.called |= self.names.is_called(declared.name);
        let cut = self.cut;
        let printed = self.body(&declared.body);
        self.names.gives(declared.name, printed);
        (self.called, self.decided, self.cut) = (called, decided, cut);
        if decided == Decided::ByFacts {
            self.names.local(declared.name, Depends::Itself);
        }
        Depends::Not
    }

    fn call_block(&mut self, block: &Spanned<CallBlock<'_>>) -> Depends {
        let depends = self.call(&block.call);
        if self.decided == Decided::ByFacts || depends == Depends::Itself {
            self.wrap(stmt_range(block));
        }
        let handed = self.names.handed_to(CALLER);
        for arg in &block.macro_decl.args {
            self.owned(arg);
            self.given(arg, handed);
        }
        let printed = self.body(&block.macro_decl.body);
        self.names.gives(CALLER, printed);
        depends.max(printed)
    }

    /// Puts a block of a filter around a statement, from its opening to its closing bracket. One
    /// that has none, because it is a line, is refused.
    fn wrap(&mut self, (begin, end): (usize, usize)) {
        let text = self.plain.text();
        let (opening, closing) = self.plain.syntax.block_delimiters();
        let before = text.get(..begin).unwrap_or_default();
        let after = text.get(end..).unwrap_or_default();
        let blank = |text: &str| text.trim_matches(['-', '+']).trim().is_empty();
        let open = before.rfind(opening);
        let open = open.filter(|open| blank(&before[open + opening.len()..]));
        let close = after.find(closing).filter(|close| blank(&after[..*close]));
        let (Some(open), Some(close)) = (open, close) else {
            let line = before.rfind('\n').map_or(0, |at| at + 1);
            let (opening, closing) = self.plain.syntax.variable_delimiters();
            let refusal = format!("{opening} none|{SETTLED} {closing}\n");
            self.guards.push(Guard::before(line, refusal));
            return;
        };
        let sign = |at: usize| match text.as_bytes().get(at) {
            Some(b'-') => "-",
            Some(b'+') => "+",
            _ => "",
        };
        let close = end + close;
        let (left, right) = (sign(open + opening.len()), sign(close - 1));
        let filter = format!("{opening}{left} filter {CHOSEN} {closing}");
        let done = format!("{opening} endfilter {right}{closing}");
        self.guards.push(Guard::before(open, filter));
        let whole = (open, close + closing.len());
        self.guards.push(Guard::behind(whole, done));
    }
}

fn stmt_range<T>(stmt: &Spanned<T>) -> (usize, usize) {
    let span = stmt.span();
    (span.start_offset as usize, span.end_offset as usize)
}
