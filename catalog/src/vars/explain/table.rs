//! All variables of a host in one table: a row for each value that stands by itself, with the
//! layers that gave it.

use std::sync::Arc;

use holdfast_schemas::HostName;
use serde::Serialize;

use super::super::hiding::Hiding;
use super::super::{Form, HostState, LayerSource, Merged, Term};
use crate::compile::HostInput;
use crate::diag::Diagnostics;
use crate::lower::prepare;
use crate::site::Site;

/// Every variable of a host.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariableTable {
    /// The host.
    pub host: HostName,
    /// The values, by path.
    pub rows: Vec<VariableRow>,
}

/// A value that stands by itself: mappings are opened, lists are not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariableRow {
    /// Its path, as in `nginx.port`.
    pub variable: String,
    /// The value; absent when it cannot be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    /// Why there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The layers that have a part in it, from the lowest to the highest.
    pub layers: Vec<LayerSource>,
    /// `file:line:column`: where the highest of them says it.
    pub place: String,
}

impl Site {
    /// Every variable of a host, with the layers that give them.
    pub fn variables(&self, host: &HostInput) -> Result<VariableTable, Diagnostics> {
        let mut wrong = Diagnostics::new();
        let Some(prepared) = prepare(self, host, &mut wrong) else {
            return Err(wrong.sorted());
        };
        let mut table = Table {
            state: &prepared.state,
            rows: Vec::new(),
            path: Vec::new(),
        };
        for (name, merged) in &prepared.state.tree {
            table.below(name, |table| table.merged(merged));
        }
        table.rows.sort_by(|a, b| a.variable.cmp(&b.variable));
        Ok(VariableTable {
            host: host.name.clone(),
            rows: table.rows,
        })
    }
}

struct Table<'s> {
    state: &'s Arc<HostState>,
    rows: Vec<VariableRow>,
    path: Vec<Arc<str>>,
}

impl Table<'_> {
    fn below(&mut self, name: &Arc<str>, inner: impl FnOnce(&mut Self)) {
        self.path.push(Arc::clone(name));
        inner(self);
        self.path.pop();
    }

    fn merged(&mut self, merged: &Arc<Merged>) {
        match &**merged {
            Merged::Map(tree) if !tree.is_empty() => {
                for (name, inner) in tree {
                    self.below(name, |table| table.merged(inner));
                }
            }
            Merged::Leaf(leaf) => self.term(&leaf.term, leaf.layer),
            Merged::Conflict(first, second) => {
                let layers = [first.layer, second.layer];
                let [a, b] = layers.map(|layer| &self.state.layers[layer].source);
                let error = format!("{a} and {b} disagree");
                self.row(Err(error), &layers, &second.term);
            }
            Merged::Map(_) | Merged::List(_) => {
                let value = self.state.value(merged);
                let value = self.shown(&value);
                // Of a mapping without entries no layer has a part.
                if let Some(last) = merged.last_leaf() {
                    self.row(value, &merged.layers(), &last.term);
                }
            }
        }
    }

    fn term(&mut self, term: &Arc<Term>, layer: usize) {
        match &term.form {
            Form::Map(map) if !map.is_empty() => {
                for (name, field) in map {
                    self.below(name, |table| table.term(&field.term, layer));
                }
            }
            _ => {
                let value = self.state.term(term, layer);
                let value = self.shown(&value);
                self.row(value, &[layer], term);
            }
        }
    }

    fn shown(&self, value: &minijinja::Value) -> Result<serde_json::Value, String> {
        let hiding = Hiding::at(&self.state.parts, &self.path);
        super::json(self.state, (value, &hiding))
    }

    fn row(&mut self, value: Result<serde_json::Value, String>, layers: &[usize], term: &Term) {
        let (value, error) = match value {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error)),
        };
        let layers = layers.iter();
        self.rows.push(VariableRow {
            variable: self.path.join("."),
            value,
            error,
            layers: layers
                .map(|layer| self.state.layers[*layer].source.clone())
                .collect(),
            place: term.span.to_string(),
        });
    }
}
