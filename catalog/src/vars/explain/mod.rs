//! Where a variable's value comes from: every layer's, winners and losers, with file and line.

mod draw;
mod line;
mod outcome;
mod reach;
mod spot;
mod table;

pub use outcome::{LineConcern, LineEffect, LineOutcome, LineReach, LineSubject};
pub use table::{VariableRow, VariableTable};

use std::sync::Arc;

use holdfast_schemas::HostName;
use minijinja::Value;
use minijinja::value::ValueKind;
use serde::Serialize;

use super::hiding::Hiding;
use super::scope::NEEDS_FACTS;
use super::{HostState, LayerSource, Leaf, MergeRule, Merged};
use crate::compile::HostInput;
use crate::diag::{Diagnostics, nearest};
use crate::lower::prepare;
use crate::render::{recorded_in, walkable};
use crate::site::Site;

/// Where the value of a variable of a host comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The host.
    pub host: HostName,
    /// The variable, as in `nginx.port`.
    pub variable: String,
    /// How its layers combine.
    pub rule: MergeRule,
    /// `file:line:column` of the rule, where one is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_place: Option<String>,
    /// What it may be, where that is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<DeclaredAs>,
    /// Its value; absent when no layer sets it, or when the value cannot be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    /// Why there is no value, where a layer sets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The variable that is most like it, where no layer sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// What of the value is not as it is declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub misfits: Vec<String>,
    /// Every layer that applies to the host, from the highest to the lowest.
    pub layers: Vec<Held>,
    /// Where each part of the value comes from, where several layers give it together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartOf>,
}

/// What a variable is declared to be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeclaredAs {
    /// Its types: `integer`, `string or null`, `any`.
    pub types: String,
    /// Whether its value is not shown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Arc<str>>,
    /// `file:line:column` of the declaration.
    pub place: String,
}

/// A part of a value, and who gives it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartOf {
    /// Where in the value: `.tls.key`, `[2]`.
    pub path: String,
    /// The layer.
    #[serde(flatten)]
    pub source: LayerSource,
    /// `file:line:column` of what it says.
    pub place: String,
}

/// What a layer holds of a variable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Held {
    /// The layer.
    #[serde(flatten)]
    pub source: LayerSource,
    /// What it says, as written, expressions unevaluated; absent when it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    /// `file:line:column` of what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Whether it removes what lower layers say.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unset: bool,
    /// Whether what it says is (part of) the value.
    pub used: bool,
}

/// Where the value of a variable of a host comes from.
pub(crate) fn explain(
    site: &Site,
    host: &HostInput,
    variable: &str,
) -> Result<Explanation, Diagnostics> {
    let mut wrong = Diagnostics::new();
    let Some(prepared) = prepare(site, host, &mut wrong) else {
        return Err(wrong.sorted());
    };
    let state = &prepared.state;
    let path: Vec<Arc<str>> = variable.split('.').map(Arc::from).collect();
    let rules = &site.parts.settings.rules;
    let hiding = Hiding::at(&site.parts, &path);
    let merged = Merged::at(&state.tree, &path);
    let used = merged
        .as_ref()
        .map(|merged| merged.layers())
        .unwrap_or_default();
    let layers = state.layers.iter().enumerate().map(|(number, layer)| {
        let term = layer.vars.at(&path);
        let unset = layer
            .unset
            .iter()
            .find(|unset| path.starts_with(&unset.path));
        let span = term
            .map(|term| &term.span)
            .or(unset.map(|unset| &unset.span));
        Held {
            source: layer.source.clone(),
            value: term.map(|term| hiding.written(term)),
            place: span.map(ToString::to_string),
            unset: unset.is_some(),
            used: used.contains(&number),
        }
    });
    let mut layers: Vec<Held> = layers.collect();
    layers.reverse();
    let mut parts = Vec::new();
    if used.len() > 1 {
        let merged = merged.iter();
        merged.for_each(|merged| add_parts(state, merged, &mut String::new(), &mut parts));
    }
    let near = match merged {
        Some(_) => None,
        None => most_like(state, &path),
    };
    let (value, error) = match merged {
        None => (None, None),
        Some(merged) => evaluated(state, (&merged, &hiding), &wrong),
    };
    Ok(Explanation {
        host: host.name.clone(),
        variable: variable.to_owned(),
        rule: rules.deciding(&path),
        value,
        error,
        rule_place: rules.place(&path).map(ToString::to_string),
        declared: hiding.declared(),
        nearest: near,
        misfits: state.unfit_messages(&path),
        layers,
        parts,
    })
}

