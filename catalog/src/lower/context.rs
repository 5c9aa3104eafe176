//! What lowering the resources of a role needs at hand: the scope, the engine, what was made.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_schemas::Digest;
use holdfast_schemas::resource::ResourceId;
use minijinja::Value;
use minijinja::value::ValueKind;

use crate::diag::Diagnostic;
use crate::render::{Engine, Failing};
use crate::site::Role;
use crate::vars::{Form, HostState, Scope, Term};

/// The place from which a role's resources are lowered.
pub(crate) struct Context<'a> {
    pub(crate) state: &'a Arc<HostState>,
    pub(crate) role: &'a Role,
    pub(crate) scope: Scope,
    /// The scope as the engine takes it.
    pub(crate) value: Value,
    /// Content that was made and is too long for the catalog.
    pub(crate) blobs: &'a mut BTreeMap<Digest, Arc<[u8]>>,
    /// Resources that are declared and could not be made, which is told.
    pub(crate) failed: &'a mut Vec<ResourceId>,
}

impl Context<'_> {
    /// The engine.
    pub(crate) fn engine(&self) -> &Engine {
        &self.state.parts.engine
    }

    /// Tells that something is wrong in this host.
    pub(crate) fn tell(&self, diagnostic: Diagnostic) {
        self.state.record(diagnostic);
    }

    /// Tells what failed, unless it is told already.
    pub(crate) fn failed(&self, failing: Failing) {
        if failing.recorded.is_none() {
            self.tell(self.scope.diagnostic(failing));
        }
    }

    /// The value of an attribute; `None` where that failed, which is told.
    pub(crate) fn eval(&self, term: &Term) -> Option<Value> {
        if let Some(value) = &term.constant {
            return Some(value.clone());
        }
        match &term.form {
            Form::Scalar(value) => Some(value.clone()),
            Form::Program { id, .. } => {
                let result = self.engine().eval(*id, &self.value);
                result.map_err(|failing| self.failed(failing)).ok()
            }
            Form::List(items) => {
                let values: Vec<Option<Value>> = items.iter().map(|item| self.eval(item)).collect();
                values
                    .into_iter()
                    .collect::<Option<Vec<Value>>>()
                    .map(Value::from)
            }
            Form::Map(map) => {
                let pairs = map.iter().map(|(name, field)| {
                    Some((Value::from(Arc::clone(name)), self.eval(&field.term)?))
                });
                let pairs: Vec<Option<(Value, Value)>> = pairs.collect();
                let pairs: Option<Vec<(Value, Value)>> = pairs.into_iter().collect();
                pairs.map(Value::from_pairs)
            }
        }
    }

    /// The items of a list that an expression gives.
    pub(crate) fn list(&self, value: &Value) -> Option<Vec<Value>> {
        let list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
        value
            .try_iter()
            .ok()
            .filter(|_| list)
            .map(Iterator::collect)
    }
}
