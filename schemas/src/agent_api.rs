//! What an enrolled agent and the server say to each other.
//!
//! A run is: check in (one small exchange says "nothing new"); if the catalog is new, fetch its
//! body, and whatever blobs it names, by digest; execute; send a report if it says something the
//! last one did not. A catalog's body is a blob like any other: a host may fetch what its own
//! catalogs name, and those.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::catalog::SignedEnvelope;
use crate::report::ReportId;

/// An agent says what it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckIn {
    /// The agent's version.
    pub agent: String,
    /// What it understands (see [`crate::catalog::FEATURES`]).
    pub features: Vec<String>,
    /// The newest generation it ever accepted; 0 if none.
    pub generation: u64,
    /// Digest of the catalog body it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Digest>,
    /// Digest of its present facts (the JSON bytes of [`crate::facts::Facts`]).
    pub facts: Digest,
    /// Its last run, when that said the same as the report named: "still so".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
}

/// The last run, when it added nothing to a report that the server has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LastRun {
    /// The report that still describes the host.
    pub report: ReportId,
    /// When the run ended, by the host's clock.
    pub at: Timestamp,
}

/// The server's answer to a check-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckInAnswer {
    /// What the host is to apply.
    pub catalog: CatalogOffer,
    /// Whether the server wants the inventory: it has none, or its facts are not the ones that
    /// the agent named.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub want_inventory: bool,
    /// The server's time.
    pub time: Timestamp,
    /// Seconds until the next check-in, before splay.
    pub next_s: u32,
}

/// What the server has for a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CatalogOffer {
    /// The agent holds the newest.
    Unchanged,
    /// This one; its body is the blob that the envelope names.
    New(SignedEnvelope),
    /// Nothing yet, and why; the agent goes on with what it has.
    Waiting {
        /// A sentence for the log.
        reason: String,
    },
}

/// Answer of the long poll for news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct News {
    /// Digest of the catalog body that the host is to have now; absent if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Digest>,
}

/// The server's receipt of a report: it is on disk, and counted once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The report.
    pub report: ReportId,
    /// Whether the server had it already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub known: bool,
}
