//! A parameter of a role: its type and what it demands of a value.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;
use regex::Regex;

use super::fields::{Fields, text, unknown_key, wrong_type};
use super::secret;
use super::yaml::{Node, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean, listed};
use crate::render::{Handle, Programs};
use crate::vars::Term;

/// Largest compiled pattern, in bytes.
const MAX_PATTERN: usize = 256 * 1024;

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParamType {
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
}

impl ParamType {
    const ALL: [ParamType; 6] = [
        Self::String,
        Self::Integer,
        Self::Number,
        Self::Boolean,
        Self::Array,
        Self::Object,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
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
        }
    }
}

/// What a parameter, or an item of one, demands.
#[derive(Debug)]
pub(crate) struct Shape {
    kind: Option<ParamType>,
    allowed: Vec<Value>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    pattern: Option<Regex>,
    items: Option<Box<Shape>>,
}

/// A parameter of a role.
#[derive(Debug)]
pub(crate) struct Param {
    pub(crate) shape: Shape,
    /// Absent where some layer has to give a value.
    pub(crate) default: Option<Arc<Term>>,
    pub(crate) span: Span,
}

impl Param {
    /// Reads one entry of `params`.
    pub(crate) fn read(
        span: &Span,
        node: &Node,
        programs: &mut Programs,
        wrong: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::of(node, "a parameter", wrong)?;
        let _ = fields.get("description");
        let shape = Shape::read(&mut fields, wrong);
        let _ = fields.get("default");
        let default = match &node.value {
            Yaml::Map(map) => map
                .get("default")
                .map(|field| Term::of(&field.node, programs)),
            _ => None,
        };
        fields.finish(wrong);
        let value = default.as_ref().and_then(|term| term.constant.clone());
        let refused = value.filter(|value| !value.is_none());
        let refused = refused.and_then(|value| shape.refuses(&value));
        if let (Some(refused), Some(term)) = (refused, &default) {
            let message = format!("the default does not fit: {refused}");
            wrong.push(Diagnostic::new(Code::WrongType, message, &term.span));
        }
        Some(Self {
            shape,
            default,
            span: span.clone(),
        })
    }

    /// Whether nothing is a value of it: its default says so.
    pub(crate) fn may_be_none(&self) -> bool {
        let value = self
            .default
            .as_ref()
            .and_then(|term| term.constant.as_ref());
        value.is_some_and(Value::is_none)
    }
}

impl Shape {
    fn read(fields: &mut Fields<'_>, wrong: &mut Diagnostics) -> Self {
        Self {
            kind: read_type(fields, wrong),
            allowed: read_enum(fields, wrong),
            minimum: read_bound(fields, "minimum", wrong),
            maximum: read_bound(fields, "maximum", wrong),
            pattern: read_pattern(fields, wrong),
            items: fields.get("items").and_then(|field| {
                let mut inner = Fields::of(&field.node, "`items`", wrong)?;
                let shape = Self::read(&mut inner, wrong);
                inner.finish(wrong);
                Some(Box::new(shape))
            }),
        }
    }

    /// Why a secret, which is text, does not fit.
    fn refuses_secret(&self, names: &str) -> Option<String> {
        if let Some(kind) = self.kind.filter(|kind| *kind != ParamType::String) {
            return Some(format!("expected {}, found {names}", kind.as_str()));
        }
        let checked = !self.allowed.is_empty() || self.pattern.is_some();
        checked.then(|| format!("{names} cannot be checked: what it is is not known here"))
    }

