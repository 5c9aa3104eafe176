//! What a host's variables and parameters may be, held against what they are: what the layers give
//! together when they are merged, and what expressions give when they are evaluated.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;

use super::{Form, HostState, Merged, Term};
use crate::diag::{Code, Diagnostic, Span};
use crate::render::ProgramId;
use crate::site::{Extent, Role, Schema, Seen, Subject, Walk};

/// The variables that do not fit, each with the number of its error.
pub(super) type Unfit = BTreeMap<Arc<str>, usize>;

/// Holds a host's merged variables against what they may be.
pub(super) fn unfit(state: &HostState) -> Unfit {
    let mut unfit = Unfit::new();
    for (name, declared) in &state.parts.variables.declared {
        let subject = Subject::Variable(Arc::clone(name));
        let number = match (state.tree.get(name), &declared.required) {
            (Some(merged), _) => misfits(state, merged, (&declared.schema, &subject)),
            (None, Some(required)) => {
                let message = format!("no layer gives variable `{name}` a value");
                let description = declared.schema.description.as_ref();
                let told = Diagnostic::new(Code::MissingVariable, message, required)
                    .label("every host has to have one")
                    .maybe_help(description.map(|text| format!("`{name}` is: {text}")))
                    .help("set it in the globals, in groups that have every host, or in each host");
                Some(state.record(told))
            }
            (None, None) => None,
        };
        unfit.extend(number.map(|number| (Arc::clone(name), number)));
    }
    unfit
}

/// Tells what of a merged value does not fit; the number of the first error.
pub(crate) fn misfits(
    state: &HostState,
    merged: &Merged,
    (schema, subject): (&Arc<Schema>, &Subject),
) -> Option<usize> {
    let walk = Walk::over(schema, &Seen::Merged(merged), Extent::Whole);
    let mut numbers = Vec::new();
    for misfit in walk.misfits {
        let layer = misfit.layer.and_then(|layer| state.layers.get(layer));
        let told = subject.told(misfit, layer.map(|layer| &layer.source), &schema.span);
        numbers.push(state.record(told));
    }
    numbers.first().copied()
}

/// Tells what of an expression's value is not what it has to be; the number of the first error.
pub(super) fn computed(
    state: &HostState,
    (id, layer): (ProgramId, usize),
    value: &Value,
) -> Option<usize> {
    let demand = state.parts.demands.get(&id)?;
    let walk = Walk::over_computed(&demand.expected, value);
    let span: &Span = state.parts.engine.span(id);
    let source = state.layers.get(layer).map(|layer| &layer.source);
    let told = walk.misfits.into_iter().map(|misfit| {
        let told = demand.subject.told(misfit, source, span);
        state.record_misfit(told)
    });
    let numbers: Vec<usize> = told.collect();
    numbers.first().copied()
}

/// Evaluates what is declared and holds for the host, whether it is read or not: what does not fit
/// is told. Whatever else fails is not, for nobody needs it.
pub(crate) fn ask(state: &Arc<HostState>, roles: &[&Role]) {
    if state.parts.demands.is_empty() {
        return;
    }
    let known = state.wrong_count();
    let variables = state.parts.variables.declared.keys();
    let mut paths: Vec<Vec<Arc<str>>> = variables.map(|name| vec![Arc::clone(name)]).collect();
    for role in roles {
        let names = role.params.keys();
        paths.extend(names.map(|name| vec![Arc::clone(&role.name), Arc::clone(name)]));
    }
    for merged in paths
        .iter()
        .filter_map(|path| Merged::at(&state.tree, path))
    {
        evaluate(state, &merged);
    }
    state.keep_faults(known);
}

fn evaluate(state: &Arc<HostState>, merged: &Merged) {
    match merged {
        Merged::Leaf(leaf) => expressions(state, &leaf.term, leaf.layer),
        Merged::Map(tree) => tree.values().for_each(|inner| evaluate(state, inner)),
        Merged::List(items) => items
            .iter()
            .for_each(|leaf| expressions(state, &leaf.term, leaf.layer)),
        Merged::Conflict(..) => {}
    }
}

fn expressions(state: &Arc<HostState>, term: &Arc<Term>, layer: usize) {
    match &term.form {
        _ if term.constant.is_some() => {}
        Form::Scalar(_) => {}
        Form::Program { .. } => drop(state.term(term, layer)),
        Form::List(items) => items
            .iter()
            .for_each(|item| expressions(state, item, layer)),
        Form::Map(map) => map
            .values()
            .for_each(|field| expressions(state, &field.term, layer)),
    }
}
