//! Filters to and from JSON and YAML, as Python's libraries write them.

use std::fmt::Write as _;
use std::sync::Arc;

use minijinja::value::{Kwargs, Serde, ValueKind};
use minijinja::{Environment, Error, Value};

use super::{Asleep, bounded, refused, weigh};
use crate::diag::Source;
use crate::site::yaml::{self, Node, Yaml};

/// Deepest nesting that is written.
const MAX_DEPTH: usize = 64;

pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("to_json", |value: Value, options: Kwargs| {
        json(&value, &options, None, Keys::AsWritten)
    });
    environment.add_filter("tojson", |value: Value, options: Kwargs| {
        json(&value, &options, None, Keys::Sorted)
    });
    environment.add_filter("to_nice_json", |value: Value, options: Kwargs| {
        json(&value, &options, Some(4), Keys::Sorted)
    });
    environment.add_filter("to_yaml", |value: Value, options: Kwargs| {
        yaml_text(&value, &options, Flow::Leaves)
    });
    environment.add_filter("to_nice_yaml", |value: Value, options: Kwargs| {
        yaml_text(&value, &options, Flow::Never)
    });
    environment.add_filter("from_json", |text: String| {
        let json: Result<serde_json::Value, _> = serde_json::from_str(&text);
        json.map(|json| Value::from(Serde(json)))
            .map_err(|error| refused(format!("not JSON: {error}")))
    });
    environment.add_filter("from_yaml", from_yaml);
}

#[derive(Clone, Copy, PartialEq)]
enum Keys {
    AsWritten,
    Sorted,
}

/// Which collections of YAML are written on one line.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Never,
    Leaves,
}

fn json(
    value: &Value,
    options: &Kwargs,
    indent: Option<usize>,
    keys: Keys,
) -> Result<String, Error> {
    let indent = options
        .get::<Option<usize>>("indent")?
        .map(|width| width.min(16))
        .or(indent);
    let keys = match options.get::<Option<bool>>("sort_keys")? {
        Some(true) => Keys::Sorted,
        Some(false) => Keys::AsWritten,
        None => keys,
    };
    options.assert_all_used()?;
    weigh(value, Asleep::Wake)?;
    let mut out = String::new();
    write_json(&mut out, value, (indent, keys), 0)?;
    bounded(out)
}

fn break_line(out: &mut String, indent: Option<usize>, depth: usize) {
    if let Some(width) = indent {
        let _ = write!(out, "\n{:width$}", "", width = width * depth);
    }
}

fn write_json(
    out: &mut String,
    value: &Value,
    style: (Option<usize>, Keys),
    depth: usize,
) -> Result<(), Error> {
    let (indent, keys) = style;
    if depth > MAX_DEPTH {
        return Err(refused("nested too deeply to be written"));
    }
    let comma = |out: &mut String, place: usize| {
        if place > 0 {
            out.push_str(if indent.is_some() { "," } else { ", " });
        }
    };
    match value.kind() {
        ValueKind::Map => {
            out.push('{');
            let entries = entries(value, keys)?;
            for (place, (key, value)) in entries.iter().enumerate() {
                comma(out, place);
                break_line(out, indent, depth + 1);
                json_string(out, key);
                out.push_str(": ");
                write_json(out, value, style, depth + 1)?;
            }
            if !entries.is_empty() {
                break_line(out, indent, depth);
            }
            out.push('}');
        }
        ValueKind::Seq | ValueKind::Iterable => {
            out.push('[');
            let items: Vec<Value> = value.try_iter()?.collect();
            for (place, item) in items.iter().enumerate() {
                comma(out, place);
                break_line(out, indent, depth + 1);
                write_json(out, item, style, depth + 1)?;
            }
            if !items.is_empty() {
                break_line(out, indent, depth);
            }
            out.push(']');
        }
        _ => json_scalar(out, value)?,
    }
    Ok(())
}

fn json_scalar(out: &mut String, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => {
            let _ = write!(out, "{value}");
        }
        ValueKind::String => json_string(out, value.as_str().unwrap_or_default()),
        ValueKind::Undefined => return Err(minijinja::ErrorKind::UndefinedError.into()),
        kind => return Err(refused(format!("{kind} cannot be written"))),
    }
    Ok(())
}

/// As Python writes it: what is not ASCII is escaped.
fn json_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

fn entries(value: &Value, keys: Keys) -> Result<Vec<(String, Value)>, Error> {
    let pairs = value.try_iter()?.map(|key| {
        let name = super::python::text(&key)?;
        Ok((name, value.get_item(&key)?))
    });
    let mut entries: Vec<(String, Value)> = pairs.collect::<Result<_, Error>>()?;
    if keys == Keys::Sorted {
        entries.sort_by(|a, b| a.0.cmp(&b.0));
    }
    Ok(entries)
}

fn yaml_text(value: &Value, options: &Kwargs, flow: Flow) -> Result<String, Error> {
    let nice = if flow == Flow::Never { 4 } else { 2 };
    let indent = options
        .get::<Option<usize>>("indent")?
        .unwrap_or(nice)
        .clamp(2, 16);
    let keys = match options.get::<Option<bool>>("sort_keys")? {
        Some(false) => Keys::AsWritten,
        _ => Keys::Sorted,
    };
    options.assert_all_used()?;
    weigh(value, Asleep::Wake)?;
    let mut writer = YamlWriter {
        out: String::new(),
        indent,
        keys,
        flow,
    };
    match writer.inline(value)? {
        true => writer.flow_value(value)?,
        false => writer.block(value, 0)?,
    }
    if !writer.out.ends_with('\n') {
        writer.out.push('\n');
    }
    bounded(writer.out)
}

