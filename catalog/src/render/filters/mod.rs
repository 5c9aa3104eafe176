//! The filters that Ansible adds to Jinja2's own: a first set.
//!
//! Filters are bounded like everything else: what one gives is at most [`MAX_FILTERED`] bytes.

mod collections;
mod documents;
mod text;

use minijinja::{Environment, Error, ErrorKind, Value};

use super::failure::NAMED;
use super::python;
use super::strict::{GIVEN, HELD, LIGHT, TEXT};
use super::weight::{Asleep, weigh};

/// Longest text that one filter may give, in bytes; the longest template output is as long.
const MAX_FILTERED: usize = 16 * 1024 * 1024;

/// Adds all filters to an environment.
pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter(GIVEN, compared);
    environment.add_filter(HELD, given);
    environment.add_filter(TEXT, joined);
    environment.add_filter(LIGHT, |value: Value, _name: Option<String>| {
        weigh(&value, Asleep::Leave).map(|()| value)
    });
    environment.add_filter("string", |value: Value| python::text(&value));
    environment.add_filter("bool", boolean);
    environment.add_filter("mandatory", mandatory);
    environment.add_filter("ternary", ternary);
    collections::add(environment);
    documents::add(environment);
    text::add(environment);
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

fn bounded(text: String) -> Result<String, Error> {
    match text.len() > MAX_FILTERED {
        true => Err(refused(format!(
            "gives more than {} MiB",
            MAX_FILTERED >> 20
        ))),
        false => Ok(text),
    }
}

/// What is compared has to be defined, and is walked.
fn compared(value: Value, name: Option<String>) -> Result<Value, Error> {
    let value = given(value, name)?;
    weigh(&value, Asleep::Wake)?;
    Ok(value)
}

/// What `~` joins has to be defined, and is text as Python's `str` gives it.
fn joined(value: Value, name: Option<String>) -> Result<Value, Error> {
    let value = given(value, name)?;
    match value.as_str().is_some() {
        true => Ok(value),
        false => python::text(&value).map(Value::from),
    }
}

/// What is asked for has to be defined; the error names it.
fn given(value: Value, name: Option<String>) -> Result<Value, Error> {
    match (value.is_undefined(), name) {
        (false, _) => Ok(value),
        (true, Some(name)) => Err(Error::new(
            ErrorKind::UndefinedError,
            format!("{NAMED}{name}"),
        )),
        (true, None) => Err(Error::from(ErrorKind::UndefinedError)),
    }
}

fn mandatory(value: Value, message: Option<String>) -> Result<Value, Error> {
    match (value.is_undefined(), message) {
        (false, _) => Ok(value),
        (true, None) => Err(Error::from(ErrorKind::UndefinedError)),
        (true, Some(message)) => Err(refused(message)),
    }
}

/// Ansible's `bool`: the words that mean yes, and everything else that means no.
fn boolean(value: Value) -> bool {
    match value.as_str() {
        Some(word) => matches!(
            word.to_ascii_lowercase().as_str(),
            "yes" | "on" | "1" | "true" | "t" | "y"
        ),
        None => value.is_true() && (value.is_integer() || value == Value::from(true)),
    }
}

fn ternary(value: Value, yes: Value, no: Value, none: Option<Value>) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    match (value.is_none(), none) {
        (true, Some(none)) => Ok(none),
        _ if value.is_true() => Ok(yes),
        _ => Ok(no),
    }
}
