//! The parameters of a role for a host: merged, evaluated, and checked against their types.

use std::sync::Arc;

use minijinja::Value;

use crate::diag::{Code, Diagnostic};
use crate::render::carried_value;
use crate::site::Role;
use crate::vars::{HostState, Merged};

/// The values of a role's parameters, as `params`. One that is wrong is told here, and makes what
/// reads it fail without another word.
pub(super) fn values(state: &Arc<HostState>, role: &Role) -> Value {
    let pairs = role.params.iter().map(|(name, param)| {
        let path = [Arc::clone(&role.name), Arc::clone(name)];
        let Some(merged) = Merged::at(&state.tree, &path) else {
            let message = format!(
                "role `{}` needs a value for its parameter `{name}`",
                role.name
            );
            let told = Diagnostic::new(Code::MissingParameter, message, &param.span).help(format!(
                "set `{}: {{ {name}: … }}` in the globals, a group or the host",
                role.name
            ));
            return (
                Value::from(Arc::clone(name)),
                carried_value(state.record(told)),
            );
        };
        let value = state.value(&merged);
        let refused = match value.is_none() && param.may_be_none() {
            true => None,
            false => param.shape.refuses(&value),
        };
        let value = match (refused, merged_span(&merged)) {
            // What failed to evaluate is told already, at its own place.
            _ if is_invalid(&value) => value,
            (Some(refused), Some((span, layer))) => {
                let message = format!("parameter `{name}` of role `{}`: {refused}", role.name);
                let told = Diagnostic::new(Code::WrongType, message, span)
                    .label(format!("set by {}", state.layers[layer].source))
                    .also(&param.span, "declared here");
                carried_value(state.record(told))
            }
            _ => value,
        };
        (Value::from(Arc::clone(name)), value)
    });
    Value::from_pairs(pairs)
}

fn is_invalid(value: &Value) -> bool {
    value.kind() == minijinja::value::ValueKind::Invalid
}

fn merged_span(merged: &Merged) -> Option<(&crate::diag::Span, usize)> {
    match merged {
        Merged::Leaf(leaf) | Merged::Conflict(leaf, _) => Some((&leaf.term.span, leaf.layer)),
        Merged::Map(tree) => tree.values().find_map(|inner| merged_span(inner)),
        Merged::List(items) => items.first().map(|leaf| (&leaf.term.span, leaf.layer)),
    }
}
