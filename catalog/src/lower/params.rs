//! The parameters of a role for a host: merged, evaluated, and checked against their types.

use std::sync::{Arc, Weak};

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use crate::diag::{Code, Diagnostic, Span};
use crate::render::carried_value;
use crate::site::{Declaration, Expected, Role, Subject, Walk};
use crate::vars::{HostState, LayerSource, Merged, misfits};

/// The values of a role's parameters, as `params`. One that is wrong is told here, and makes what
/// reads it fail without another word.
pub(super) fn values(state: &Arc<HostState>, role: &Role) -> Value {
    let pairs = role.params.iter().map(|(name, param)| {
        let value = value(state, role, (name, param));
        (Value::from(Arc::clone(name)), value)
    });
    Value::from_pairs(pairs)
}

/// The same, each evaluated when it is asked for: what a role gives one that it includes may be
/// what another parameter of it is made of.
pub(crate) fn params_of(state: &Arc<HostState>, role: &Role) -> Value {
    Value::from_object(Params {
        state: Arc::downgrade(state),
        role: Arc::clone(&role.name),
    })
}

/// The value that the layers of a host give a role's parameter.
pub(super) fn value(
    state: &Arc<HostState>,
    role: &Role,
    (name, param): (&Arc<str>, &Declaration),
) -> Value {
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
        return carried_value(state.record(told));
    };
    match misfits(state, &merged, (&param.schema, &subject(role, name))) {
        Some(number) => carried_value(number),
        None => state.value(&merged),
    }
}

/// What an include gives one of a repeatable role, if it fits.
pub(super) fn given(
    state: &Arc<HostState>,
    (by, role, name): (&Role, &Role, &Arc<str>),
    (value, span): (&Value, &Span),
) -> Value {
    let Some(param) = role.params.get(name) else {
        return value.clone();
    };
    let source = LayerSource::Include {
        role: Arc::clone(&role.name),
        by: Arc::clone(&by.name),
    };
    let expected = Expected::whole(&param.schema);
    let misfits = Walk::over_computed(&expected, value).misfits.into_iter();
    let told = misfits.map(|misfit| {
        let told = subject(role, name).told(misfit, Some(&source), span);
        state.record(told)
    });
    let told: Vec<usize> = told.collect();
    told.first()
        .map_or_else(|| value.clone(), |number| carried_value(*number))
}

fn subject(role: &Role, name: &Arc<str>) -> Subject {
    Subject::Parameter {
        role: Arc::clone(&role.name),
        name: Arc::clone(name),
    }
}

/// The parameters of a role, evaluated on access.
#[derive(Debug)]
struct Params {
    state: Weak<HostState>,
    role: Arc<str>,
}

impl Object for Params {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let state = self.state.upgrade()?;
        let role = state.parts.roles.get(&self.role)?;
        Some(value(&state, role, role.params.get_key_value(key)?))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let state = self.state.upgrade();
        let role = state
            .as_ref()
            .and_then(|state| state.parts.roles.get(&self.role));
        let names = role.into_iter().flat_map(|role| role.params.keys());
        Enumerator::Values(names.map(|name| Value::from(Arc::clone(name))).collect())
    }
}
