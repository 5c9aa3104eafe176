//! What is declared for a host and is not in its catalog, for whoever names such a resource: its
//! condition does not hold, it is wrong itself, or it belongs to a role that the host has not.

use std::cell::{Cell, OnceCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use holdfast_schemas::resource::ResourceId;
use minijinja::Value;

use super::context::list;
use super::expand::{Named, Wanted};
use super::frame::RoleName;
use crate::diag::{Code, Diagnostic, Span, did_you_mean};
use crate::render::ProgramId;
use crate::site::Declared;
use crate::vars::{Form, HostState, Term};

/// For how many unknown names the nearest is sought: it takes a look at every name there is, and
/// who mistyped more than these finds the rest by the first.
const MAX_SOUGHT: usize = 50;

/// Resources that are declared and not in the catalog.
pub(crate) struct Absent<'s> {
    state: Arc<HostState>,
    /// Those that could not be made, which is told.
    failed: HashSet<ResourceId>,
    skipped: Vec<Skipped<'s>>,
    /// Includes that were passed over.
    roles: Vec<(&'s str, Why)>,
    by_name: OnceCell<HashMap<ResourceId, usize>>,
    sought: Cell<usize>,
}

/// A resource that was passed over before its title was looked at.
struct Skipped<'s> {
    declared: &'s Declared,
    scope: Value,
    why: Why,
}

/// Why a resource was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Its condition, or that of a block around it, does not hold.
    NotHeld(ProgramId),
    /// Its condition, its loop or its title is wrong, which is told.
    Wrong,
}

impl<'s> Absent<'s> {
    /// Nothing so far.
    pub(super) fn of(state: &Arc<HostState>) -> Self {
        Self {
            state: Arc::clone(state),
            failed: HashSet::new(),
            skipped: Vec::new(),
            roles: Vec::new(),
            by_name: OnceCell::new(),
            sought: Cell::new(0),
        }
    }

    /// Takes one that could not be made.
    pub(super) fn fail(&mut self, id: ResourceId) {
        self.failed.insert(id);
    }

    /// Takes one that was passed over.
    pub(super) fn skip(&mut self, declared: &'s Declared, scope: &Value, why: Why) {
        let scope = scope.clone();
        self.skipped.push(Skipped {
            declared,
            scope,
            why,
        });
    }

    /// Takes an include that was passed over.
    pub(super) fn skip_role(&mut self, role: &'s str, why: Why) {
        self.roles.push((role, why));
    }

