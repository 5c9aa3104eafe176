//! The parameters of a role for a host: merged, evaluated, and checked against their types.

use std::sync::Arc;

use minijinja::Value;

use crate::diag::{Code, Diagnostic};
use crate::render::carried_value;
use crate::site::{Role, Subject};
use crate::vars::{HostState, Merged, misfits};

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
        let subject = Subject::Parameter {
            role: Arc::clone(&role.name),
            name: Arc::clone(name),
        };
        let value = match misfits(state, &merged, (&param.schema, &subject)) {
            Some(number) => carried_value(number),
            None => state.value(&merged),
        };
        (Value::from(Arc::clone(name)), value)
    });
    Value::from_pairs(pairs)
}
