//! A role's resources for a host: conditions and loops carried out, attributes evaluated.

use std::fmt;
use std::sync::Arc;

use holdfast_schemas::resource::{Kind, ResourceId, Spec};
use minijinja::Value;

use super::absent::Why;
use super::attrs::Attrs;
use super::context::{Chosen, Context, Purpose, list};
use super::each::{Went, each};
use super::frame::RoleName;
use super::include::include;
use super::spec;
use super::wanted::{Edges, Waits, edges};
use crate::diag::{Code, Diagnostic, Span};
use crate::render::{Depends, Handle, ProgramId, secret_in};
use crate::site::{Declared, Element, Steps, describe};
use crate::vars::Form;

/// What to do about a secret elsewhere.
const CONTENT_ONLY: &str = "only a file's content can hold secrets: `content`, a template, or a `source` that is encrypted";

/// A resource of a host, before it has its place in the order.
#[derive(Debug)]
pub(crate) struct Built<'s> {
    pub(crate) id: ResourceId,
    pub(crate) spec: Spec,
    pub(crate) declared: &'s Declared,
    /// The title.
    pub(crate) span: &'s Span,
    pub(crate) edges: Edges,
    /// The roles that declare it.
    pub(crate) frames: Vec<usize>,
}

/// What a resource names: others that wait for it, or that it waits for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) named: Named,
    pub(crate) span: Span,
}

/// A resource, or a role: all resources in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Resource(ResourceId),
    Role(RoleName),
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(id) => id.fmt(f),
            Self::Role(role) => role.fmt(f),
        }
    }
}

/// Carries out one element of a role's resources.
pub(super) fn element<'s>(element: &'s Element, context: &mut Context<'s, '_>) {
    if context.made.purpose == Purpose::Includes && !element.includes() {
        return;
    }
    let steps = element.steps();
    let around = context.chosen.clone();
    context.chosen = around.clone().or_else(|| chosen(steps, context));
    let went = each(&steps.loops, context, &mut |context| {
        let skipped = match steps.when.map(|when| (when, context.holds(when))) {
            None | Some((_, Some(true))) => None,
            Some((when, Some(false))) => Some(Why::NotHeld(when)),
            Some((_, None)) => Some(Why::Wrong),
        };
        match (skipped, element) {
            (Some(why), _) => skip(element, context, why),
            (None, Element::Resource(declared)) => resources(declared, context),
            (None, Element::Include(one)) => include(one, context),
            (None, Element::Block { elements, .. }) => {
                elements
                    .iter()
                    .for_each(|inner| self::element(inner, context));
            }
        }
    });
    if let Went::Wrong = went {
        skip(element, context, Why::Wrong);
    }
    context.chosen = around;
}

/// What decides by facts whether, or how often, an element is there.
fn chosen(steps: &Steps, context: &Context<'_, '_>) -> Option<Chosen> {
    let engine = context.engine();
    let when = steps.when.filter(|id| engine.depends(*id) > Depends::Not);
    let mut loops = steps.loops.iter().map(|one| one.over);
    let over = loops.find(|id| engine.depends(*id) > Depends::Within);
    let by = |what: &'static str, id: ProgramId| Chosen {
        what,
        span: engine.span(id).clone(),
    };
    let when = when.map(|id| by("`when`", id));
    when.or_else(|| over.map(|id| by("`for_each`", id)))
}

/// Tells of secrets where none can stand.
fn refuse_secrets(kind: Kind, attrs: &mut Attrs<'_>) {
    let mut told = Vec::new();
    attrs.values.retain(|(name, value, span)| {
        let content = kind == Kind::File && *name == "content" && Handle::in_value(value).is_some();
        let names = (!content).then(|| secret_in(value)).flatten();
        if let Some(names) = &names {
            let message = format!("{names} cannot stand in `{name}`");
            let told_here = Diagnostic::new(Code::Secret, message, span);
            told.push(told_here.help(CONTENT_ONLY));
        }
        names.is_none()
    });
    told.into_iter().for_each(|one| attrs.tell(one));
}

