//! What an agent finds about its host: stable, and usable in the catalog language as `facts.*`.
//!
//! What varies from minute to minute is a metric (see [`crate::inventory`]) and never an input of
//! compilation.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Stable facts of a host. A later agent may send more; a server keeps what it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// The kernel's host name.
    pub hostname: String,
    /// The name with its domain, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<String>,
    /// `/etc/machine-id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<String>,
    /// The operating system.
    pub os: Os,
    /// The kernel.
    pub kernel: Kernel,
    /// The processors.
    pub cpu: Cpu,
    /// The memory.
    pub memory: Memory,
    /// The network.
    pub network: Network,
    /// What it runs under: `none` for bare metal, else as systemd-detect-virt names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtualization: Option<String>,
    /// The init system: `systemd`, or `other`.
    pub init: String,
    /// The package manager: `apt`, `dnf`, or `none`.
    pub package_manager: String,
    /// Facts that a later agent sends.
    #[serde(flatten)]
    #[schemars(skip)]
    pub more: BTreeMap<String, serde_json::Value>,
}

/// The operating system, from os-release(5).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Os {
    /// `debian` for Debian and what descends from it, `redhat`, `suse`, `arch`, else the `ID`.
    pub family: String,
    /// `ID`.
    pub id: String,
    /// `NAME`.
    pub name: String,
    /// `VERSION_ID`; empty on a rolling release.
    pub version: String,
    /// The first number of the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major: Option<u32>,
    /// `VERSION_CODENAME`; empty where there is none.
    pub codename: String,
}

/// The kernel, from uname(2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// `Linux`.
    pub name: String,
    /// `6.1.0-18-amd64`.
    pub release: String,
    /// `x86_64`.
    pub arch: String,
}

/// The processors.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Cpu {
    /// Logical processors.
    pub count: u32,
    /// What the first one calls itself.
    pub model: String,
}

/// The memory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    /// Installed memory in MiB, as the kernel has it.
    pub total_mib: u64,
}

/// The network.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// The address that traffic to elsewhere leaves from, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The interfaces but for the loopback.
    pub interfaces: BTreeMap<String, Interface>,
}

/// One network interface.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Interface {
    /// Hardware address, six hexadecimal pairs.
    pub mac: String,
    /// Addresses with prefix lengths, `10.0.0.5/24`, sorted.
    pub addresses: Vec<String>,
}
