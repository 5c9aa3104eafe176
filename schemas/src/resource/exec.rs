//! A command that runs when its guards say so.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Command, is_false};
use crate::HostPath;

/// Deadline of a command that states none, in seconds; Puppet's and Chef's defaults are 300 and
/// 3600, and a hung command must not outlive two runs of a five-minute timer.
pub const DEFAULT_EXEC_TIMEOUT_S: u32 = 300;

/// A command. It has a guard (`creates`, `unless`, `only_if`), or runs only when notified
/// (`refresh_only`), or says `always`; the compiler refuses one that has none of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// What to run.
    pub command: Command,
    /// Runs only while nothing is at this path; `*`, `?` and `[…]` match as in a shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creates: Option<String>,
    /// Runs only while this command fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<Command>,
    /// Runs only while this command succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_if: Option<Command>,
    /// Runs only when another resource notifies it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub refresh_only: bool,
    /// Runs in every run of the agent: said out loud, because such a host never settles.
    #[serde(default, skip_serializing_if = "is_false")]
    pub always: bool,
    /// Folder in which command and guards run; `/` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<HostPath>,
    /// Variables added to the environment of command and guards.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Account as which command and guards run: its uid, gid and groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as: Option<String>,
    /// Deadline in seconds for the command and for each guard; then its process group is killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u32>,
}
