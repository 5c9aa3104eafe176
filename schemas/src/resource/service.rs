//! A service of the init system.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// It is active.
    Running,
    /// It is not.
    Stopped,
}

/// What a notification does to a service that is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnRefresh {
    /// Stop it and start it.
    #[default]
    Restart,
    /// Reload it if it can be reloaded, else restart it.
    Reload,
}

impl OnRefresh {
    fn is_restart(&self) -> bool {
        *self == Self::Restart
    }
}

/// A service. What is not given is not managed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The unit's name; `.service` may be left out.
    pub name: String,
    /// Whether it runs now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ServiceState>,
    /// Whether it starts at boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What a notification does.
    #[serde(default, skip_serializing_if = "OnRefresh::is_restart")]
    pub on_refresh: OnRefresh,
}
