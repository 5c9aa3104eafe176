//! A folder.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ensure, Mode, is_false};
use crate::HostPath;

/// A folder. What is not given is not managed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Where it is.
    pub path: HostPath,
    /// Whether it is to be there.
    #[serde(default, skip_serializing_if = "Ensure::is_present")]
    pub ensure: Ensure,
    /// Name or number of the user that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Name or number of the group that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its permission bits; a new folder without one gets 0755.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Whether something of another type at the path may be replaced, and whether a folder that
    /// is to be absent may be removed with what is in it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub force: bool,
}
