//! One role, included at several places: they agree on its parameters, or it is an error with
//! both places, unless a layer above decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;

use super::include::Holding;
use crate::diag::{Code, Diagnostic, Span};
use crate::render::Handle;
use crate::site::Role;
use crate::vars::{Hiding, HostState, LayerSource, MergeRule, Merged, Term};

/// Longest value that is shown in a message.
const SHOWN: usize = 60;

/// A parameter as an include gives it: its name, its value, its place.
pub(super) type Given<'a> = (&'a Arc<str>, Value, &'a Span);

/// Whether two values are the same; secrets as far as ciphertexts tell.
fn alike(one: &Value, other: &Value) -> bool {
    match (Handle::in_value(one), Handle::in_value(other)) {
        (Some(one), Some(other)) => one.same(other),
        (None, None) => one.kind() == other.kind() && one == other,
        _ => false,
    }
}

/// Two includes of a repeatable role with one title: where they differ.
pub(super) fn differing(
    (what, role): (&str, &Role),
    (first, at): (&[Given<'_>], &Span),
    (second, there): (&[Given<'_>], &Span),
) -> Option<Diagnostic> {
    let of = |given: &[Given<'_>], name: &Arc<str>| {
        let found = given.iter().find(|(known, ..)| *known == name);
        found.map(|(_, value, span)| (value.clone(), (*span).clone()))
    };
    let mut names = first.iter().chain(second).map(|(name, ..)| *name);
    let name = names.find(|name| match (of(first, name), of(second, name)) {
        (Some((one, _)), Some((other, _))) => !alike(&one, &other),
        _ => true,
    })?;
    let message = format!("{what} is included twice, with another `{name}`");
    let place = |given, around: &Span| match of(given, name) {
        Some((value, span)) => {
            let schema = role.params.get(name).map(|param| &param.schema);
            (span, here(Hiding::under(schema).value(&value).ok()))
        }
        None => (around.clone(), format!("without `{name}` here")),
    };
    let ((at, one), (there, other)) = (place(first, at), place(second, there));
    let told = Diagnostic::new(Code::IncludeConflict, message, &at).label(one);
    let told = told.also(&there, other);
    Some(told.help("what is included alike is there once; these need titles of their own"))
}

/// What one include says of a parameter.
#[derive(Clone, Copy)]
struct Voice<'a> {
    by: &'a Role,
    role: &'a Arc<str>,
    name: &'a Arc<str>,
    /// The place of the include's layer among all.
    layer: usize,
    term: &'a Arc<Term>,
}

/// What to say of roles that include one that is there once, and do not agree.
pub(super) fn disagreements(state: &Arc<HostState>, holding: &[Holding<'_>]) -> Vec<Diagnostic> {
    let layers = state.layers.iter().enumerate();
    let layers = layers.filter(|(_, layer)| matches!(layer.source, LayerSource::Include { .. }));
    // What gives something has a layer, in the same order.
    let giving = holding.iter().filter(|one| one.include.layer.is_some());
    let voices = giving.zip(layers).flat_map(|(one, (layer, _))| {
        let params = one.include.params().into_iter().flatten();
        params.map(move |(name, field)| Voice {
            by: one.by,
            role: &one.include.role,
            name,
            layer,
            term: &field.term,
        })
    });
    let mut first: BTreeMap<(&Arc<str>, &Arc<str>), Voice<'_>> = BTreeMap::new();
    let mut told = Vec::new();
    for voice in voices {
        let known = *first.entry((voice.role, voice.name)).or_insert(voice);
        let another = !Arc::ptr_eq(known.term, voice.term);
        if another && !is_decided(state, voice.role, voice.name) {
            told.extend(disagreement(state, known, voice));
        }
    }
    told
}

fn disagreement(state: &Arc<HostState>, one: Voice<'_>, other: Voice<'_>) -> Option<Diagnostic> {
    let value = state.term(one.term, one.layer);
    let another = state.term(other.term, other.layer);
    if alike(&value, &another) {
        return None;
    }
    let (role, name) = (one.role, one.name);
    let (by, beside) = (&one.by.name, &other.by.name);
    let who = match by == beside {
        true => format!("role `{by}` includes role `{role}` twice"),
        false => format!("roles `{by}` and `{beside}` include role `{role}`"),
    };
    let message = format!("{who}, with another `{name}`");
    let told = Diagnostic::new(Code::IncludeConflict, message, &one.term.span);
    let path = [Arc::clone(role), Arc::clone(name)];
    let hiding = Hiding::at(&state.parts, &path);
    let said = |value: &Value| here(hiding.value(value).ok());
    let told = told.label(said(&value));
    let told = told.also(&other.term.span, said(&another));
    Some(told.help(format!(
        "a value of `{role}.{name}` in the globals, a group or the host decides"
    )))
}

/// Whether a layer above roles says what a parameter is.
fn is_decided(state: &HostState, role: &Arc<str>, name: &Arc<str>) -> bool {
    let path = [Arc::clone(role), Arc::clone(name)];
    let rule = state.parts.settings.rules.deciding(&path);
    let merged = Merged::at(&state.tree, &path);
    let layers = merged.map(|merged| merged.layers()).unwrap_or_default();
    let by_role = |layer: &usize| {
        let source = &state.layers[*layer].source;
        matches!(source, LayerSource::Include { .. })
    };
    rule == MergeRule::Replace && !layers.iter().any(by_role)
}

/// A value, where it is short enough to be read.
fn here(json: Option<serde_json::Value>) -> String {
    let text = json.map(|json| json.to_string());
    match text.filter(|text| text.len() <= SHOWN) {
        Some(text) => format!("{text} here"),
        None => "this here".to_owned(),
    }
}
