//! Everything an agent knows of its host: facts, metrics, packages, services.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::Facts;

/// Largest inventory that a server accepts, in bytes.
pub const MAX_INVENTORY: usize = 8 * 1024 * 1024;

/// What an agent found at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// When it was collected, by the host's clock.
    pub collected: Timestamp,
    /// Stable facts: the only part that compilation may read.
    pub facts: Facts,
    /// Volatile figures.
    pub metrics: Metrics,
    /// Installed packages, sorted by name.
    pub packages: Vec<InstalledPackage>,
    /// Services of the init system, sorted by name.
    pub services: Vec<KnownService>,
}

/// Volatile figures.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Metrics {
    /// Seconds since boot.
    pub uptime_s: u64,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: [f64; 3],
    /// Memory that could be given to programs, in MiB.
    pub memory_available_mib: u64,
    /// Mounted file systems.
    pub filesystems: Vec<Filesystem>,
}

/// One mounted file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filesystem {
    /// Where it is mounted.
    pub mount: String,
    /// Its type.
    pub kind: String,
    /// Its size in MiB.
    pub total_mib: u64,
    /// What is free for ordinary users, in MiB.
    pub available_mib: u64,
}

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct InstalledPackage {
    /// Its name.
    pub name: String,
    /// Its version, as the package manager writes it.
    pub version: String,
    /// Its architecture.
    pub arch: String,
}

/// One service of the init system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct KnownService {
    /// Unit name.
    pub name: String,
    /// `active`, `inactive`, `failed`, …
    pub active: String,
    /// `running`, `exited`, `dead`, …
    pub sub: String,
}
