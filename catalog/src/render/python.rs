//! How values print: as in Python, because that is what Jinja2's users expect in their files.
//!
//! `True`, `None`, `['a', 1]`, `{'a': 1}`; a string by itself prints bare.

use std::fmt::Write as _;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Output, State, Value};

use super::filters::Group;
use super::secret::{Handle, unseen};
use super::weight::{Asleep, weigh};

/// Deepest nesting that is printed; deeper values cannot come out of a document.
const MAX_DEPTH: usize = 96;

/// Prints a value for `{{ … }}`.
pub(super) fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::Invalid => minijinja::escape_formatter(out, state, value),
        // As Ansible has it; inside of a list, or joined by `~`, it is `None`.
        ValueKind::None => Ok(()),
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

/// The text of a value as Python's `repr` gives it: as [`text`], with a string in quotes.
pub(super) fn quoted_text(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    weigh(value, Asleep::Wake)?;
    repr(&mut out, value, 0)?;
    Ok(out)
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
            let tuple = value.is_tuple() || value.downcast_object_ref::<Group>().is_some();
            let (open, close) = if tuple { ('(', ')') } else { ('[', ']') };
            out.push(open);
            let mut count = 0;
            for item in value.try_iter()? {
                out.push_str(if count > 0 { ", " } else { "" });
                repr(out, &item, depth + 1)?;
                count += 1;
            }
            if tuple && count == 1 {
                out.push(',');
            }
            out.push(close);
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
        ValueKind::Number if !value.is_integer() => match f64::try_from(value.clone()) {
            Ok(number) => float(out, number),
            Err(_) => drop(write!(out, "{value}")),
        },
        ValueKind::Invalid => return value.try_iter().map(drop),
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        _ => {
            let _ = write!(out, "{value}");
        }
    }
    Ok(())
}

/// What Python calls the type of a value.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "Undefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Map => "dict",
        ValueKind::Seq | ValueKind::Iterable if value.is_tuple() => "tuple",
        ValueKind::Seq | ValueKind::Iterable => "list",
        _ => "object",
    }
}

/// The text of a floating point number: the shortest that reads as the same.
pub(super) fn float_text(number: f64) -> String {
    let mut out = String::new();
    float(&mut out, number);
    out
}

fn float(out: &mut String, number: f64) {
    /// From this power of ten on, and below the other, Python writes an exponent.
    const POWERS: std::ops::Range<i32> = -4..16;
    if !number.is_finite() {
        let sign = if number < 0.0 { "-" } else { "" };
        let word = if number.is_nan() { "nan" } else { "inf" };
        let _ = write!(out, "{sign}{word}");
        return;
    }
    let scientific = format!("{number:e}");
    let Some((digits, power)) = scientific.split_once('e') else {
        return out.push_str(&scientific);
    };
    let power: i32 = power.parse().unwrap_or_default();
    if POWERS.contains(&power) || number == 0.0 {
        let plain = format!("{number}");
        out.push_str(&plain);
        out.push_str(if plain.contains('.') { "" } else { ".0" });
    } else {
        let sign = if power < 0 { '-' } else { '+' };
        let _ = write!(out, "{digits}e{sign}{:02}", power.abs());
    }
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
            other if other.is_control() || other == '\u{a0}' || other == '\u{ad}' => {
                let _ = write!(out, "\\x{:02x}", u32::from(other));
            }
            other => out.push(other),
        }
    }
    out.push(quote);
}

/// Python's `split`: at runs of blanks unless a separator is given, so many times at most.
pub(super) fn split(text: &str, separator: Option<&str>, most: usize) -> Result<Value, Error> {
    let times = most.saturating_add(1);
    let parts: Vec<Value> = match separator {
        Some("") => {
            let message = "text cannot be split at nothing";
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        Some(separator) => text.splitn(times, separator).map(Value::from).collect(),
        None => {
            let mut rest = text.trim_start();
            let mut parts = Vec::new();
            while !rest.is_empty() {
                let end = match parts.len() + 1 < times {
                    true => rest.find(char::is_whitespace).unwrap_or(rest.len()),
                    false => rest.len(),
                };
                let (part, tail) = rest.split_at(end);
                let last = tail.is_empty() && most != usize::MAX;
                parts.push(Value::from(if last { part.trim_end() } else { part }));
                rest = tail.trim_start();
            }
            parts
        }
    };
    Ok(Value::from(parts))
}

/// A text in the middle of a line.
pub(super) fn centered(text: &str, width: usize, fill: char) -> String {
    let missing = width.saturating_sub(text.chars().count());
    // An odd blank goes to the left where the width is odd.
    let left = missing / 2 + (missing & width & 1);
    let fill = |count: usize| fill.to_string().repeat(count);
    format!("{}{text}{}", fill(left), fill(missing - left))
}

/// The first letter upper case, all others lower case.
pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + &letters.as_str().to_lowercase()
}
