//! What an operator's command line and the server say to each other.
//!
//! Requests refuse unknown fields, answers do not: a later server may say more than an older
//! command line shows, and what it shows is true all the same.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::{Cause, Change, Counts, Report, ReportId, RunStatus};
use crate::resource::ResourceId;
use crate::{Digest, HostName};

/// How an operator reaches a server: written by the first `serve`, mode 0600.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// `https://HOST:PORT` of the operators' listener.
    pub server: String,
    /// Bearer token.
    pub token: String,
    /// The CA certificates that the server's own must descend from, PEM.
    pub ca: String,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential for {}", self.server)
    }
}

/// Asks for an enrolment token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// How long it may be used, in seconds.
    pub ttl_s: u64,
    /// The only name it may be used for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
}

/// A token, shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IssuedToken {
    /// The token.
    pub token: crate::enrol::EnrolToken,
    /// When it ends.
    pub expires: Timestamp,
    /// As in [`ServerStatus::agents`], for whoever wants to show how the token is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agents: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// What to pass as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What the server says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerStatus {
    /// The server's version.
    pub version: String,
    /// The revision that is served; absent until one compiled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<String>,
    /// The newest revision that was refused, while it is the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedRevision>,
    /// Hosts known.
    pub hosts: u64,
    /// `https://HOST:PORT` under which hosts reach the server, as far as it can tell: for the
    /// command line that enrols one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agents: Option<String>,
    /// Whom secrets are encrypted to so that the server can open them: one of these age
    /// recipients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
}

/// A revision that did not compile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedRevision {
    /// The revision.
    pub revision: String,
    /// When it was refused.
    pub at: Timestamp,
    /// The diagnostics, as a person reads them.
    pub diagnostics: String,
}

/// How a host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostStatus {
    /// Its last run found or left everything as wanted.
    InSync,
    /// Its last run found differences and left them.
    Drifted,
    /// Something failed in its last run.
    Failed,
    /// It has not reported on the catalog assigned to it yet.
    Pending,
    /// It was not heard of for three times its interval.
    Silent,
    /// No agent was ever heard of: none enrolled, or it has not checked in since it did.
    NeverSeen,
    /// It is held at its last good catalog: the one it is to have does not compile (by its own
    /// facts, say), or holds secrets that cannot be sealed to it.
    Held,
}

/// One host in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostSummary {
    /// Its name.
    pub name: HostName,
    /// How it stands.
    pub status: HostStatus,
    /// Since when it stands so, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When it was last heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
    /// When it last said that it stands as it last reported: a host that is heard of and does not
    /// confirm has not ended a run since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Timestamp>,
    /// The generation assigned to it; 0 if none.
    pub wants: u64,
    /// The generation it last reported on; 0 if none.
    pub has: u64,
    /// The revision its catalog was compiled from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Digest of the catalog assigned to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog: Option<Digest>,
    /// The agent's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Resources by outcome in its last report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// Why it is held, or what else an operator should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A report as the server keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredReport {
    /// When the server took it: this time orders history.
    pub received: Timestamp,
    /// When the host last said that it is still so.
    pub confirmed: Timestamp,
    /// The report.
    pub report: Report,
}

/// A change of one resource on one host, found or made in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftEvent {
    /// When the server took the report.
    pub received: Timestamp,
    /// The host.
    pub host: HostName,
    /// The resource.
    pub resource: ResourceId,
    /// Drift, or something else.
    pub cause: Cause,
    /// Whether it was mended.
    pub mended: bool,
    /// Before and after.
    pub changes: Vec<Change>,
    /// The report it stands in.
    pub report: ReportId,
    /// The outcome of that run as a whole.
    pub run: RunStatus,
}
