//! What a run of the agent found and did.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::{Kind, ResourceId};
use crate::{Digest, HostName};

/// The version of the report's form.
pub const REPORT_FORMAT: u32 = 1;

/// Longest text of one before or after value, or one diff, in bytes; longer is cut and says so.
pub const MAX_SHOWN: usize = 8 * 1024;

/// Largest report that a server accepts, in bytes.
pub const MAX_REPORT: usize = 8 * 1024 * 1024;

/// One run of the agent on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`REPORT_FORMAT`].
    pub format: u32,
    /// The host.
    pub host: HostName,
    /// Which report of which life of the agent's state folder.
    pub id: ReportId,
    /// Generation of the catalog; 0 for one applied from a file.
    pub generation: u64,
    /// Digest of the catalog's bytes.
    pub catalog: Digest,
    /// Whether it changed things or only looked.
    pub mode: RunMode,
    /// What set it off.
    pub trigger: Trigger,
    /// When it began, by the host's clock.
    pub started: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The outcome as a whole.
    pub status: RunStatus,
    /// Resources by outcome.
    pub counts: Counts,
    /// What was found and done, resource by resource, in the order of the catalog. Those in sync
    /// may be left out; the counts tell how many there were.
    pub resources: Vec<ResourceReport>,
    /// What the probes of roles found, those that were asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health: Vec<HealthReport>,
    /// Notifications that are owed and could not be delivered in this run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<PendingRefresh>,
    /// What Holdfast made on this host and no catalog declares any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orphans: Vec<ResourceId>,
    /// Why the run as a whole could not be carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Counts each report once: the state folder's incarnation and a number that rises by one.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ReportId {
    /// 32 hexadecimal digits, drawn when the state folder is made.
    pub incarnation: String,
    /// 1 for the first report of the incarnation.
    pub sequence: u64,
}

/// Whether a run changes things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// Differences are mended.
    Enforce,
    /// Everything is compared, nothing is touched.
    NoOp,
    /// As no-op, because the catalog says that differences are only recorded.
    Audit,
}

/// What set a run off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The timer.
    Timer,
    /// A person: `once`, `apply`.
    Manual,
    /// A new catalog.
    Catalog,
    /// Something managed changed on the host.
    Watch,
}

/// The outcome of a whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Reality was as wanted.
    InSync,
    /// Something was changed, and now it is.
    Changed,
    /// Something differs and was left as it is (no-op, audit).
    Drifted,
    /// Some resource failed, was skipped because of one that failed, or did not converge; or a
    /// role is not well.
    Failed,
    /// The run could not begin.
    NotRun,
}

/// Resources of a run by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// All of the catalog.
    pub total: u32,
    /// Found as wanted.
    pub in_sync: u32,
    /// Differed and were left (no-op, audit).
    pub drifted: u32,
    /// Differed and were mended, or were refreshed.
    pub changed: u32,
    /// Still differed after they were mended.
    pub not_converged: u32,
    /// Could not be observed or mended.
    pub failed: u32,
    /// Were not looked at.
    pub skipped: u32,
}

/// What became of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceReport {
    /// Its name, `type[title]`.
    pub id: ResourceId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Whether it was to be mended or only looked at.
    pub mode: CheckMode,
    /// What happened.
    pub outcome: Outcome,
    /// Why it differed; absent when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// How sure a no-op run is of this line; absent when it enforced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certainty: Option<Certainty>,
    /// The differences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Unified diff of text content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Whether a notification acted on it (or would, in a no-op run).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refreshed: bool,
    /// Why it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped_because: Option<String>,
    /// What went wrong, or a remark worth reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub duration_ms: u64,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// Whether a resource was to be mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckMode {
    /// Only looked at.
    Check,
    /// Mended if it differs.
    Enforce,
}

/// What happened to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Found as wanted.
    InSync,
    /// Differs and was left.
    Drifted,
    /// Differed and was mended, or was refreshed.
    Changed,
    /// Still differed after it was mended.
    NotConverged,
    /// Could not be observed or mended.
    Failed,
    /// Was not looked at.
    Skipped,
}

/// Why a resource differed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Reality left the desired state.
    Drift,
    /// The desired state moved.
    Intended,
    /// This host had never been brought to it.
    New,
    /// The ledger that would tell is gone.
    Unknown,
}

/// How sure a line of a no-op run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Apply does exactly this.
    Certain,
    /// It holds once these resources were applied.
    After(Vec<ResourceId>),
    /// It depends on what cannot be known beforehand.
    Unknown(String),
}

/// One property that differed. Values are text fit to be shown: a secret is its name, binary
/// content is its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The property: `content`, `mode`, `state`, …
    pub property: String,
    /// What was there; absent when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What is wanted; absent when nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What a probe of a role found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthReport {
    /// The role, as `nginx` or `vhost/shop`.
    pub role: String,
    /// What was looked at, in words: `port 80`.
    pub probe: String,
    /// Whether it is well.
    pub healthy: bool,
    /// What was seen last: `connection refused`, `status 200`.
    pub seen: String,
    /// How often it was asked; 0 if there was no time left for it.
    pub attempts: u32,
    /// How long that took, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub duration_ms: u64,
}

/// A notification that is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PendingRefresh {
    /// What is to be refreshed.
    pub resource: ResourceId,
    /// The resources whose change notified it.
    pub because: Vec<ResourceId>,
}
