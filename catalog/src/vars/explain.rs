//! Where a variable's value comes from: every layer's, winners and losers, with file and line.

use std::fmt;

use holdfast_schemas::HostName;
use serde::Serialize;

use super::{LayerSource, MergeRule};

/// Where the value of a variable of a host comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The host.
    pub host: HostName,
    /// The variable, as in `nginx.port`.
    pub variable: String,
    /// How its layers combine.
    pub rule: MergeRule,
    /// Its value; absent when no layer sets it, or when the value cannot be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    /// Why there is no value, where a layer sets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Every layer that applies to the host, from the highest to the lowest.
    pub layers: Vec<Held>,
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

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, &self.error) {
            (Some(value), _) => writeln!(f, "{} = {value}", self.variable)?,
            (None, Some(error)) => writeln!(f, "{} has no value: {error}", self.variable)?,
            (None, None) => writeln!(f, "{} is not set", self.variable)?,
        }
        writeln!(f, "  host {}, merge rule {}", self.host, self.rule)?;
        for held in &self.layers {
            let mark = match (held.used, held.unset, &held.value) {
                (true, ..) => "used      ",
                (_, true, _) => "unset     ",
                (_, _, Some(_)) => "overridden",
                _ => "-         ",
            };
            write!(f, "  {mark}  {}", held.source)?;
            if let Some(value) = &held.value {
                write!(f, ": {value}")?;
            }
            if let Some(place) = &held.place {
                write!(f, "  ({place})")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
