//! A value as written: constant, or with expressions that are evaluated when it is asked for.
//!
//! Text is never templated into YAML: the document is parsed first, and a scalar with `{{` or
//! `{%` in it becomes a program. A scalar that is one whole `{{ expression }}` keeps the
//! expression's type; anything around it makes it a string.

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;

use crate::diag::{Source, Span};
use crate::render::{Handle, Kind, ProgramId, Programs, is_marked, unmarked};
use crate::site::yaml::{Node, Yaml};

/// A value as written.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    pub(crate) span: Span,
    pub(crate) form: Form,
    /// The value, where no expression is in it.
    pub(crate) constant: Option<Value>,
}

/// The form of a value.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    Scalar(Value),
    Program { id: ProgramId, text: Arc<str> },
    List(Vec<Arc<Term>>),
    Map(TermMap),
}

/// A mapping of values as written.
pub(crate) type TermMap = IndexMap<Arc<str>, TermField>;

/// An entry of a mapping.
#[derive(Debug, Clone)]
pub(crate) struct TermField {
    pub(crate) key: Span,
    pub(crate) term: Arc<Term>,
}

impl Term {
    /// From a document; programs are handed in for later compilation.
    pub(crate) fn of(node: &Node, programs: &mut Programs) -> Arc<Self> {
        let form = match &node.value {
            Yaml::Null => Form::Scalar(Value::from(())),
            Yaml::Bool(value) => Form::Scalar(Value::from(*value)),
            Yaml::Int(value) => Form::Scalar(Value::from(*value)),
            Yaml::Float(value) => Form::Scalar(Value::from(*value)),
            Yaml::Secret(secret) => Form::Scalar(programs.add_secret(secret)),
            Yaml::Text(text) => scalar(text, &node.span, programs),
            Yaml::List(items) => {
                Form::List(items.iter().map(|item| Self::of(item, programs)).collect())
            }
            Yaml::Map(map) => {
                let fields = map.iter().map(|(name, field)| {
                    let entry = TermField {
                        key: field.key.clone(),
                        term: Self::of(&field.node, programs),
                    };
                    (Arc::clone(name), entry)
                });
                Form::Map(fields.collect())
            }
        };
        Arc::new(Self::new(node.span.clone(), form))
    }

    /// From JSON, which holds no expressions.
    pub(crate) fn of_json(json: &serde_json::Value, source: &Arc<Source>) -> Arc<Self> {
        use serde_json::Value as Json;
        let form = match json {
            Json::Array(items) => Form::List(
                items
                    .iter()
                    .map(|item| Self::of_json(item, source))
                    .collect(),
            ),
            Json::Object(map) => {
                let fields = map.iter().map(|(name, value)| {
                    let entry = TermField {
                        key: Span::whole(source),
                        term: Self::of_json(value, source),
                    };
                    (Arc::from(name.as_str()), entry)
                });
                Form::Map(fields.collect())
            }
            scalar => Form::Scalar(Value::from(minijinja::value::Serde(scalar))),
        };
        Arc::new(Self::new(Span::whole(source), form))
    }

    /// A mapping put together from values.
    pub(crate) fn mapping(
        span: &Span,
        fields: impl IntoIterator<Item = (Arc<str>, Span, Arc<Term>)>,
    ) -> Arc<Self> {
        let fields = fields.into_iter();
        let fields = fields.map(|(name, key, term)| (name, TermField { key, term }));
        Arc::new(Self::new(span.clone(), Form::Map(fields.collect())))
    }

    fn new(span: Span, form: Form) -> Self {
        let constant = match &form {
            Form::Scalar(value) => Some(value.clone()),
            Form::Program { .. } => None,
            Form::List(items) => {
                let values: Option<Vec<Value>> =
                    items.iter().map(|item| item.constant.clone()).collect();
                values.map(Value::from)
            }
            Form::Map(fields) => {
                let pairs: Option<Vec<(Value, Value)>> = fields
                    .iter()
                    .map(|(name, field)| {
                        let value = field.term.constant.clone()?;
                        Some((Value::from(Arc::clone(name)), value))
                    })
                    .collect();
                pairs.map(Value::from_pairs)
            }
        };
        Self {
            span,
            form,
            constant,
        }
    }

