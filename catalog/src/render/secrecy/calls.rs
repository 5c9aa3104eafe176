//! The walk through calls: of macros, which give text; of functions and of methods, which give what
//! they are handed; and of methods that change what a template made.

use minijinja::machinery::ast::{Call, Expr};

use super::chains::argument;
use super::depends::Depends;
use super::filters::CHOSEN;
use super::names::ANY_MACRO;
use super::walk::{Decided, Walk};
use crate::render::methods;

/// Methods that look into their arguments; others make a new value of them, or refuse them.
const LOOKING: [&str; 12] = [
    "changed",
    "count",
    "endswith",
    "find",
    "format",
    "index",
    "join",
    "replace",
    "rfind",
    "split",
    "startswith",
    "strip",
];

/// Methods whose value has as many items, under the same names, whatever is in them.
const OUTLINES: [&str; 4] = ["copy", "items", "keys", "values"];

/// Functions, whose value is what they are handed or nothing of it.
const FUNCTIONS: [&str; 12] = [
    "cycler",
    "debug",
    "dict",
    "joiner",
    "lipsum",
    "lookup",
    "namespace",
    "now",
    "q",
    "query",
    "range",
    "undef",
];

/// Names that are called and are neither macros nor functions.
const SPECIAL: [&str; 3] = ["caller", "loop", "super"];

/// What is called.
#[derive(Clone, Copy)]
enum Called<'e> {
    /// A macro or a block by its name, by itself or in a module.
    Macro(&'e str),
    Function,
    Method(&'e str),
    /// A macro under a name of a variable, or in a value.
    Any,
}

impl Walk<'_> {
    /// A call, of a macro for the most part.
    pub(super) fn call(&mut self, call: &Call<'_>) -> Depends {
        let called = self.called(&call.expr);
        let receiver = match &call.expr {
            Expr::GetAttr(method) => self.expr(&method.expr),
            Expr::Var(var) => self.names.at(&[var.id], 0),
            other => self.expr(other),
        };
        if let (Expr::GetAttr(_), Called::Method(name) | Called::Macro(name)) = (&call.expr, called)
            && LOOKING.contains(&name)
        {
            self.whole_args(&call.args, &format!("changed by `{name}`"));
        }
        let args = self.args(&call.args);
        if self.changes(call) {
            self.changed(call, receiver.max(args));
        }
        match called {
            Called::Macro(name) => {
                self.handed(name, args);
                let handed = args.max(self.names.given_by(name));
                receiver.max(handed.part())
            }
            Called::Any => {
                self.handed(ANY_MACRO, args);
                let handed = args.max(self.names.given_by(ANY_MACRO));
                receiver.max(handed.part())
            }
            Called::Function => receiver.max(args.part()),
            Called::Method(name) if args == Depends::Not && OUTLINES.contains(&name) => receiver,
            Called::Method(_) => match args {
                Depends::Not | Depends::Within => receiver.max(args).part(),
                Depends::Mixed | Depends::Itself => Depends::Itself,
            },
        }
    }

    fn called<'e>(&self, callee: &Expr<'e>) -> Called<'e> {
        match callee {
            // One name may be a macro here, and a value there.
            Expr::Var(var) if self.names.is_set(var.id) => Called::Any,
            Expr::Var(var) if self.names.is_macro(var.id) || SPECIAL.contains(&var.id) => {
                Called::Macro(var.id)
            }
            Expr::Var(var) if FUNCTIONS.contains(&var.id) => Called::Function,
            Expr::GetAttr(method) if self.is_of_macros(method.name, &method.expr) => {
                Called::Macro(method.name)
            }
            Expr::GetAttr(method) if methods::leaves(method.name) => Called::Method(method.name),
            Expr::GetAttr(method) if methods::changes(method.name) => Called::Method(method.name),
            _ => Called::Any,
        }
    }

    /// Whether what is called by a name in a value is a macro of a module or a block.
    fn is_of_macros(&self, name: &str, receiver: &Expr<'_>) -> bool {
        let own = matches!(receiver, Expr::Var(var) if var.id == "self");
        own || self.names.is_macro(name)
    }

    /// Takes note of how a macro is called. What it gives is guarded where it is called; what
    /// else it does, and what it decides by a part of what it is handed, is guarded in it.
    fn handed(&mut self, name: &str, depends: Depends) {
        if matches!(depends, Depends::Within | Depends::Mixed) {
            self.names.hand(name, depends);
        }
        if self.decided == Decided::ByFacts || self.called || depends > Depends::Not {
            self.names.call(name);
        }
    }

    /// Whether a call may change something that the template made.
    fn changes(&self, call: &Call<'_>) -> bool {
        match &call.expr {
            Expr::GetAttr(method) => {
                let known = methods::changes(method.name);
                known || (self.names.can_change(&method.expr) && !methods::leaves(method.name))
            }
            Expr::Var(var) => self.names.is_own(var.id),
            _ => true,
        }
    }

    /// Where facts decide about a change, no secret is among what is changed.
    fn changed(&mut self, call: &Call<'_>, depends: Depends) {
        if let Expr::GetAttr(method) = &call.expr {
            self.owned(&method.expr);
        }
        if !self.shuffles(depends) {
            return;
        }
        self.names.shuffle();
        if let Expr::GetAttr(method) = &call.expr {
            self.guard(&method.expr, CHOSEN);
        }
        for arg in &call.args {
            self.guard(argument(arg), CHOSEN);
        }
    }
}
