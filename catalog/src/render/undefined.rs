//! Something undefined that may be asked for what is in it, as Ansible's is where `default` or
//! `is defined` stands behind: `site.port|default(80)` without a `site`.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Object, ObjectRepr};

/// What is in something undefined: nothing that is defined.
#[derive(Debug)]
struct Nothing;

impl Object for Nothing {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, _: &Value) -> Option<Value> {
        Some(Value::UNDEFINED)
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }
}

/// Lets something undefined have attributes, which are undefined.
pub(super) fn open(value: Value) -> Value {
    match value.is_undefined() || value.is_none() {
        true => Value::from_object(Nothing),
        false => value,
    }
}
