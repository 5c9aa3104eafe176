//! A role's resources for a host: conditions and loops carried out, attributes evaluated.

use std::sync::Arc;

use holdfast_schemas::resource::{Kind, ResourceId, Spec};
use minijinja::Value;

use super::attrs::Attrs;
use super::context::Context;
use super::spec;
use crate::diag::{Code, Diagnostic, Span, did_you_mean};
use crate::site::{Declared, describe};
use crate::vars::{Form, Term};

/// Most items of one `for_each`.
const MAX_ITEMS: usize = 50_000;

/// A resource of a host, before it has its place in the order.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) id: ResourceId,
    pub(crate) spec: Spec,
    /// The title.
    pub(crate) span: Span,
    pub(crate) requires: Vec<Wanted>,
    pub(crate) before: Vec<Wanted>,
    pub(crate) notify: Vec<Wanted>,
}

/// A resource that another one names.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) id: ResourceId,
    pub(crate) span: Span,
}

/// Carries out all resources of a role.
pub(super) fn role(context: &mut Context<'_>, built: &mut Vec<Built>) {
    let role = context.role;
    for declared in &role.resources {
        let Some((name, list)) = &declared.each else {
            built.extend(one(declared, context));
            continue;
        };
        let items = context.engine().eval(*list, &context.value);
        let items = items.map_err(|failing| context.failed(failing));
        let Ok(value) = items else { continue };
        let span = context.engine().span(*list).clone();
        for item in items_of(&value, &span, context) {
            let scope = context.scope.with_item(name, item);
            let mut inner = Context {
                state: context.state,
                role,
                value: scope.value(),
                scope,
                blobs: &mut *context.blobs,
                failed: &mut *context.failed,
            };
            built.extend(one(declared, &mut inner));
        }
    }
}

fn items_of(value: &Value, span: &Span, context: &Context<'_>) -> Vec<Value> {
    match context.list(value) {
        Some(items) if items.len() <= MAX_ITEMS => items,
        Some(items) => {
            let message = format!(
                "`for_each` over {} items; {MAX_ITEMS} are accepted",
                items.len()
            );
            context.tell(Diagnostic::new(Code::Limit, message, span));
            Vec::new()
        }
        None => {
            let message = format!("`for_each` goes over a list, found {}", describe(value));
            let told = Diagnostic::new(Code::WrongType, message, span);
            context.tell(told.help("a mapping becomes a list with `|dict2items`"));
            Vec::new()
        }
    }
}

/// One resource, unless its condition is false or something in it is wrong.
fn one(declared: &Declared, context: &mut Context<'_>) -> Option<Built> {
    if let Some(when) = declared.when {
        let holds = context.engine().eval(when, &context.value);
        let holds = holds.map_err(|failing| context.failed(failing)).ok()?;
        if !holds.is_true() {
            return None;
        }
    }
    let title = title(declared, context);
    let values = declared.attributes.iter().map(|(name, field)| {
        let value = context.eval(&field.term);
        value.map(|value| (&**name, value, &field.term.span))
    });
    let values: Vec<Option<(&str, Value, &Span)>> = values.collect();
    let edges = edges(declared, context);
    let title = title?;
    let complete = values.iter().all(Option::is_some);
    let mut attrs = Attrs {
        title: &title,
        span: &declared.title.span,
        values: values.into_iter().flatten().collect(),
        wrong: Vec::new(),
    };
    // Without an attribute that failed to evaluate, others would only seem to be missing.
    let spec = match complete {
        true => spec(declared.kind, &mut attrs, context),
        false => None,
    };
    let sound = attrs.wrong.is_empty();
    attrs
        .wrong
        .into_iter()
        .for_each(|wrong| context.tell(wrong));
    let id = ResourceId::new(declared.kind, title.as_str());
    let id = id.map_err(|error| {
        context.tell(Diagnostic::new(
            Code::InvalidValue,
            error.to_string(),
            &declared.title.span,
        ));
    });
    let id = id.ok()?;
    match (edges, spec.filter(|_| sound)) {
        (Some([requires, before, notify]), Some(spec)) => Some(Built {
            id,
            spec,
            span: declared.title.span.clone(),
            requires,
            before,
            notify,
        }),
        _ => {
            context.failed.push(id);
            None
        }
    }
}

fn title(declared: &Declared, context: &Context<'_>) -> Option<String> {
    let value = context.eval(&declared.title)?;
    match (value.as_str(), value.is_integer()) {
        (Some(text), _) => Some(text.to_owned()),
        (None, true) => Some(value.to_string()),
        (None, false) => {
            let message = format!(
                "the title of a {} is a string, found {}",
                declared.kind,
                describe(&value)
            );
            context.tell(Diagnostic::new(
                Code::WrongType,
                message,
                &declared.title.span,
            ));
            None
        }
    }
}

fn edges(declared: &Declared, context: &Context<'_>) -> Option<[Vec<Wanted>; 3]> {
    let requires = wanted(declared.requires.as_ref(), context);
    let before = wanted(declared.before.as_ref(), context);
    let notify = wanted(declared.notify.as_ref(), context);
    let notify = notify.filter(|notify| {
        let deaf = notify
            .iter()
            .find(|one| !matches!(one.id.kind(), Kind::Service | Kind::Exec));
        if let Some(deaf) = deaf {
            let message = format!(
                "{} cannot be notified: only a service or an exec acts on it",
                deaf.id
            );
            context.tell(Diagnostic::new(Code::InvalidValue, message, &deaf.span));
        }
        deaf.is_none()
    });
    Some([requires?, before?, notify?])
}

/// The resources that an edge names: one, or a list; none where an expression gives none.
fn wanted(term: Option<&Arc<Term>>, context: &Context<'_>) -> Option<Vec<Wanted>> {
    let Some(term) = term else {
        return Some(Vec::new());
    };
    let value = context.eval(term)?;
    let values = match (value.is_none(), context.list(&value)) {
        (true, _) => Vec::new(),
        (false, Some(values)) => values,
        (false, None) => vec![value],
    };
    // In a list as written, each name has a place of its own.
    let place = |number: usize| match &term.form {
        Form::List(items) => items.get(number).map_or(&term.span, |item| &item.span),
        _ => &term.span,
    };
    let wanted = values.into_iter().enumerate().map(|(number, value)| {
        let span = place(number);
        let parsed: Result<ResourceId, String> = match value.as_str() {
            Some(text) => text
                .parse()
                .map_err(|error: holdfast_schemas::resource::ResourceIdError| error.to_string()),
            None => Err(format!(
                "a resource is written `type[title]`, found {}",
                describe(&value)
            )),
        };
        let told = parsed.map_err(|message| {
            let kinds = Kind::ALL.iter().map(|kind| kind.as_str());
            let word = value.as_str().and_then(|text| text.split_once('['));
            let help = word.and_then(|(word, _)| did_you_mean(word, kinds));
            context.tell(Diagnostic::new(Code::InvalidValue, message, span).maybe_help(help));
        });
        Some(Wanted {
            id: told.ok()?,
            span: span.clone(),
        })
    });
    let wanted: Vec<Option<Wanted>> = wanted.collect();
    wanted.into_iter().collect()
}
