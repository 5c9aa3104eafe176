//! A package of the system's package manager.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_false;

/// What is wanted of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackageState {
    /// Installed, in any version (or in the one that `version` names).
    #[default]
    Installed,
    /// Installed, in the newest version that the configured repositories offer.
    Latest,
    /// Not installed; configuration files may stay.
    Absent,
    /// Not installed, and no configuration files left.
    Purged,
}

impl PackageState {
    fn is_installed(&self) -> bool {
        *self == Self::Installed
    }
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name, with `:architecture` where one is meant.
    pub name: String,
    /// What is wanted.
    #[serde(default, skip_serializing_if = "PackageState::is_installed")]
    pub state: PackageState,
    /// The exact version wanted, as the package manager writes it; only with `installed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether a version older than the installed one may replace it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_downgrade: bool,
    /// Whether installing it may remove other packages.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_removals: bool,
}