    /// What to say of a name that is not in the catalog; nothing where the cause is told already.
    pub(crate) fn told<'k>(
        &self,
        wanted: &Wanted,
        known: impl Iterator<Item = &'k ResourceId>,
    ) -> Option<Diagnostic> {
        let message = format!("{} is not in the catalog", wanted.named);
        let told = Diagnostic::new(Code::UnknownResource, message, &wanted.span);
        let id = match &wanted.named {
            Named::Resource(id) => id,
            Named::Role(role) => return self.told_role(role, told),
        };
        if self.failed.contains(id) {
            return None;
        }
        if let Some(&place) = self.by_name().get(id) {
            let Why::NotHeld(when) = self.skipped[place].why else {
                return None;
            };
            let span = self.state.parts.engine.span(when);
            return Some(
                told.also(span, "this does not hold for the host")
                    .help("give whoever names it the same condition"),
            );
        }
        // One of a title that nobody could read may be the one that is meant.
        let nameless = |one: &Skipped<'_>| {
            one.why == Why::Wrong && one.declared.kind == id.kind() && self.titles(one).is_none()
        };
        if self.skipped.iter().any(nameless) {
            return None;
        }
        self.sought.set(self.sought.get() + 1);
        if self.sought.get() > MAX_SOUGHT {
            return Some(told);
        }
        if let Some((role, span)) = self.elsewhere(id) {
            let told = told.also(span, format!("role `{role}` declares it"));
            return self.without_role(role, told);
        }
        let mut known: Vec<String> = known.map(ToString::to_string).collect();
        known.sort_unstable();
        let help = did_you_mean(&id.to_string(), known.iter().map(String::as_str));
        Some(told.help(help.unwrap_or_else(|| "no role of the repo declares it".to_owned())))
    }

    /// The same of a role.
    fn told_role(&self, name: &RoleName, told: Diagnostic) -> Option<Diagnostic> {
        let roles = &self.state.parts.roles;
        match (roles.get(&name.role), &name.title) {
            (Some(role), Some(title)) if !role.repeatable => Some(told.help(format!(
                "role `{}` is there once, without `/{title}`",
                name.role
            ))),
            (Some(role), _) => self.without_role(&role.name, told),
            (None, _) => {
                let near = did_you_mean(&name.role, roles.keys().map(|role| &**role));
                let help = format!("the repo has no role `{}`", name.role);
                Some(told.help(near.unwrap_or(help)))
            }
        }
    }

    /// Says why a role of the repo is not in the catalog.
    fn without_role(&self, role: &str, told: Diagnostic) -> Option<Diagnostic> {
        let skipped = self.roles.iter().find(|(name, _)| *name == role);
        match skipped.map(|(_, why)| why) {
            Some(Why::Wrong) => None,
            Some(Why::NotHeld(when)) => {
                let span = self.state.parts.engine.span(*when);
                let told = told.also(span, format!("`{role}` is included where this holds"));
                Some(told.help("give whoever names it the same condition"))
            }
            None => Some(told.help(format!("the host does not have role `{role}`"))),
        }
    }

    /// Those passed over, by name, as far as their titles can be read.
    fn by_name(&self) -> &HashMap<ResourceId, usize> {
        self.by_name.get_or_init(|| {
            let recorded = self.state.wrong_count();
            let mut names = HashMap::new();
            for (place, one) in self.skipped.iter().enumerate() {
                for title in self.titles(one).into_iter().flatten() {
                    let id = ResourceId::new(one.declared.kind, title);
                    if let Ok(id) = id {
                        names.entry(id).or_insert(place);
                    }
                }
            }
            // What a condition keeps from being evaluated may well fail, and nobody asked for it.
            self.state.keep_faults(recorded);
            names
        })
    }

    fn titles(&self, one: &Skipped<'_>) -> Option<Vec<String>> {
        let value = self.value(&one.declared.title, &one.scope)?;
        let values = list(&value).unwrap_or_else(|| vec![value]);
        let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
        texts.collect()
    }

    fn value(&self, term: &Term, scope: &Value) -> Option<Value> {
        match (&term.constant, &term.form) {
            (Some(value), _) => Some(value.clone()),
            (None, Form::Program { id, .. }) => self.state.parts.engine.eval(*id, scope).ok(),
            (None, Form::List(items)) => {
                let values = items.iter().map(|item| self.value(item, scope));
                values.collect::<Option<Vec<Value>>>().map(Value::from)
            }
            _ => None,
        }
    }

    /// A role of the repo that declares a resource by this very title.
    fn elsewhere(&self, id: &ResourceId) -> Option<(&str, &Span)> {
        self.state.parts.roles.values().find_map(|role| {
            let declared = role
                .resources
                .iter()
                .flat_map(|element| element.resources());
            let mut alike = declared.filter(|one| one.kind == id.kind());
            let title = alike.find_map(|one| title_of(&one.title, id.title()))?;
            Some((&*role.name, title))
        })
    }
}

/// The place where a title stands as it is.
fn title_of<'t>(term: &'t Term, title: &str) -> Option<&'t Span> {
    match &term.form {
        Form::Scalar(value) => (value.as_str() == Some(title)).then_some(&term.span),
        Form::List(items) => items.iter().find_map(|item| title_of(item, title)),
        Form::Program { .. } | Form::Map(_) => None,
    }
}
