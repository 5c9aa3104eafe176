//! Filters to and from YAML, as Python's library writes it.

use std::sync::Arc;

use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};
use super::refused;
use crate::diag::Source;
use crate::site::yaml::{self, Node, Yaml};

mod emitter;
mod scalar;

use emitter::{Emitter, Flow, Layout};

const OPTIONS: &[&str] = &[
    "indent",
    "sort_keys",
    "default_flow_style",
    "width",
    "explicit_start",
    "allow_unicode",
];

/// Widest margin of a level that the format takes.
const INDENTS: std::ops::RangeInclusive<i64> = 2..=9;

pub(super) const FILTERS: &[Filter] = &[
    filter("from_yaml", &[], from_yaml),
    filter("from_yaml_all", &[], from_yaml_all),
    filter("to_nice_yaml", OPTIONS, |call| {
        to_yaml(call, (4, Flow::Never))
    }),
    filter("to_yaml", OPTIONS, |call| to_yaml(call, (2, Flow::Leaves))),
];

fn to_yaml(call: &Call<'_, '_, '_>, (indent, flow): (i64, Flow)) -> Result<Value, Error> {
    let indent = call.integer_or("indent", indent)?;
    let indent = if INDENTS.contains(&indent) { indent } else { 2 };
    let indent = usize::try_from(indent).unwrap_or(2);
    let flow = match call.argument("default_flow_style") {
        None => flow,
        Some(value) if value.is_none() => Flow::Leaves,
        Some(value) if value.is_true() => Flow::Always,
        Some(_) => Flow::Never,
    };
    let width = usize::try_from(call.integer_or("width", 80)?).unwrap_or(0);
    let layout = Layout {
        indent,
        // Narrower than two levels, the width is what it is unless one says so.
        width: if width > indent * 2 { width } else { 80 },
        sorted: call.flag_or_true("sort_keys"),
        flow,
        starts: call.flag("explicit_start"),
    };
    call.walked(&call.value)?;
    let text = Emitter::write(&call.value, layout)?;
    call.steps(text.len() >> 7)?;
    call.gives(text)
}

fn from_yaml(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    match call.value.as_str() {
        Some(text) => read(call, text),
        None => Ok(call.value.clone()),
    }
}

/// Documents between lines of three dashes.
fn from_yaml_all(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_text()?;
    let mut documents = vec![String::new()];
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" {
            documents.push(String::new());
        } else if let Some(document) = documents.last_mut() {
            document.push_str(line);
        }
    }
    let first = documents
        .first()
        .is_some_and(|first| first.trim().is_empty());
    let from = usize::from(first && documents.len() > 1);
    let read = documents[from..]
        .iter()
        .map(|document| read(call, document));
    let read: Result<Vec<Value>, Error> = read.collect();
    read.map(Value::from)
}

fn read(call: &Call<'_, '_, '_>, text: &str) -> Result<Value, Error> {
    call.steps(text.len() >> 4)?;
    if text.trim().is_empty() {
        return Ok(Value::from(()));
    }
    let source = Source::new("text", text);
    let node = yaml::parse(&source).map_err(|wrong| {
        let first = wrong.first().map(|one| one.message.clone());
        call.fails(format!("not YAML: {}", first.unwrap_or_default()))
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
