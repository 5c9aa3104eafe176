//! Reading mappings key by key: what is missing, of the wrong type, or unknown is told, with the
//! nearest key, and reading goes on, so that all errors come at once.

use std::sync::Arc;

use super::yaml::{Field, Map, Node, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean, listed};

/// What else to do about something encrypted that decides what hosts get.
const IN_THE_CLEAR: &str =
    "only values of variables and content files are encrypted; this is read before any is opened";

/// What an engineer of the repo calls the type of a value. Something encrypted has none yet.
pub(crate) fn wrong_type(expected: &str, node: &Node) -> Diagnostic {
    if let Yaml::Secret(_) = &node.value {
        let message = format!("expected {expected}, found an encrypted value");
        return Diagnostic::new(Code::Encrypted, message, &node.span).help(IN_THE_CLEAR);
    }
    let message = format!("expected {expected}, found {}", node.value.describe());
    Diagnostic::new(Code::WrongType, message, &node.span)
}

/// A mapping that is being read.
pub(crate) struct Fields<'a> {
    what: &'a str,
    map: &'a Map,
    asked: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// Begins with a mapping; `what` is what it describes, as in `a group`.
    pub(crate) fn of(node: &'a Node, what: &'a str, wrong: &mut Diagnostics) -> Option<Self> {
        match &node.value {
            Yaml::Map(map) => Some(Self {
                what,
                map,
                asked: Vec::new(),
            }),
            _ => {
                wrong.push(wrong_type(&format!("{what}: a mapping"), node));
                None
            }
        }
    }

    /// The value of a key; one without a value counts as absent.
    pub(crate) fn get(&mut self, key: &'a str) -> Option<&'a Field> {
        self.asked.push(key);
        let field = self.map.get(key)?;
        (!matches!(field.node.value, Yaml::Null)).then_some(field)
    }

    /// The value of a key, that of a key without one included.
    pub(crate) fn even_none(&mut self, key: &'a str) -> Option<&'a Field> {
        self.asked.push(key);
        self.map.get(key)
    }

    /// A string.
    pub(crate) fn text(
        &mut self,
        key: &'a str,
        wrong: &mut Diagnostics,
    ) -> Option<(Arc<str>, Span)> {
        let field = self.get(key)?;
        text(&field.node, wrong)
    }

    /// An integer.
    pub(crate) fn integer(&mut self, key: &'a str, wrong: &mut Diagnostics) -> Option<i64> {
        let field = self.get(key)?;
        match field.node.value {
            Yaml::Int(value) => Some(value),
            _ => {
                wrong.push(wrong_type("an integer", &field.node));
                None
            }
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, key: &'a str, wrong: &mut Diagnostics) -> Option<bool> {
        let field = self.get(key)?;
        match field.node.value {
            Yaml::Bool(value) => Some(value),
            _ => {
                wrong.push(wrong_type("`true` or `false`", &field.node));
                None
            }
        }
    }

    /// A list of strings; one string stands for a list of one.
    pub(crate) fn texts(&mut self, key: &'a str, wrong: &mut Diagnostics) -> Vec<(Arc<str>, Span)> {
        match self.get(key) {
            None => Vec::new(),
            Some(field) => texts(&field.node, wrong),
        }
    }

    /// The entries that nobody asked for.
    pub(crate) fn rest(&self) -> impl Iterator<Item = (&'a Arc<str>, &'a Field)> {
        let fields = self.map.iter();
        fields.filter(|(key, _)| !self.asked.contains(&&***key))
    }

    /// Tells of every key that nobody asked for.
    pub(crate) fn finish(self, wrong: &mut Diagnostics) {
        for (key, field) in self.rest() {
            wrong.push(unknown_key(key, &field.key, self.what, &self.asked));
        }
    }
}

/// A key that means nothing where it stands.
pub(crate) fn unknown_key(key: &str, span: &Span, what: &str, known: &[&str]) -> Diagnostic {
    let message = format!("{what} has no key `{key}`");
    let help = did_you_mean(key, known.iter().copied());
    let help = help.unwrap_or_else(|| format!("it has {}", listed(known.iter().copied())));
    Diagnostic::new(Code::UnknownKey, message, span).help(help)
}

/// A string.
pub(crate) fn text(node: &Node, wrong: &mut Diagnostics) -> Option<(Arc<str>, Span)> {
    match &node.value {
        Yaml::Text(text) => Some((Arc::clone(text), node.span.clone())),
        _ => {
            wrong.push(wrong_type("a string", node));
            None
        }
    }
}

/// A list of strings; one string stands for a list of one.
pub(crate) fn texts(node: &Node, wrong: &mut Diagnostics) -> Vec<(Arc<str>, Span)> {
    match &node.value {
        Yaml::List(items) => items.iter().filter_map(|item| text(item, wrong)).collect(),
        Yaml::Null => Vec::new(),
        Yaml::Text(_) => text(node, wrong).into_iter().collect(),
        _ => {
            wrong.push(wrong_type("a list of strings", node));
            Vec::new()
        }
    }
}
