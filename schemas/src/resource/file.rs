//! A regular file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Command, Content, Ensure, Mode, is_false, is_true, yes};
use crate::HostPath;

/// A regular file. What is not given is not managed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Where it is.
    pub path: HostPath,
    /// Whether it is to be there.
    #[serde(default, skip_serializing_if = "Ensure::is_present")]
    pub ensure: Ensure,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// Name or number of the user that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Name or number of the group that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its permission bits; a new file without one gets 0644.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// A check that the new content must pass before it takes the path; `%s` stands for the
    /// temporary file that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate: Option<Command>,
    /// Whether the content of a file that exists is replaced; with `false` it is only created.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub replace: bool,
    /// Whether something of another type at the path (a link, an empty folder or a full one) may
    /// be removed to make room.
    #[serde(default, skip_serializing_if = "is_false")]
    pub force: bool,
}