    /// The mapping, if it is one.
    pub(crate) fn as_map(&self) -> Option<&TermMap> {
        match &self.form {
            Form::Map(map) => Some(map),
            _ => None,
        }
    }

    /// What stands at a path below it.
    pub(crate) fn at<'a>(&'a self, path: &[Arc<str>]) -> Option<&'a Term> {
        path.iter()
            .try_fold(self, |term, key| Some(&*term.as_map()?.get(key)?.term))
    }

    /// Whether two values as written are the same.
    pub(crate) fn same(&self, other: &Term) -> bool {
        match (&self.form, &other.form) {
            (Form::Scalar(a), Form::Scalar(b)) => {
                match (Handle::in_value(a), Handle::in_value(b)) {
                    (Some(a), Some(b)) => a.same(b),
                    _ => a.kind() == b.kind() && a == b,
                }
            }
            (Form::Program { text: a, .. }, Form::Program { text: b, .. }) => a == b,
            (Form::List(a), Form::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
            }
            (Form::Map(a), Form::Map(b)) => {
                let equal = |(name, field): (&Arc<str>, &TermField)| {
                    b.get(name)
                        .is_some_and(|other| field.term.same(&other.term))
                };
                a.len() == b.len() && a.iter().all(equal)
            }
            _ => false,
        }
    }

    /// The value as written, for showing.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.form {
            Form::Scalar(value) => shown(value).unwrap_or_default(),
            Form::Program { text, .. } => (&**text).into(),
            Form::List(items) => items.iter().map(|item| item.to_json()).collect(),
            Form::Map(map) => {
                let fields = map.iter();
                let json = fields.map(|(name, field)| (name.to_string(), field.term.to_json()));
                serde_json::Value::Object(json.collect())
            }
        }
    }
}

/// A value as JSON, secrets by their names.
pub(crate) fn shown(value: &Value) -> serde_json::Result<serde_json::Value> {
    let mut json = serde_json::to_value(value)?;
    unmark(&mut json);
    Ok(json)
}

fn unmark(json: &mut serde_json::Value) {
    use serde_json::Value as Json;
    match json {
        Json::String(text) if is_marked(text) => *text = unmarked(text),
        Json::Array(items) => items.iter_mut().for_each(unmark),
        Json::Object(map) => map.values_mut().for_each(unmark),
        _ => {}
    }
}

fn scalar(text: &Arc<str>, span: &Span, programs: &mut Programs) -> Form {
    if !text.contains("{{") && !text.contains("{%") {
        return Form::Scalar(Value::from(Arc::clone(text)));
    }
    let id = match whole_expression(text) {
        Some(expression) => programs.add(Kind::Expression, expression, span),
        None => programs.add(Kind::Text, text, span),
    };
    Form::Program {
        id,
        text: Arc::clone(text),
    }
}

/// The expression of a scalar that is nothing but one `{{ … }}`; a line break after it is text.
fn whole_expression(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner);
    let inner = inner.strip_suffix('-').unwrap_or(inner);
    closes_at_end(inner).then(|| inner.trim())
}

/// Whether no `}}` outside of a string ends the expression before its end.
fn closes_at_end(inner: &str) -> bool {
    let mut quote = None;
    let mut depth = 0_i32;
    let mut escaped = false;
    for byte in inner.bytes() {
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'{') => depth += 1,
            (None, b'}') if depth == 0 => return false,
            (None, b'}') => depth -= 1,
            (None, _) => {}
        }
    }
    quote.is_none() && depth == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lone_expression_is_whole() {
        assert_eq!(whole_expression("{{ a.b }}"), Some("a.b"));
        assert_eq!(whole_expression("{{ '}}' }}"), Some("'}}'"));
        assert_eq!(
            whole_expression("{{ {'a': {'b': 1}} }}"),
            Some("{'a': {'b': 1}}")
        );
        assert_eq!(whole_expression("{{ a }}-{{ b }}"), None);
        assert_eq!(whole_expression("x{{ a }}"), None);
        assert_eq!(whole_expression("{{ a }}\n"), None);
        assert_eq!(whole_expression("{% if a %}b{% endif %}"), None);
    }
}
