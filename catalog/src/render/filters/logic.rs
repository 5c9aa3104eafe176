//! Filters that decide: truth, choice, types, what has to be there.

use minijinja::value::{Kwargs, Rest};
use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};
use super::refused;
use crate::render::python;

pub(super) const FILTERS: &[Filter] = &[
    filter("bool", &[], boolean),
    filter("string", &[], string),
    filter(
        "ternary",
        &["?true_val", "?false_val", "?none_val"],
        ternary,
    ),
    filter("type_debug", &[], type_debug),
    filter("mandatory", &["msg"], |call| Ok(call.value.clone())),
];

/// What stands for something undefined, or for what is not true where that is asked for.
pub(super) fn default(
    value: Value,
    positional: Rest<Value>,
    named: Kwargs,
) -> Result<Value, Error> {
    let by_name = |name: &str| match named.has(name) {
        true => named.get::<Value>(name).map(Some),
        false => Ok(None),
    };
    let (other, lax) = (by_name("default_value")?, by_name("boolean")?);
    named.assert_all_used()?;
    if positional.len() > 2 {
        return Err(refused("`default` takes 2 arguments at most"));
    }
    let other = positional.first().cloned().or(other);
    let lax = positional.get(1).cloned().or(lax);
    let missing =
        value.is_undefined() || (lax.is_some_and(|lax| lax.is_true()) && !value.is_true());
    Ok(match missing {
        true => other.unwrap_or_else(|| Value::from("")),
        false => value,
    })
}

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
