//! The resources that roles declare by titles as written, and the types of which some have titles
//! that are worked out.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_schemas::resource::{Kind, ResourceId};

use crate::diag::Span;
use crate::site::{Declared, Element, Role, Steps};
use crate::vars::{Form, Term};
use std::sync::Arc;

/// The resources that roles declare.
#[derive(Debug, Default)]
pub(super) struct Titles<'s> {
    fixed: BTreeMap<ResourceId, Vec<Place<'s>>>,
    /// By role, itself and those that it includes or that include it, at any depth.
    kin: BTreeMap<&'s str, Vec<&'s Role>>,
    /// Types of which some title, or name of what is managed, is worked out.
    open: BTreeSet<Kind>,
}

/// Where a resource is declared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'s> {
    pub(super) role: &'s Role,
    pub(super) declared: &'s Declared,
    /// The title.
    pub(super) span: &'s Span,
    pub(super) when: When,
}

/// Whether a resource is there whenever its role is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// A condition or a loop decides.
    Sometimes,
}

impl<'s> Titles<'s> {
    /// Those of all roles.
    pub(super) fn of(roles: &'s BTreeMap<Arc<str>, Role>) -> Self {
        let mut titles = Self::default();
        for role in roles.values() {
            each(&role.resources, When::Always, &mut |declared, when| {
                titles.take(role, declared, when);
            });
            for other in reached(role, roles, Includes::All) {
                titles.kin.entry(&role.name).or_default().push(other);
                if other.name != role.name {
                    titles.kin.entry(&other.name).or_default().push(role);
                }
            }
        }
        titles
    }

    fn take(&mut self, role: &'s Role, declared: &'s Declared, when: When) {
        let kind = declared.kind;
        let mut written = Vec::new();
        let mut is_open = !texts(&declared.title, &mut written);
        // What a resource manages is another name for it.
        for name in ["name", "path"] {
            if let Some(field) = declared.attributes.get(name) {
                is_open |= !texts(&field.term, &mut written);
            }
        }
        if is_open {
            self.open.insert(kind);
        }
        for (title, span) in written {
            if let Ok(id) = ResourceId::new(kind, title) {
                let place = Place {
                    role,
                    declared,
                    span,
                    when,
                };
                self.fixed.entry(id).or_default().push(place);
            }
        }
    }

    /// Where a resource is declared by a title as written.
    pub(super) fn places(&self, id: &ResourceId) -> &[Place<'s>] {
        self.fixed.get(id).map_or(&[], Vec::as_slice)
    }

    /// A role, and those that it includes or that include it, at any depth.
    pub(super) fn kin(&self, role: &Role) -> &[&'s Role] {
        self.kin.get(&*role.name).map_or(&[], Vec::as_slice)
    }

    /// All places, by resource.
    pub(super) fn all(&self) -> impl Iterator<Item = (&ResourceId, &[Place<'s>])> {
        self.fixed
            .iter()
            .map(|(id, places)| (id, places.as_slice()))
    }

    /// Whether some role may declare a resource.
    pub(super) fn may_declare(&self, id: &ResourceId) -> bool {
        self.fixed.contains_key(id) || self.open.contains(&id.kind())
    }
}

/// Which includes are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Includes {
    All,
    /// Those that no condition and no loop decides over.
    Certain,
}

/// A role and those that it includes, at any depth.
pub(super) fn reached<'s>(
    role: &'s Role,
    roles: &'s BTreeMap<Arc<str>, Role>,
    which: Includes,
) -> Vec<&'s Role> {
    let mut found = vec![role];
    let mut next = 0;
    while let Some(&role) = found.get(next) {
        next += 1;
        let is_certain = |one: &Steps| one.when.is_none() && one.loops.is_empty();
        for one in role.includes() {
            if which == Includes::Certain && !one.steps.iter().all(|one| is_certain(one)) {
                continue;
            }
            let known = |name: &str| found.iter().any(|role| &*role.name == name);
            let other = roles.get(&one.include.role);
            found.extend(other.filter(|other| !known(&other.name)));
        }
    }
    found
}

/// Visits every resource, with whether something decides over it.
fn each<'s>(elements: &'s [Element], around: When, visit: &mut dyn FnMut(&'s Declared, When)) {
    for element in elements {
        let steps = element.steps();
        let when = match steps.when.is_none() && steps.loops.is_empty() {
            true => around,
            false => When::Sometimes,
        };
        match element {
            Element::Resource(declared) => visit(declared, when),
            Element::Include(_) => {}
            Element::Block { elements, .. } => each(elements, when, visit),
        }
    }
}

/// The texts as written in a value, a list of them included; whether that is all of it.
pub(super) fn texts<'t>(term: &'t Term, found: &mut Vec<(&'t str, &'t Span)>) -> bool {
    match &term.form {
        Form::Scalar(value) => match value.as_str() {
            // The text is borrowed from the term's own value.
            Some(_) => {
                let text = term.constant.as_ref().and_then(|value| value.as_str());
                found.extend(text.map(|text| (text, &term.span)));
                text.is_some()
            }
            None => false,
        },
        // Each is taken, whatever the others are.
        Form::List(items) => {
            let taken = items.iter().map(|item| texts(item, found));
            taken.filter(|is_text| !is_text).count() == 0
        }
        Form::Program { .. } | Form::Map(_) => false,
    }
}
