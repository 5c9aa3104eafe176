//! The filters that guards are: each refuses one way of using a secret.

use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, State, Value};

use crate::render::secret::{CHOSEN as CHOSEN_MARK, Handle, NONCE, is_marked, taken_apart, unseen};
use crate::site::Secret;
use crate::vars::is_lazy;

/// Refuses a secret, and what holds one however deep.
pub(super) const WHOLE: &str = "_whole";

/// Refuses a secret, and takes what holds some.
pub(super) const OUTER: &str = "_outer";

/// Refuses a secret to be searched, and a list of some, whose items would be compared.
pub(super) const SOUGHT: &str = "_sought";

/// Refuses a secret whose truth decides.
pub(super) const TRUTH: &str = "_truth";

/// Refuses a secret that depends on facts.
pub(super) const CHOSEN: &str = "_chosen";

/// Makes a handle of text that a block or a macro gave, where secrets were printed in it.
pub(super) const CAPTURED: &str = "_captured";

/// Refuses such text, where a filter would change it.
pub(super) const OPEN: &str = "_open";

/// Refuses to take one template or another as facts say.
pub(super) const SETTLED: &str = "_settled";

/// Refuses secrets as one attribute of items.
const BY: &str = "_by";

/// The call of the filter that looks at one attribute of each item.
pub(super) fn by_attribute(attribute: &str, done: &str) -> String {
    match attribute.contains(['"', '\\', '\n', '{', '%', '}']) {
        true => format!("|{WHOLE}"),
        false => format!("|{BY}(\"{attribute}\", \"{done}\")"),
    }
}

/// Most values that are looked through for one guard: as many as a document may have, often over.
const MAX_VALUES: usize = 1_000_000;

/// Deepest nesting that is looked through; a document has half of it at most.
const MAX_DEPTH: usize = 96;

/// Adds the guards to an environment.
pub(in crate::render) fn add(environment: &mut Environment<'static>, secrets: &[Arc<Secret>]) {
    environment.add_filter(WHOLE, |value: Value, done: Option<String>| {
        refuse(first_in(&value)?, value, &said(done))
    });
    environment.add_filter(OUTER, |value: Value, done: Option<String>| {
        refuse(outermost(&value), value, &said(done))
    });
    environment.add_filter(SOUGHT, |value: Value, done: Option<String>| {
        let found = match value.kind() {
            ValueKind::Map => None,
            _ => first_in(&value)?,
        };
        refuse(found, value, &said(done))
    });
    environment.add_filter(TRUTH, |value: Value| {
        refuse(outermost(&value), value, "asked whether it is true")
    });
    environment.add_filter(BY, by);
    environment.add_filter(SETTLED, |_: Value| -> Result<Value, Error> {
        Err(chosen("which template this is"))
    });
    let known: Arc<[Arc<Secret>]> = secrets.into();
    let of = Arc::clone(&known);
    environment.add_filter(CHOSEN, move |state: &State<'_, '_>, value: Value| {
        let found = match value.as_str() {
            Some(text) => in_text(state, text, &of)?.map(|handle| handle.names()),
            None => awake(&value)?,
        };
        match found {
            Some(names) => Err(chosen(&names)),
            None => Ok(value),
        }
    });
    let of = Arc::clone(&known);
    environment.add_filter(CAPTURED, move |state: &State<'_, '_>, value: Value| {
        let handle = value.as_str().map(|text| in_text(state, text, &of));
        let handle = handle.transpose()?.flatten();
        Ok(handle.map_or(value, Handle::into_value))
    });
    environment.add_filter(OPEN, move |state: &State<'_, '_>, value: Value| {
        let text = value.as_str().unwrap_or_default();
        let found = in_text(state, text, &known)?.map(|handle| handle.names());
        refuse(found, value, "changed by a filter, with the text around it")
    });
}

fn said(done: Option<String>) -> String {
    done.unwrap_or_else(|| "looked into".to_owned())
}

fn refuse(found: Option<String>, value: Value, done: &str) -> Result<Value, Error> {
    match found {
        Some(names) => Err(unseen(&names, done)),
        None => Ok(value),
    }
}

/// Refuses what facts would choose.
fn chosen(what: &str) -> Error {
    let message = format!(
        "{CHOSEN_MARK}{what} would depend on facts, which the host reports\u{0}\
         let the repo decide: by a variable, an attribute or a tag of the host, or a group with `hosts:`"
    );
    Error::new(ErrorKind::InvalidOperation, message)
}

/// What stands for text that secrets were printed in.
pub(super) fn in_text(
    state: &State<'_, '_>,
    text: &str,
    secrets: &[Arc<Secret>],
) -> Result<Option<Handle>, Error> {
    if !is_marked(text) {
        return Ok(None);
    }
    let nonce = state.lookup(NONCE);
    let nonce = nonce.as_ref().and_then(Value::as_str).unwrap_or_default();
    taken_apart(text, nonce, secrets).map_err(|_| unseen("a secret in this text", "changed"))
}

fn outermost(value: &Value) -> Option<String> {
    Handle::in_value(value).map(Handle::names)
}

/// The secret in a value that leaves the engine, however deep.
pub(crate) fn secret_in(value: &Value) -> Option<String> {
    // What fails to be walked fails again where it is used.
    first_in(value).unwrap_or_default()
}

/// The first secret in a value.
fn first_in(value: &Value) -> Result<Option<String>, Error> {
    let mut left = MAX_VALUES;
    look(value, &mut left, 0, &|_| false)
}

/// The first secret in a value, variables that nobody has asked for yet left alone.
fn awake(value: &Value) -> Result<Option<String>, Error> {
    let mut left = MAX_VALUES;
    look(value, &mut left, 0, &is_lazy)
}

fn look(
    value: &Value,
    left: &mut usize,
    depth: usize,
    skip: &dyn Fn(&Value) -> bool,
) -> Result<Option<String>, Error> {
    *left = left.checked_sub(1).ok_or(ErrorKind::OutOfFuel)?;
    if let Some(handle) = Handle::in_value(value) {
        return Ok(Some(handle.names()));
    }
    let mapping = value.kind() == ValueKind::Map;
    let list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    if !(mapping || list) || skip(value) {
        return Ok(None);
    }
    if depth >= MAX_DEPTH {
        return Err(Error::from(ErrorKind::OutOfFuel));
    }
    for item in value.try_iter()? {
        let item = match mapping {
            true => value.get_item(&item)?,
            false => item,
        };
        if let Some(found) = look(&item, left, depth + 1, skip)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Looks at one attribute of each item, as a filter that is told to does.
fn by(value: Value, attribute: String, done: String) -> Result<Value, Error> {
    if let Some(names) = outermost(&value) {
        return Err(unseen(&names, &done));
    }
    let list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    if !list {
        return refuse(first_in(&value)?, value, &done);
    }
    for item in value.try_iter()? {
        let mut found = item;
        for name in attribute.split('.') {
            if let Some(names) = outermost(&found) {
                return Err(unseen(&names, &done));
            }
            found = found.get_attr(name)?;
        }
        if let Some(names) = first_in(&found)? {
            return Err(unseen(&names, &done));
        }
    }
    Ok(value)
}
