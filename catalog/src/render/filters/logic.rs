//! Filters that decide: truth, choice, types, what has to be there.

use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};
use crate::render::python;

pub(super) const FILTERS: &[Filter] = &[
    filter("bool", &[], boolean),
    filter("string", &[], string),
    filter("ternary", &["true_val", "false_val", "none_val"], ternary),
    filter("type_debug", &[], type_debug),
    filter("mandatory", &["msg"], |call| Ok(call.value.clone())),
];

/// Ansible's `bool`: the words that mean yes, and everything else that means no.
fn boolean(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    Ok(match call.value.as_str() {
        _ if call.value.is_none() => Value::from(()),
        Some(word) => Value::from(matches!(
            word.to_lowercase().as_str(),
            "yes" | "on" | "1" | "true"
        )),
        None => Value::from(call.value == Value::from(1)),
    })
}

fn string(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    call.walked(&call.value)?;
    call.gives(call.value_as_text()?)
}

fn ternary(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let (yes, no) = (call.needed("true_val")?, call.needed("false_val")?);
    let chosen = match call.some("none_val") {
        Some(none) if call.value.is_none() => none,
        _ if call.value.is_true() => yes,
        _ => no,
    };
    Ok(chosen.clone())
}

fn type_debug(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    Ok(Value::from(python::type_name(&call.value)))
}
