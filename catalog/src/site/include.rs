//! A role that another one includes: which, with what parameters, when and how often, and what
//! waits for it.
//!
//! It stands among the resources (`- role: nginx`), where the resources of that role then come,
//! or in the role's list `include`, which comes before them all. Which role it is stands as
//! written, so that a site knows who may include whom without any host.

use std::sync::Arc;

use super::element::Element;
use super::fields::{Fields, unknown_key, wrong_type};
use super::steps::Steps;
use super::yaml::{Field, Node, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::render::{ProgramId, Programs};
use crate::vars::{Term, TermMap};

/// The key that makes an element of `resources` an include.
pub(super) const INCLUDE: &str = "role";

/// One role that another includes.
#[derive(Debug)]
pub(crate) struct Include {
    /// The role, as written.
    pub(crate) role: Arc<str>,
    /// Where its name stands.
    pub(crate) span: Span,
    /// What a repeatable role is called this time.
    pub(crate) title: Option<Arc<Term>>,
    /// The parameters that it gives, as a layer: `{ ROLE: { PARAM: value } }`.
    pub(crate) layer: Option<Arc<Term>>,
    /// The same as read, until it is known which of them are sensitive.
    unread: Option<Field>,
    pub(crate) steps: Steps,
    pub(crate) requires: Option<Arc<Term>>,
    pub(crate) before: Option<Arc<Term>>,
    pub(crate) notify: Option<Arc<Term>>,
}

/// An include and all that decides whether it is carried out.
pub(crate) struct Included<'a> {
    pub(crate) include: &'a Include,
    /// Of the blocks around it, the outermost first, and its own.
    pub(crate) steps: Vec<&'a Steps>,
}

impl Include {
    /// Reads a role's list `include`: names, or includes as they stand among resources.
    pub(super) fn read_all(
        node: &Node,
        (programs, wrong): (&mut Programs, &mut Diagnostics),
    ) -> Vec<Element> {
        let items = match &node.value {
            Yaml::List(items) => items,
            _ => std::slice::from_ref(node),
        };
        let includes = items.iter().filter_map(|item| match &item.value {
            Yaml::Text(name) => Self::named(name, &item.span, wrong),
            _ => Self::read(item, (&mut *programs, &mut *wrong)),
        });
        let elements = includes.map(|include| Element::Include(Box::new(include)));
        elements.collect()
    }

    fn named(role: &Arc<str>, span: &Span, wrong: &mut Diagnostics) -> Option<Self> {
        if role.contains("{{") {
            let message = "the name of an included role is written as it is";
            let told = Diagnostic::new(Code::InvalidValue, message, span);
            wrong.push(told.help("include each role that there may be, under a `when`"));
            return None;
        }
        Some(Self {
            role: Arc::clone(role),
            span: span.clone(),
            title: None,
            layer: None,
            unread: None,
            steps: Steps::default(),
            requires: None,
            before: None,
            notify: None,
        })
    }

    /// Reads an include that stands among resources.
    pub(super) fn read(
        node: &Node,
        (programs, wrong): (&mut Programs, &mut Diagnostics),
    ) -> Option<Self> {
        let mut fields = Fields::of(node, "an include", wrong)?;
        let Some(name) = fields.get(INCLUDE) else {
            let found = fields.rest().next();
            let span = found.map_or(&node.span, |(_, field)| &field.key);
            let message = "an include names its role";
            let told = Diagnostic::new(Code::MissingKey, message, span);
            wrong.push(told.help("as in `role: nginx`, or nothing but the name"));
            return None;
        };
        let (role, span) = super::fields::text(&name.node, wrong)?;
        let include = Self::named(&role, &span, wrong);
        let steps = Steps::read(&mut fields, programs, wrong);
        let params = fields.get("params").filter(|field| {
            let mapping = matches!(field.node.value, Yaml::Map(_));
            if !mapping {
                wrong.push(wrong_type("a mapping of parameters", &field.node));
            }
            mapping
        });
        let mut term = |key| {
            let field = fields.get(key)?;
            Some(Term::of(&field.node, programs))
        };
        let [title, requires, before, notify] =
            ["title", "requires", "before", "notify"].map(&mut term);
        for (key, field) in fields.rest() {
            let known = ["role", "params", "title", "for_each", "when", "requires"];
            let known: Vec<&str> = known.into_iter().chain(["before", "notify"]).collect();
            wrong.push(unknown_key(key, &field.key, "an include", &known));
        }
        Some(Self {
            title,
            unread: params.cloned(),
            steps,
            requires,
            before,
            notify,
            ..include?
        })
    }

    /// What it gives, to be made fit to be read.
    pub(super) fn take_unread(&mut self) -> Option<Field> {
        self.unread.take()
    }

    /// Reads what it gives.
    pub(super) fn read_params(&mut self, field: &Field, programs: &mut Programs) {
        let params = Term::of(&field.node, programs);
        let named = (Arc::clone(&self.role), field.key.clone(), params);
        self.layer = Some(Term::mapping(&field.node.span, [named]));
    }

    /// The parameters that it gives.
    pub(crate) fn params(&self) -> Option<&TermMap> {
        self.layer
            .as_ref()?
            .as_map()?
            .get(&self.role)?
            .term
            .as_map()
    }
}

impl Included<'_> {
    /// The conditions that have to hold.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = ProgramId> + '_ {
        self.steps.iter().filter_map(|steps| steps.when)
    }

    /// What the loops around it, and its own, go over.
    pub(crate) fn loops(&self) -> impl Iterator<Item = ProgramId> + '_ {
        let loops = self.steps.iter().flat_map(|steps| &steps.loops);
        loops.map(|one| one.over)
    }
}
