//! A local group.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ensure, is_false};

/// A local group. What is not given is not managed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The group's name.
    pub name: String,
    /// Whether it is to be there.
    #[serde(default, skip_serializing_if = "Ensure::is_present")]
    pub ensure: Ensure,
    /// The group number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Whether a new group gets a number from the system range.
    #[serde(default, skip_serializing_if = "is_false")]
    pub system: bool,
}
