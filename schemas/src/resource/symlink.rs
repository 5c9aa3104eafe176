//! A symbolic link.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ensure, is_false};
use crate::HostPath;

/// A symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Symlink {
    /// Where the link is.
    pub path: HostPath,
    /// Whether it is to be there.
    #[serde(default, skip_serializing_if = "Ensure::is_present")]
    pub ensure: Ensure,
    /// What it points to, as written into the link: absolute, or relative to the link's folder.
    /// Needed unless absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Whether something of another type at the path may be removed to make room, and whether
    /// the target may be missing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub force: bool,
}
