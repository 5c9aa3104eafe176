//! A local account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ensure, is_false};
use crate::HostPath;

/// A local account. What is not given is not managed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The login name.
    pub name: String,
    /// Whether it is to be there.
    #[serde(default, skip_serializing_if = "Ensure::is_present")]
    pub ensure: Ensure,
    /// The user number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Name or number of the primary group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The supplementary groups, exactly these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// The comment (GECOS) field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The home folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<HostPath>,
    /// Whether the home folder is made with the account, made again when it is missing, and
    /// removed with the account.
    #[serde(default, skip_serializing_if = "is_false")]
    pub manage_home: bool,
    /// The login shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<HostPath>,
    /// Whether a new account gets a number from the system range.
    #[serde(default, skip_serializing_if = "is_false")]
    pub system: bool,
}