/// The parts of what several layers give together.
fn add_parts(state: &HostState, merged: &Merged, path: &mut String, parts: &mut Vec<PartOf>) {
    let length = path.len();
    let mut add = |leaf: &Leaf, path: &str| {
        parts.push(PartOf {
            path: path.to_owned(),
            source: state.layers[leaf.layer].source.clone(),
            place: leaf.term.span.to_string(),
        });
    };
    match merged {
        Merged::Leaf(leaf) => add(leaf, path),
        Merged::List(items) => {
            let numbered = items.iter().enumerate();
            numbered.for_each(|(place, leaf)| add(leaf, &format!("{path}[{place}]")));
        }
        Merged::Conflict(..) => {}
        Merged::Map(tree) => {
            for (name, inner) in tree {
                path.push('.');
                path.push_str(name);
                add_parts(state, inner, path, parts);
                path.truncate(length);
            }
        }
    }
}

/// The variable most like a path that is not there: its first part that is not, mended.
fn most_like(state: &HostState, path: &[Arc<str>]) -> Option<String> {
    (0..path.len()).find_map(|place| {
        let (before, name) = (&path[..place], &path[place]);
        let known = match before.is_empty() {
            true => state.tree.keys().cloned().collect(),
            false => Merged::at(&state.tree, before)?.names(),
        };
        let near =
            nearest(name, known.iter().map(|name| &**name)).filter(|_| !known.contains(name))?;
        let parts = before.iter().map(|part| &**part).chain([near]);
        Some(parts.collect::<Vec<&str>>().join("."))
    })
}

/// The value, or why there is none: a tie, or an expression that fails.
fn evaluated(
    state: &Arc<HostState>,
    (merged, hiding): (&Arc<Merged>, &Hiding),
    ties: &Diagnostics,
) -> (Option<serde_json::Value>, Option<String>) {
    if let Merged::Conflict(first, _) = &**merged {
        let told = ties
            .iter()
            .find(|tie| tie.labels.iter().any(|label| label.span == first.term.span));
        return (None, told.map(|tie| tie.message.clone()));
    }
    match json(state, (&state.value(merged), hiding)) {
        Ok(json) => (Some(json), None),
        Err(error) => (None, Some(error)),
    }
}

/// A value as it is shown, or why there is none.
fn json(
    state: &HostState,
    (value, hiding): (&Value, &Hiding),
) -> Result<serde_json::Value, String> {
    let error = match (first_invalid(value), walkable(value)) {
        (Some(error), _) | (None, Err(error)) => error,
        (None, Ok(())) => match hiding.value(value) {
            Ok(json) => return Ok(json),
            Err(error) => error.to_string(),
        },
    };
    Err(
        match recorded_in(&error).and_then(|number| state.told(number)) {
            Some(told) => match told.labels.first() {
                Some(label) => format!("{} ({})", told.message, label.span),
                None => told.message,
            },
            None if error.contains(NEEDS_FACTS) => "it needs facts that are not known".to_owned(),
            None => error.replace(char::is_control, ""),
        },
    )
}

/// What is said of the first item of a list that failed, or of the value itself.
fn first_invalid(value: &Value) -> Option<String> {
    match value.kind() {
        ValueKind::Invalid => Some(value.to_string()),
        ValueKind::Seq => value.try_iter().ok()?.find_map(|item| first_invalid(&item)),
        _ => None,
    }
}
