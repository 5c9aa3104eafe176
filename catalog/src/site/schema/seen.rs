//! A value as the walk sees it: written in a layer, given by layers together, or computed.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;

use crate::diag::Span;
use crate::render::{Handle, ProgramId, walkable};
use crate::vars::{Form, Leaf, Merged, Term};

/// A value, wherever it stands.
#[derive(Clone)]
pub(crate) enum Seen<'a> {
    /// What a layer, by its number among those of a host, has written.
    Written(&'a Term, Option<usize>),
    /// What the layers of a host give together.
    Merged(&'a Merged),
    /// What an expression gave.
    Computed(Value),
}

/// What is in a value.
pub(super) enum Inside<'a> {
    /// Not known before it is evaluated.
    Expression(ProgramId),
    /// Something that is told elsewhere.
    Broken,
    Scalar(Value),
    List(Vec<Seen<'a>>),
    Map(Vec<Entry<'a>>),
}

/// An entry of a mapping: its name, where that stands, its value.
pub(super) struct Entry<'a> {
    pub(super) name: Arc<str>,
    pub(super) key: Option<&'a Span>,
    pub(super) value: Seen<'a>,
}

impl<'a> Seen<'a> {
    /// What is in it.
    pub(super) fn inside(&self) -> Inside<'a> {
        match self {
            Self::Written(term, layer) => written(term, *layer),
            Self::Merged(Merged::Leaf(leaf)) => written(&leaf.term, Some(leaf.layer)),
            Self::Merged(Merged::List(items)) => {
                Inside::List(items.iter().map(Self::leaf).collect())
            }
            Self::Merged(Merged::Map(tree)) => {
                let entries = tree.iter().map(|(name, value)| Entry {
                    name: Arc::clone(name),
                    key: None,
                    value: Self::Merged(value),
                });
                Inside::Map(entries.collect())
            }
            // Told when the layers were merged.
            Self::Merged(Merged::Conflict(..)) => Inside::Broken,
            Self::Computed(value) => computed(value),
        }
    }

    fn leaf(leaf: &'a Leaf) -> Self {
        Self::Written(&leaf.term, Some(leaf.layer))
    }

    /// All of it as one value, where that is known and has an end.
    pub(super) fn constant(&self) -> Option<Value> {
        match self {
            Self::Written(term, _) => term.constant.clone(),
            Self::Merged(Merged::Leaf(leaf)) => leaf.term.constant.clone(),
            Self::Merged(_) => None,
            Self::Computed(value) => walkable(value).ok().map(|()| value.clone()),
        }
    }

    /// Where it stands, and in which layer.
    pub(super) fn place(&self) -> Option<(&'a Span, Option<usize>)> {
        match self {
            Self::Written(term, layer) => Some((&term.span, *layer)),
            Self::Merged(merged) => {
                let leaf = merged.first_leaf()?;
                Some((&leaf.term.span, Some(leaf.layer)))
            }
            Self::Computed(_) => None,
        }
    }
}

fn written(term: &Term, layer: Option<usize>) -> Inside<'_> {
    match &term.form {
        Form::Scalar(value) => Inside::Scalar(value.clone()),
        Form::Program { id, .. } => Inside::Expression(*id),
        Form::List(items) => {
            let items = items.iter().map(|item| Seen::Written(item, layer));
            Inside::List(items.collect())
        }
        Form::Map(map) => {
            let entries = map.iter().map(|(name, field)| Entry {
                name: Arc::clone(name),
                key: Some(&field.key),
                value: Seen::Written(&field.term, layer),
            });
            Inside::Map(entries.collect())
        }
    }
}

fn computed<'a>(value: &Value) -> Inside<'a> {
    if Handle::in_value(value).is_some() {
        return Inside::Scalar(value.clone());
    }
    match value.kind() {
        ValueKind::Invalid => Inside::Broken,
        ValueKind::Seq | ValueKind::Iterable => match value.try_iter() {
            Ok(items) => Inside::List(items.map(Seen::Computed).collect()),
            Err(_) => Inside::Broken,
        },
        ValueKind::Map => match value.try_iter() {
            Ok(keys) => Inside::Map(keys.filter_map(|key| entry(value, &key)).collect()),
            Err(_) => Inside::Broken,
        },
        _ => Inside::Scalar(value.clone()),
    }
}

fn entry<'a>(map: &Value, key: &Value) -> Option<Entry<'a>> {
    let name = key
        .as_str()
        .map_or_else(|| key.to_string().into(), Arc::from);
    Some(Entry {
        name,
        key: None,
        value: Seen::Computed(map.get_item(key).ok()?),
    })
}

/// What a value is, with its text where that is short.
pub(crate) fn describe(value: &Value) -> String {
    if let Some(handle) = Handle::in_value(value) {
        return handle.names();
    }
    match value.kind() {
        ValueKind::String => format!("the string {:?}", value.as_str().unwrap_or_default()),
        ValueKind::Number if value.is_integer() => format!("the integer {value}"),
        ValueKind::Number => format!("the number {value}"),
        ValueKind::Bool => format!("the boolean {value}"),
        ValueKind::None => "nothing".to_owned(),
        ValueKind::Seq | ValueKind::Iterable => "an array".to_owned(),
        ValueKind::Map => "an object".to_owned(),
        other => other.to_string(),
    }
}
