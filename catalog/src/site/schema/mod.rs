//! What a value may be, in the vocabulary of JSON Schema: a parameter of a role, a variable of the
//! site, and every part of either.
//!
//! There is one reading ([`Schema::read`]) and one walk over values ([`Walk`]), which goes over
//! what a layer has written, over what the layers give together, and over what an expression gave.

mod read;
mod rule;
mod seen;
mod walk;

pub(crate) use seen::{Seen, describe};
pub(crate) use walk::{Expected, Extent, Misfit, Walk};

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::ValueKind;

use crate::diag::Span;
use rule::Rule;

/// What a value is, as schemas name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueType {
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
    Null,
}

impl ValueType {
    const ALL: [ValueType; 7] = [
        Self::String,
        Self::Integer,
        Self::Number,
        Self::Boolean,
        Self::Array,
        Self::Object,
        Self::Null,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
            Self::Null => "null",
        }
    }

    fn admits(self, value: &Value) -> bool {
        match self {
            Self::String => value.kind() == ValueKind::String,
            Self::Integer => value.is_integer(),
            Self::Number => value.kind() == ValueKind::Number,
            Self::Boolean => value.kind() == ValueKind::Bool,
            Self::Array => matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable),
            Self::Object => value.kind() == ValueKind::Map,
            Self::Null => value.is_none(),
        }
    }
}

/// What a value may be.
#[derive(Debug)]
pub(crate) struct Schema {
    /// Where it stands.
    pub(crate) span: Span,
    /// Empty where any type will do.
    types: Vec<ValueType>,
    /// Where the types stand.
    typed: Span,
    /// What is demanded besides, each with its place.
    rules: Vec<(Rule, Span)>,
    items: Option<Arc<Schema>>,
    properties: IndexMap<Arc<str>, Arc<Schema>>,
    /// Properties that have to be there.
    required: Vec<(Arc<str>, Span)>,
    others: Others,
    /// Whether nothing will do, whatever the types: a `default: null` says so.
    nullable: bool,
    /// Whether what it is is nobody's business.
    pub(crate) sensitive: bool,
    pub(crate) description: Option<Arc<str>>,
}

/// What properties may be that are not named.
#[derive(Debug)]
enum Others {
    Any,
    /// There are none.
    None(Span),
    Each(Arc<Schema>),
}

impl Schema {
    /// Its types as a reader is told: `integer`, `string or null`, `any`.
    pub(crate) fn types(&self) -> String {
        let words: Vec<&str> = self.types.iter().map(|kind| kind.as_str()).collect();
        match words[..] {
            [] => "any".to_owned(),
            [one] => one.to_owned(),
            [ref first @ .., last] => format!("{} or {last}", first.join(", ")),
        }
    }

    /// The schema of a property; `None` where nothing is said of it.
    pub(crate) fn property(&self, name: &str) -> Option<&Arc<Schema>> {
        self.properties.get(name).or(match &self.others {
            Others::Each(each) => Some(each),
            Others::Any | Others::None(_) => None,
        })
    }

    /// The properties that it names.
    pub(crate) fn properties(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<Schema>)> {
        self.properties.iter()
    }

    /// Whether properties may be in it of which it says nothing at all.
    pub(crate) fn is_open(&self) -> bool {
        let holds = self.types.is_empty() || self.types.contains(&ValueType::Object);
        holds && self.properties.is_empty() && !matches!(self.others, Others::None(_))
    }

    /// The schema of the items of a list.
    pub(crate) fn items(&self) -> Option<&Arc<Schema>> {
        self.items.as_ref()
    }

    /// The schema of what stands at a path, and whether that, or what it is a part of, is sensitive.
    pub(crate) fn at(self: &Arc<Self>, path: &[Arc<str>]) -> (Option<Arc<Schema>>, bool) {
        let mut sensitive = self.sensitive;
        let mut schema = Some(Arc::clone(self));
        for name in path {
            schema = schema.and_then(|schema| schema.property(name).cloned());
            sensitive |= schema.as_ref().is_some_and(|schema| schema.sensitive);
        }
        (schema, sensitive)
    }
}
