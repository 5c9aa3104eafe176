//! What the names that programs give stand for: values, macros, blocks, modules.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::ast::Expr;

use super::depends::Depends;
use super::walk::LOOP;
use crate::render::shape::root;

/// What names stand for. The templates of a role share them, because they include and import each
/// other.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Names {
    /// Names that a program gives a value.
    set: BTreeSet<String>,
    locals: BTreeMap<String, Depends>,
    /// What macros are called with.
    handed: BTreeMap<String, Depends>,
    /// Macros that are called where facts decide.
    called: BTreeSet<String>,
    /// The text that macros, blocks and the like give.
    gives: BTreeMap<String, Depends>,
    /// The macros there are.
    macros: BTreeSet<String>,
    /// Other names of macros and variables: whatever else a name may stand for.
    aliases: BTreeMap<String, BTreeSet<String>>,
    /// Names of imported templates.
    modules: BTreeSet<String>,
    /// What an included template prints.
    included: Depends,
    /// What stands before and after in a loop.
    neighbours: Depends,
    /// Blocks that stand where facts decide.
    blocks: BTreeSet<String>,
    /// Names of what a template made, which may be one thing under several names.
    own: BTreeSet<String>,
    /// Whether something that a template made is changed where facts decide, so that anything of
    /// its own may be.
    shuffled: bool,
}

/// What stands for every macro, where it is not known which is called.
pub(super) const ANY_MACRO: &str = "*";

/// What a loop calls the items around.
const NEIGHBOURS: [&str; 2] = ["nextitem", "previtem"];

impl Names {
    /// Takes note of what a name stands for.
    pub(super) fn local(&mut self, name: &str, depends: Depends) {
        note(&mut self.locals, name, depends);
    }

    /// Takes note of a name that a program gives a value.
    pub(super) fn set(&mut self, name: &str, depends: Depends) {
        self.set.insert(name.to_owned());
        self.local(name, depends);
    }

    /// Whether a program gives this name a value.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.set.contains(name)
    }

    fn of(&self, name: &str) -> Depends {
        if self.shuffled && self.own.contains(name) {
            return Depends::Itself;
        }
        let known = |name: &str| self.locals.get(name).copied().unwrap_or_default();
        let others = self.others(name).map(|other| known(other));
        known(name).max(others.max().unwrap_or_default())
    }

    /// What stands at a path that begins with a name, of which so many steps are written out.
    pub(super) fn at(&self, path: &[&str], steps: usize) -> Depends {
        let Some(name) = path.first().copied() else {
            return Depends::Not;
        };
        let of = match (name, path.get(1).copied()) {
            (LOOP, Some(inner)) if NEIGHBOURS.contains(&inner) => self.neighbours,
            (module, Some(inner)) if self.modules.contains(module) => {
                self.of(module).max(self.of(inner))
            }
            (module, None) if self.modules.contains(module) && steps > 0 => Depends::Itself,
            _ => self.of(name),
        };
        match steps {
            0 => of,
            _ => of.part(),
        }
    }

    fn others(&self, name: &str) -> impl Iterator<Item = &String> {
        self.aliases.get(name).into_iter().flatten()
    }

    /// Takes note of a name that stands for an imported template.
    pub(super) fn module(&mut self, name: &Expr<'_>) {
        self.modules.extend(root(name).map(str::to_owned));
    }

    /// Takes note of another name of something.
    pub(super) fn alias(&mut self, other: &Expr<'_>, name: &Expr<'_>) {
        if let (Some(other), Some(name)) = (root(other), root(name))
            && other != name
        {
            let names = self.aliases.entry(other.to_owned()).or_default();
            names.insert(name.to_owned());
        }
    }

    /// Takes note of a macro.
    pub(super) fn declared(&mut self, name: &str) {
        self.macros.insert(name.to_owned());
    }

    /// Whether a name is one of a macro.
    pub(super) fn is_macro(&self, name: &str) -> bool {
        self.macros.contains(name) || self.others(name).any(|other| self.macros.contains(other))
    }

    /// Takes note of the text that something gives where it is called.
    pub(super) fn gives(&mut self, name: &str, printed: Depends) {
        note(&mut self.gives, name, printed.mixed());
        note(&mut self.gives, ANY_MACRO, printed.mixed());
    }

    /// What something gives where it is called.
    pub(super) fn given_by(&self, name: &str) -> Depends {
        let known = |name: &str| self.gives.get(name).copied().unwrap_or_default();
        let others = self.others(name).map(|other| known(other));
        known(name).max(others.max().unwrap_or_default())
    }

    /// Takes note of what a macro is called with.
    pub(super) fn hand(&mut self, name: &str, depends: Depends) {
        for name in self.and_others(name) {
            note(&mut self.handed, &name, depends);
        }
    }

    /// Takes note of a macro that is called where facts decide.
    pub(super) fn call(&mut self, name: &str) {
        let names = self.and_others(name);
        self.called.extend(names);
    }

    fn and_others(&self, name: &str) -> Vec<String> {
        let others = self.others(name).cloned();
        others.chain([name.to_owned()]).collect()
    }

    /// What a macro is called with.
    pub(super) fn handed_to(&self, name: &str) -> Depends {
        let known = |name: &str| self.handed.get(name).copied().unwrap_or_default();
        known(name).max(known(ANY_MACRO))
    }

    /// Whether a macro is called where facts decide.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.called.contains(name) || self.called.contains(ANY_MACRO)
    }

    /// Takes note of what a template prints.
    pub(super) fn included(&mut self, printed: Depends) {
        self.included = self.included.max(printed);
    }

    /// What an included template prints: any of the role's.
    pub(super) fn of_included(&self) -> Depends {
        self.included
    }

    /// Takes note of the items of a loop.
    pub(super) fn neighbour(&mut self, item: Depends) {
        self.neighbours = self.neighbours.max(item);
    }

    /// Takes note of a block that stands where facts decide.
    pub(super) fn chosen_block(&mut self, name: &str) {
        self.blocks.insert(name.to_owned());
    }

    pub(super) fn is_chosen_block(&self, name: &str) -> bool {
        self.blocks.contains(name)
    }

    /// Takes note of a name of something that a template made.
    pub(super) fn own(&mut self, name: &str) {
        self.own.insert(name.to_owned());
    }

    pub(super) fn is_own(&self, name: &str) -> bool {
        self.own.contains(name)
    }

    /// Something that a template made is changed where facts decide.
    pub(super) fn shuffle(&mut self) {
        self.shuffled = true;
    }

    /// Whether a value may be something that a template can change.
    pub(super) fn can_change(&self, expr: &Expr<'_>) -> bool {
        match root(expr) {
            Some(name) => self.own.contains(name),
            None => !matches!(expr, Expr::Const(_)),
        }
    }
}

fn note(names: &mut BTreeMap<String, Depends>, name: &str, depends: Depends) {
    if depends > Depends::Not {
        let known = names.entry(name.to_owned()).or_default();
        *known = depends.max(*known);
    }
}
