//! What of a variable is shown: of what is declared sensitive, nothing but that it is.

use std::sync::Arc;

use minijinja::Value;
use serde_json::Value as Json;

use super::explain::DeclaredAs;
use super::{Form, Term, shown};
use crate::render::Handle;
use crate::site::{Parts, Schema};

/// What stands for a value that is not shown.
const SENSITIVE: &str = "(sensitive)";

/// How a part of the variables is shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hiding {
    schema: Option<Arc<Schema>>,
    /// Whether it is a part of something sensitive.
    sensitive: bool,
    /// Where it holds variables, or parameters, that are declared one by one.
    within: Vec<(Arc<str>, Arc<Schema>)>,
}

impl Hiding {
    /// What stands at a path of the variables.
    pub(crate) fn at(parts: &Parts, path: &[Arc<str>]) -> Self {
        let Some((name, rest)) = path.split_first() else {
            return Self::default();
        };
        let role = parts.roles.get(name).filter(|role| !role.params.is_empty());
        let (declared, rest) = match (role, rest.split_first()) {
            (Some(role), Some((param, rest))) => (role.params.get(param), rest),
            (Some(role), None) => {
                let params = role.params.iter();
                let within =
                    params.map(|(name, param)| (Arc::clone(name), Arc::clone(&param.schema)));
                return Self {
                    within: within.collect(),
                    ..Self::default()
                };
            }
            (None, _) => (parts.variables.declared.get(name), rest),
        };
        let (schema, sensitive) = match declared {
            Some(declared) => declared.schema.at(rest),
            None => (None, false),
        };
        Self {
            schema,
            sensitive,
            within: Vec::new(),
        }
    }

    /// What is declared so.
    pub(crate) fn under(schema: Option<&Arc<Schema>>) -> Self {
        Self::of(schema, false)
    }

    /// What it is declared to be.
    pub(crate) fn declared(&self) -> Option<DeclaredAs> {
        let schema = self.schema.as_ref()?;
        Some(DeclaredAs {
            types: schema.types(),
            sensitive: self.sensitive,
            description: schema.description.clone(),
            place: schema.span.to_string(),
        })
    }

    fn of(schema: Option<&Arc<Schema>>, sensitive: bool) -> Self {
        Self {
            schema: schema.cloned(),
            sensitive: sensitive || schema.is_some_and(|schema| schema.sensitive),
            within: Vec::new(),
        }
    }

    fn entry(&self, name: &str) -> Self {
        let mut within = self.within.iter();
        let schema = match within.find(|(own, _)| &**own == name) {
            Some((_, schema)) => Some(schema),
            None => self.schema.as_ref().and_then(|one| one.property(name)),
        };
        Self::of(schema, self.sensitive)
    }

    fn item(&self) -> Self {
        let schema = self.schema.as_ref().and_then(|one| one.items());
        Self::of(schema, self.sensitive)
    }

    /// Whether nothing in it has to be hidden.
    fn is_open(&self) -> bool {
        self.schema.is_none() && self.within.is_empty() && !self.sensitive
    }

    /// A value as a layer has written it.
    pub(crate) fn written(&self, term: &Term) -> Json {
        if self.is_open() {
            return term.to_json();
        }
        match &term.form {
            Form::Scalar(value) => match self.sensitive {
                true => hidden(value),
                false => term.to_json(),
            },
            Form::Program { .. } => match self.sensitive {
                true => SENSITIVE.into(),
                false => term.to_json(),
            },
            Form::List(items) => {
                let inner = self.item();
                items.iter().map(|item| inner.written(item)).collect()
            }
            Form::Map(map) => {
                let fields = map.iter();
                let json = fields.map(|(name, field)| {
                    let inner = self.entry(name);
                    (name.to_string(), inner.written(&field.term))
                });
                Json::Object(json.collect())
            }
        }
    }

    /// A value as it is in a host, which is known to have an end.
    pub(crate) fn value(&self, value: &Value) -> serde_json::Result<Json> {
        let json = shown(value)?;
        Ok(match self.is_open() {
            true => json,
            false => self.over(value, json),
        })
    }

    fn over(&self, value: &Value, json: Json) -> Json {
        match json {
            Json::Array(items) if Handle::in_value(value).is_none() => {
                let inner = self.item();
                let values = value.try_iter().into_iter().flatten();
                let pairs = values.zip(items);
                pairs
                    .map(|(value, json)| inner.over(&value, json))
                    .collect()
            }
            Json::Object(map) if Handle::in_value(value).is_none() => {
                let fields = map.into_iter().map(|(name, json)| {
                    let value = value.get_attr(&name).unwrap_or_default();
                    let json = self.entry(&name).over(&value, json);
                    (name, json)
                });
                Json::Object(fields.collect())
            }
            _ if self.sensitive => hidden(value),
            json => json,
        }
    }
}

/// A secret that is encrypted goes by its name; of everything else sensitive nothing is shown.
fn hidden(value: &Value) -> Json {
    match Handle::in_value(value) {
        Some(handle) if handle.is_encrypted() => handle.names().into(),
        _ if value.is_none() => Json::Null,
        _ => SENSITIVE.into(),
    }
}
