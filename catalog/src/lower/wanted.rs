//! What a resource or a role names: what it requires, stands before, notifies, subscribes to.

use std::sync::Arc;

use holdfast_schemas::resource::{Kind, ResourceIdError};
use minijinja::Value;

use super::context::{Context, list};
use super::expand::{Named, Wanted};
use super::frame::RoleName;
use crate::diag::{Code, Diagnostic, Span, did_you_mean};
use crate::render::Handle;
use crate::site::{describe, refreshes};
use crate::vars::{Form, Term};

/// The edges that a resource has by what is written at it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edges {
    pub(crate) requires: Vec<Wanted>,
    pub(crate) before: Vec<Wanted>,
    pub(crate) notify: Vec<Wanted>,
    pub(crate) subscribes: Vec<Wanted>,
}

impl Edges {
    /// Takes those of another.
    pub(crate) fn extend(&mut self, more: Self) {
        self.requires.extend(more.requires);
        self.before.extend(more.before);
        self.notify.extend(more.notify);
        self.subscribes.extend(more.subscribes);
    }
}

/// The edges of something, as written.
#[derive(Debug, Default)]
pub(super) struct Waits<'s> {
    pub(super) requires: Option<&'s Term>,
    pub(super) before: Option<&'s Term>,
    pub(super) notify: Option<&'s Term>,
    pub(super) subscribes: Option<&'s Term>,
}

/// The edges of something; `None` where one is wrong, which is told.
pub(super) fn edges(waits: &Waits<'_>, context: &Context<'_, '_>) -> Option<Edges> {
    let requires = wanted(waits.requires, context);
    let before = wanted(waits.before, context);
    let notify = wanted(waits.notify, context);
    let subscribes = wanted(waits.subscribes, context);
    let notify = notify.filter(|notify| {
        let deaf = notify.iter().find(|one| match &one.named {
            Named::Resource(id) => !refreshes(id.kind()),
            Named::Role(_) => true,
        });
        if let Some(deaf) = deaf {
            let message = format!(
                "{} cannot be notified: only a service or an exec acts on it",
                deaf.named
            );
            context.tell(Diagnostic::new(Code::InvalidValue, message, &deaf.span));
        }
        deaf.is_none()
    });
    Some(Edges {
        requires: requires?,
        before: before?,
        notify: notify?,
        subscribes: subscribes?,
    })
}

/// The resources that an edge names: one, or a list, lists in it included; none where an
/// expression gives none.
fn wanted(term: Option<&Term>, context: &Context<'_, '_>) -> Option<Vec<Wanted>> {
    let Some(term) = term else {
        return Some(Vec::new());
    };
    let written: &[Arc<Term>] = match &term.form {
        Form::List(items) => items,
        _ => &[],
    };
    // In a list as written, each name has a place of its own.
    let mut named: Vec<(Value, &Span)> = Vec::new();
    let value = context.eval(term)?;
    for (number, value) in list(&value)
        .unwrap_or_else(|| vec![value])
        .into_iter()
        .enumerate()
    {
        let span = written.get(number).map_or(&term.span, |item| &item.span);
        match list(&value) {
            Some(inner) => named.extend(inner.into_iter().map(|value| (value, span))),
            None if value.is_none() => {}
            None => named.push((value, span)),
        }
    }
    let wanted = named.iter().map(|(value, span)| one(value, span, context));
    let wanted: Vec<Option<Wanted>> = wanted.collect();
    wanted.into_iter().collect()
}

fn one(value: &Value, span: &Span, context: &Context<'_, '_>) -> Option<Wanted> {
    if let Some(handle) = Handle::in_value(value) {
        let message = format!("{} cannot name a resource", handle.names());
        let told = Diagnostic::new(Code::Secret, message, span);
        context.tell(told.help("a resource is written `type[title]`, in the clear"));
        return None;
    }
    let role = value.as_str().and_then(RoleName::parse);
    let parsed: Result<Named, String> = match (role, value.as_str()) {
        (Some(role), _) => Ok(Named::Role(role)),
        (None, Some(text)) => text
            .parse()
            .map(Named::Resource)
            .map_err(|error: ResourceIdError| error.to_string()),
        (None, None) => Err(format!(
            "a resource is written `type[title]`, found {}",
            describe(value)
        )),
    };
    let parsed = parsed.map_err(|message| {
        let kinds = Kind::ALL.iter().map(|kind| kind.as_str()).chain(["role"]);
        let word = value.as_str().and_then(|text| text.split_once('['));
        let help = word.and_then(|(word, _)| did_you_mean(word, kinds));
        context.tell(Diagnostic::new(Code::InvalidValue, message, span).maybe_help(help));
    });
    Some(Wanted {
        named: parsed.ok()?,
        span: span.clone(),
    })
}