    /// Why a value does not fit.
    pub(crate) fn refuses(&self, value: &Value) -> Option<String> {
        if let Some(handle) = Handle::in_value(value) {
            return self.refuses_secret(&handle.names());
        }
        if let Some(kind) = self.kind.filter(|kind| !kind.admits(value)) {
            let found = describe(value);
            return Some(format!("expected {}, found {found}", kind.as_str()));
        }
        if !self.allowed.is_empty() && !self.allowed.contains(value) {
            let allowed: Vec<String> = self.allowed.iter().map(ToString::to_string).collect();
            return Some(format!(
                "{value} is none of {}",
                listed(allowed.iter().map(String::as_str))
            ));
        }
        let number = f64::try_from(value.clone()).ok();
        if let Some(minimum) = self
            .minimum
            .filter(|least| number.is_some_and(|it| it < *least))
        {
            return Some(format!("{value} is less than the minimum, {minimum}"));
        }
        if let Some(maximum) = self
            .maximum
            .filter(|most| number.is_some_and(|it| it > *most))
        {
            return Some(format!("{value} is more than the maximum, {maximum}"));
        }
        let text = value.as_str();
        let pattern = self.pattern.as_ref();
        if let Some(pattern) = pattern.filter(|it| text.is_some_and(|text| !it.is_match(text))) {
            return Some(format!("{value:?} does not match the pattern `{pattern}`"));
        }
        let items = self.items.as_ref()?;
        let values = value.try_iter().ok()?;
        let mut refused = values
            .enumerate()
            .filter_map(|(place, item)| Some(format!("item {place}: {}", items.refuses(&item)?)));
        refused.next()
    }
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

fn read_type(fields: &mut Fields<'_>, wrong: &mut Diagnostics) -> Option<ParamType> {
    let (word, span) = fields.text("type", wrong)?;
    let known = ParamType::ALL
        .into_iter()
        .find(|kind| kind.as_str() == &*word);
    if known.is_none() {
        let words = ParamType::ALL.map(ParamType::as_str);
        let help = did_you_mean(&word, words);
        let help = help.unwrap_or_else(|| format!("the types are {}", words.join(", ")));
        let message = format!("there is no type `{word}`");
        wrong.push(Diagnostic::new(Code::InvalidValue, message, &span).help(help));
    }
    known
}

fn read_enum(fields: &mut Fields<'_>, wrong: &mut Diagnostics) -> Vec<Value> {
    let Some(field) = fields.get("enum") else {
        return Vec::new();
    };
    let Yaml::List(items) = &field.node.value else {
        wrong.push(wrong_type("a list of values", &field.node));
        return Vec::new();
    };
    let mut none = Programs::default();
    for item in items
        .iter()
        .filter(|item| matches!(item.value, Yaml::Secret(_)))
    {
        wrong.push(secret::misplaced(
            "what a parameter may be",
            "write plain values",
            &item.span,
        ));
    }
    let values = items
        .iter()
        .filter_map(|item| Term::of(item, &mut none).constant.clone());
    values.collect()
}

fn read_bound<'a>(fields: &mut Fields<'a>, key: &'a str, wrong: &mut Diagnostics) -> Option<f64> {
    let field = fields.get(key)?;
    match field.node.value {
        // Bounds beyond 2^53 are not told apart from their neighbours, which none in use is.
        Yaml::Int(value) => Some(value as f64),
        Yaml::Float(value) => Some(value),
        _ => {
            wrong.push(wrong_type("a number", &field.node));
            None
        }
    }
}

fn read_pattern(fields: &mut Fields<'_>, wrong: &mut Diagnostics) -> Option<Regex> {
    let field = fields.get("pattern")?;
    let (pattern, span) = text(&field.node, wrong)?;
    let regex = regex::RegexBuilder::new(&pattern)
        .size_limit(MAX_PATTERN)
        .build();
    if let Err(error) = &regex {
        let message = format!("`{pattern}` is no regular expression: {error}");
        wrong.push(Diagnostic::new(Code::InvalidValue, message, &span));
    }
    regex.ok()
}

/// A parameter that a role does not have.
pub(crate) fn unknown(name: &str, role: &str, span: &Span, known: &[&str]) -> Diagnostic {
    let what = format!("role `{role}`");
    let mut told = unknown_key(name, span, &what, known);
    told.message = format!("role `{role}` has no parameter `{name}`");
    told.help(format!(
        "a parameter is declared under `params` of roles/{role}/role.yaml"
    ))
}