struct YamlWriter {
    out: String,
    indent: usize,
    keys: Keys,
    flow: Flow,
}

impl YamlWriter {
    /// Whether a value is written on one line.
    fn inline(&self, value: &Value) -> Result<bool, Error> {
        let nested = |kind| matches!(kind, ValueKind::Map | ValueKind::Seq | ValueKind::Iterable);
        if !nested(value.kind()) || value.len() == Some(0) {
            return Ok(true);
        }
        if self.flow == Flow::Never {
            return Ok(false);
        }
        let mut children = match value.kind() {
            ValueKind::Map => entries(value, self.keys)?
                .into_iter()
                .map(|one| one.1)
                .collect(),
            _ => value.try_iter()?.collect::<Vec<Value>>(),
        }
        .into_iter();
        Ok(children.all(|child| !nested(child.kind())))
    }

    fn flow_value(&mut self, value: &Value) -> Result<(), Error> {
        match value.kind() {
            ValueKind::Map => {
                self.out.push('{');
                for (place, (key, value)) in entries(value, self.keys)?.iter().enumerate() {
                    self.out.push_str(if place > 0 { ", " } else { "" });
                    yaml_string(&mut self.out, key);
                    self.out.push_str(": ");
                    self.flow_value(value)?;
                }
                self.out.push('}');
            }
            ValueKind::Seq | ValueKind::Iterable => {
                self.out.push('[');
                for (place, item) in value.try_iter()?.enumerate() {
                    self.out.push_str(if place > 0 { ", " } else { "" });
                    self.flow_value(&item)?;
                }
                self.out.push(']');
            }
            ValueKind::String => yaml_string(&mut self.out, value.as_str().unwrap_or_default()),
            _ => json_scalar(&mut self.out, value)?,
        }
        Ok(())
    }

    fn block(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(refused("nested too deeply to be written"));
        }
        let margin = " ".repeat(self.indent * depth);
        if value.kind() == ValueKind::Map {
            for (key, value) in entries(value, self.keys)? {
                self.out.push_str(&margin);
                yaml_string(&mut self.out, &key);
                self.out.push(':');
                match self.inline(&value)? {
                    true => {
                        self.out.push(' ');
                        self.flow_value(&value)?;
                        self.out.push('\n');
                    }
                    // A list stands at the margin of its key, as Python writes it.
                    false => {
                        self.out.push('\n');
                        let deeper = usize::from(value.kind() == ValueKind::Map);
                        self.block(&value, depth + deeper)?;
                    }
                }
            }
            return Ok(());
        }
        for item in value.try_iter()? {
            let _ = write!(self.out, "{margin}-{}", " ".repeat(self.indent - 1));
            match self.inline(&item)? {
                true => {
                    self.flow_value(&item)?;
                    self.out.push('\n');
                }
                false => {
                    let start = self.out.len();
                    self.block(&item, depth + 1)?;
                    let lead = start + self.indent * (depth + 1);
                    self.out.replace_range(start..lead.min(self.out.len()), "");
                }
            }
        }
        Ok(())
    }
}

/// A string, quoted where it would be read as something else.
fn yaml_string(out: &mut String, text: &str) {
    let source = Source::new("", text);
    let plain = !text.contains(['\n', '\t', ',', '[', ']', '{', '}', '"', '\''])
        && text.trim() == text
        && !text.starts_with(['#', '&', '*', '!', '|', '>', '%', '@', '`', '-', '?', '='])
        && !text.contains(": ")
        && !text.ends_with(':')
        && matches!(yaml::parse(&source), Ok(Node { value: Yaml::Text(read), .. }) if *read == *text);
    match (plain, text.contains(char::is_control)) {
        (true, _) => out.push_str(text),
        (false, true) => json_string(out, text),
        (false, false) => {
            let _ = write!(out, "'{}'", text.replace('\'', "''"));
        }
    }
}

fn from_yaml(text: String) -> Result<Value, Error> {
    let source = Source::new("text", text);
    let node = yaml::parse(&source).map_err(|wrong| {
        let first = wrong.first().map(|one| one.message.clone());
        refused(format!("not YAML: {}", first.unwrap_or_default()))
    })?;
    Ok(value_of(&node))
}

fn value_of(node: &Node) -> Value {
    match &node.value {
        Yaml::Null => Value::from(()),
        Yaml::Bool(value) => Value::from(*value),
        Yaml::Int(value) => Value::from(*value),
        Yaml::Float(value) => Value::from(*value),
        Yaml::Text(text) => Value::from(Arc::clone(text)),
        Yaml::Secret(_) => Value::from(refused("text that age encrypted cannot be read as YAML")),
        Yaml::List(items) => items.iter().map(value_of).collect(),
        Yaml::Map(map) => {
            let pairs = map.iter();
            let pairs =
                pairs.map(|(key, field)| (Value::from(Arc::clone(key)), value_of(&field.node)));
            Value::from_pairs(pairs)
        }
    }
}