fn skip<'s>(element: &'s Element, context: &mut Context<'s, '_>, why: Why) {
    for declared in element.resources() {
        context.made.absent.skip(declared, &context.value, why);
    }
    for included in element.find_includes() {
        let role = &included.include.role;
        context.made.absent.skip_role(role, why);
    }
}

/// One resource, or as many as there are titles, unless something in them is wrong.
fn resources<'s>(declared: &'s Declared, context: &mut Context<'s, '_>) {
    let titles = titles(declared, context);
    let values = declared.attributes.iter().map(|(name, field)| {
        let value = context.eval(&field.term);
        value.map(|value| (&**name, value, &field.term.span))
    });
    let values: Vec<Option<(&str, Value, &Span)>> = values.collect();
    // Without an attribute that failed to evaluate, others would only seem to be missing.
    let values: Option<Vec<(&str, Value, &Span)>> = values.into_iter().collect();
    let waits = Waits {
        requires: declared.requires.as_deref(),
        before: declared.before.as_deref(),
        notify: declared.notify.as_deref(),
        subscribes: declared.subscribes.as_deref(),
    };
    let edges = edges(&waits, context);
    let Some(titles) = titles else {
        return context
            .made
            .absent
            .skip(declared, &context.value, Why::Wrong);
    };
    for (title, span) in titles {
        let id = match ResourceId::new(declared.kind, title.as_str()) {
            Ok(id) => id,
            Err(error) => {
                let told = Diagnostic::new(Code::InvalidValue, error.to_string(), span);
                context.tell(told);
                continue;
            }
        };
        let spec = values
            .as_ref()
            .and_then(|values| specified(declared, (&title, span), values.clone(), context));
        match (spec, &edges) {
            (Some(spec), Some(edges)) => context.made.built.push(Built {
                id,
                spec,
                declared,
                span,
                edges: edges.clone(),
                frames: vec![context.frame],
            }),
            _ => context.made.absent.fail(id),
        }
    }
}

/// The specification of one resource; what is wrong with it is told.
fn specified(
    declared: &Declared,
    (title, span): (&str, &Span),
    values: Vec<(&str, Value, &Span)>,
    context: &mut Context<'_, '_>,
) -> Option<Spec> {
    let mut attrs = Attrs {
        title,
        span,
        values,
        wrong: Vec::new(),
    };
    refuse_secrets(declared.kind, &mut attrs);
    // Without what was refused, it would only seem to be missing.
    let spec = match attrs.wrong.is_empty() {
        true => spec(declared.kind, &mut attrs, context),
        false => None,
    };
    let sound = attrs.wrong.is_empty();
    attrs.wrong.into_iter().for_each(|told| context.tell(told));
    spec.filter(|_| sound)
}

/// The titles, and where each stands.
fn titles<'s>(
    declared: &'s Declared,
    context: &Context<'s, '_>,
) -> Option<Vec<(String, &'s Span)>> {
    let term = &declared.title;
    let value = context.eval(term)?;
    let several = list(&value);
    // In a list as written, each title has a place of its own.
    let written: &[Arc<_>] = match &term.form {
        Form::List(items) => items,
        _ => &[],
    };
    let values = several.unwrap_or_else(|| vec![value]);
    let titles = values.into_iter().enumerate().map(|(number, value)| {
        let span = written.get(number).map_or(&term.span, |item| &item.span);
        match (value.as_str(), value.is_integer()) {
            (Some(text), _) => Some((text.to_owned(), span)),
            (None, true) => Some((value.to_string(), span)),
            (None, false) if Handle::in_value(&value).is_some() => {
                let message = format!("{} cannot be a title", describe(&value));
                let told = Diagnostic::new(Code::Secret, message, span);
                context.tell(told.help(CONTENT_ONLY));
                None
            }
            (None, false) => {
                let kind = declared.kind;
                let found = describe(&value);
                let message = format!("the title of a {kind} is a string, found {found}");
                context.tell(Diagnostic::new(Code::WrongType, message, span));
                None
            }
        }
    });
    let titles: Vec<Option<(String, &Span)>> = titles.collect();
    titles.into_iter().collect()
}
