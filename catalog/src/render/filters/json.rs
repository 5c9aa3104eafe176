//! Filters to and from JSON, as Python's library writes it.

use std::fmt::Write as _;

use minijinja::value::{Serde, ValueKind};
use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};
use super::refused;
use crate::render::python;

/// Deepest nesting that is written.
const MAX_DEPTH: usize = 64;

/// Widest margin of a level, in columns.
const MAX_INDENT: i64 = 64;

const OPTIONS: &[&str] = &[
    "indent",
    "sort_keys",
    "ensure_ascii",
    "separators",
    "skipkeys",
];

pub(super) const FILTERS: &[Filter] = &[
    filter("from_json", &[], from_json),
    filter("to_json", OPTIONS, |call| to_json(call, Style::default())),
    filter("to_nice_json", OPTIONS, |call| {
        let nice = Style {
            indent: Some(4),
            sorted: true,
            ..Style::default()
        };
        to_json(call, nice)
    }),
    filter("tojson", OPTIONS, tojson),
];

/// How JSON is written.
struct Style {
    indent: Option<usize>,
    sorted: bool,
    ascii: bool,
    item: String,
    key: String,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            indent: None,
            sorted: false,
            ascii: true,
            item: ", ".to_owned(),
            key: ": ".to_owned(),
        }
    }
}

fn from_json(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let json: Result<Serde<serde_json::Value>, _> =
        serde_json::from_str(call.value_text()?).map(Serde);
    json.map(Value::from)
        .map_err(|error| call.fails(format!("not JSON: {error}")))
}

fn to_json(call: &Call<'_, '_, '_>, style: Style) -> Result<Value, Error> {
    call.gives(written(call, style)?)
}

/// Jinja's own, which is safe inside of markup.
fn tojson(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let style = Style {
        sorted: true,
        ..Style::default()
    };
    let text = written(call, style)?;
    let safe = text.replace('<', "\\u003c").replace('>', "\\u003e");
    call.gives(safe.replace('&', "\\u0026").replace('\'', "\\u0027"))
}

fn written(call: &Call<'_, '_, '_>, mut style: Style) -> Result<String, Error> {
    if call.argument("indent").is_some() {
        let indent = call.integer_or("indent", -1)?.min(MAX_INDENT);
        style.indent = usize::try_from(indent).ok();
    }
    if call.argument("sort_keys").is_some() {
        style.sorted = call.flag("sort_keys");
    }
    style.ascii = call.flag_or_true("ensure_ascii");
    if style.indent.is_some() {
        style.item = ",".to_owned();
    }
    if let Some(separators) = call.some("separators") {
        let separators = call.list(separators)?;
        let [item, key] = &separators[..] else {
            return Err(call.fails("`separators` are two texts"));
        };
        (style.item, style.key) = (python::text(item)?, python::text(key)?);
    }
    call.walked(&call.value)?;
    let mut out = String::new();
    write(&mut out, &call.value, &style, 0)?;
    call.steps(out.len() >> 8)?;
    Ok(out)
}

fn break_line(out: &mut String, style: &Style, depth: usize) {
    if let Some(width) = style.indent {
        let _ = write!(out, "\n{:width$}", "", width = width * depth);
    }
}

fn write(out: &mut String, value: &Value, style: &Style, depth: usize) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(refused("nested too deeply to be written"));
    }
    match value.kind() {
        ValueKind::Map => {
            out.push('{');
            let entries = entries(value, style.sorted)?;
            for (place, (key, value)) in entries.iter().enumerate() {
                out.push_str(if place > 0 { &style.item } else { "" });
                break_line(out, style, depth + 1);
                string(out, key, style);
                out.push_str(&style.key);
                write(out, value, style, depth + 1)?;
            }
            if !entries.is_empty() {
                break_line(out, style, depth);
            }
            out.push('}');
        }
        ValueKind::Seq | ValueKind::Iterable => {
            out.push('[');
            let mut empty = true;
            for item in value.try_iter()? {
                out.push_str(if empty { "" } else { &style.item });
                break_line(out, style, depth + 1);
                write(out, &item, style, depth + 1)?;
                empty = false;
            }
            if !empty {
                break_line(out, style, depth);
            }
            out.push(']');
        }
        ValueKind::String => string(out, value.as_str().unwrap_or_default(), style),
        _ => out.push_str(&scalar(value)?),
    }
    Ok(())
}

fn scalar(value: &Value) -> Result<String, Error> {
    Ok(match value.kind() {
        ValueKind::None => "null".to_owned(),
        ValueKind::Bool => if value.is_true() { "true" } else { "false" }.to_owned(),
        ValueKind::Number => match python::text(value)?.as_str() {
            "inf" => "Infinity".to_owned(),
            "-inf" => "-Infinity".to_owned(),
            "nan" => "NaN".to_owned(),
            number => number.to_owned(),
        },
        ValueKind::Undefined => return Err(minijinja::ErrorKind::UndefinedError.into()),
        kind => return Err(refused(format!("{kind} cannot be written"))),
    })
}

/// As Python writes it: what is not ASCII is escaped unless it is said that it is not.
fn string(out: &mut String, text: &str, style: &Style) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            other if !style.ascii && !other.is_ascii_control() => out.push(other),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// Keys are text in JSON.
fn entries(value: &Value, sorted: bool) -> Result<Vec<(String, Value)>, Error> {
    let pairs = value.try_iter()?.map(|key| {
        let name = match key.as_str() {
            Some(name) => name.to_owned(),
            None => scalar(&key)?,
        };
        Ok((name, value.get_item(&key)?))
    });
    let mut entries: Vec<(String, Value)> = pairs.collect::<Result<_, Error>>()?;
    if sorted {
        entries.sort_by(|a, b| a.0.cmp(&b.0));
    }
    Ok(entries)
}
