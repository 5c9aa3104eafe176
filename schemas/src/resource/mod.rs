//! What a catalog can ask of a host: one type of resource per file, and what all of them share.

mod command;
mod content;
mod directory;
mod exec;
mod file;
mod group;
mod id;
mod mode;
mod package;
mod service;
mod spec;
mod symlink;
mod user;

pub use command::Command;
pub use content::{Content, MAX_INLINE};
pub use directory::Directory;
pub use exec::{DEFAULT_EXEC_TIMEOUT_S, Exec};
pub use file::File;
pub use group::Group;
pub use id::{Kind, ResourceId, ResourceIdError};
pub use mode::{Mode, ModeError};
pub use package::{Package, PackageState};
pub use service::{OnRefresh, Service, ServiceState};
pub use spec::{Resource, Spec};
pub use symlink::Symlink;
pub use user::User;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a thing is to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ensure {
    /// It exists as described.
    #[default]
    Present,
    /// It does not exist.
    Absent,
}

impl Ensure {
    pub(crate) fn is_present(&self) -> bool {
        *self == Self::Present
    }
}

pub(crate) fn is_false(value: &bool) -> bool {
    !value
}

pub(crate) fn is_true(value: &bool) -> bool {
    *value
}

pub(crate) fn yes() -> bool {
    true
}
