//! How values print: as in Python, because that is what Jinja2's users expect in their files.
//!
//! `True`, `None`, `['a', 1]`, `{'a': 1}`; a string by itself prints bare.

use std::fmt::Write as _;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Output, State, Value};

use super::secret::{Handle, unseen};
use super::weight::{Asleep, weigh};

/// Deepest nesting that is printed; deeper values cannot come out of a document.
const MAX_DEPTH: usize = 96;

/// Prints a value for `{{ … }}`.
pub(super) fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::Invalid => minijinja::escape_formatter(out, state, value),
        _ => {
            let written = match (value.as_str(), Handle::in_value(value)) {
                (Some(text), _) => out.write_str(text),
                (None, Some(handle)) => out.write_str(&handle.marked(state)),
                (None, None) => out.write_str(&text(value)?),
            };
            written.map_err(Error::from)
        }
    }
}

/// The text of a value, as Python's `str` gives it.
pub(super) fn text(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    match value.as_str() {
        Some(text) => out.push_str(text),
        None => {
            weigh(value, Asleep::Wake)?;
            repr(&mut out, value, 0)?;
        }
    }
    Ok(out)
}

/// The text of a value where there is no way to fail; `{...}`, which is how Python writes what it
/// cannot write out, for one that has no text.
pub(crate) fn abbreviated(value: &Value) -> String {
    text(value).unwrap_or_else(|_| "{...}".to_owned())
}

fn repr(out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        let message = "a value is nested too deeply to be printed";
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    if let Some(handle) = Handle::in_value(value) {
        return Err(unseen(&handle.names(), "made part of other text"));
    }
    match value.kind() {
        ValueKind::None => out.push_str("None"),
        ValueKind::Bool => out.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::String => quoted(out, value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            out.push('[');
            for (place, item) in value.try_iter()?.enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                repr(out, &item, depth + 1)?;
            }
            out.push(']');
        }
        ValueKind::Map => {
            out.push('{');
            for (place, key) in value.try_iter()?.enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                repr(out, &key, depth + 1)?;
                out.push_str(": ");
                repr(out, &value.get_item(&key)?, depth + 1)?;
            }
            out.push('}');
        }
        ValueKind::Invalid => return value.try_iter().map(drop),
        _ => {
            let _ = write!(out, "{value}");
        }
    }
    Ok(())
}

/// A string as Python's `repr` writes it: single quotes, unless only those are in it.
fn quoted(out: &mut String, text: &str) {
    let quote = match text.contains('\'') && !text.contains('"') {
        true => '"',
        false => '\'',
    };
    out.push(quote);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            other if other == quote => {
                out.push('\\');
                out.push(other);
            }
            other if other.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(other));
            }
            other => out.push(other),
        }
    }
    out.push(quote);
}
