//! Health probes of roles: what tells whether a role is well once its resources are as wanted.
//!
//! An agent asks them after a run that changed something of the role, and in the runs after one
//! in which they were not answered well. They look from the host itself, and change nothing.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::{Command, ResourceId};

/// Most probes of one catalog: what an agent can ask within the time it takes for them.
pub const MAX_PROBES: usize = 200;

/// Longest time for one answer, in seconds.
pub const MAX_TIMEOUT_S: u32 = 60;

/// Most attempts after the first.
pub const MAX_RETRIES: u32 = 20;

/// Longest pause between attempts, in seconds.
pub const MAX_INTERVAL_S: u32 = 60;

/// The probes of a role of a catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleHealth {
    /// The role, as `nginx`; one of a repeatable role with its title, as `vhost/shop`.
    pub role: String,
    /// Its resources, and those of the roles that it includes: when one changes, it is asked.
    pub resources: Vec<ResourceId>,
    /// What is asked, in this order.
    pub probes: Vec<HealthProbe>,
}

/// A probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthProbe {
    /// What is looked at.
    pub check: Check,
    /// How long one answer may take, in seconds.
    #[serde(default = "timeout")]
    pub timeout_s: u32,
    /// How often it is asked again after an answer that is not well: a service takes a moment.
    #[serde(default = "retries")]
    pub retries: u32,
    /// The pause before that, in seconds.
    #[serde(default = "interval")]
    pub interval_s: u32,
}

/// Five seconds: what answers a person later is not well.
const fn timeout() -> u32 {
    5
}

/// Ten times, so that with the pauses a service has ten seconds to come up.
const fn retries() -> u32 {
    10
}

/// One second.
const fn interval() -> u32 {
    1
}

/// What a probe looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Whether something listens at a TCP port.
    Port(PortCheck),
    /// What a page is answered with.
    Http(HttpCheck),
    /// Whether a command exits with 0. That it only looks is its author's word.
    Command(CommandCheck),
    /// Whether systemd has a unit active.
    Unit(String),
}

/// A TCP port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortCheck {
    /// A name or an address; the host itself (`127.0.0.1`) if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// From 1.
    #[schemars(range(min = 1))]
    pub port: u16,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpCheck {
    /// Where: `http://host:port/path`.
    pub url: String,
    /// The statuses that are well; from 200 to 399 if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u16>,
    /// What the answer has to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandCheck {
    /// What is run.
    pub command: Command,
    /// Account it runs as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as: Option<String>,
}

/// Where a page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAddress<'u> {
    /// A name or an address, as the connection takes it.
    pub host: &'u str,
    /// 80 unless the URL says another.
    pub port: u16,
    /// Host and port as written, for the `Host` header.
    pub authority: &'u str,
    /// From the `/` on, or `/`.
    pub path: &'u str,
}

/// Probes that no agent would ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HealthError {
    /// More than [`MAX_PROBES`].
    #[error("the catalog has {0} probes, at most {MAX_PROBES} are accepted")]
    TooMany(usize),
    /// A resource that the catalog does not hold.
    #[error("the probes of role {role} are about {resource}, which is not in the catalog")]
    Unknown {
        /// The role.
        role: String,
        /// What it names.
        resource: ResourceId,
    },
    /// A time or a number beyond its bounds.
    #[error("`{name}` of a probe is at most {limit}, not {found}")]
    Beyond {
        /// The attribute.
        name: &'static str,
        /// What is given.
        found: u32,
        /// The most that is accepted.
        limit: u32,
    },
    /// Nothing can be waited for in no time.
    #[error("`timeout_s` of a probe is at least 1")]
    NoTime,
    /// Port 0.
    #[error("a probe's port is at least 1")]
    NoPort,
    /// What is no URL of a page.
    #[error("a probe's page is written http://host:port/path, not {0:?}")]
    Url(String),
}

impl RoleHealth {
    /// Checks the probes of a catalog with these resources.
    pub(crate) fn check(
        all: &[Self],
        known: impl Fn(&ResourceId) -> bool,
    ) -> Result<(), HealthError> {
        let count = all.iter().map(|health| health.probes.len()).sum();
        if count > MAX_PROBES {
            return Err(HealthError::TooMany(count));
        }
        for health in all {
            let mut seen = HashSet::new();
            let mut resources = health.resources.iter().filter(|id| seen.insert(*id));
            if let Some(resource) = resources.find(|id| !known(id)) {
                return Err(HealthError::Unknown {
                    role: health.role.clone(),
                    resource: resource.clone(),
                });
            }
            health.probes.iter().try_for_each(HealthProbe::check)?;
        }
        Ok(())
    }
}

impl HealthProbe {
    /// A probe with the usual times.
    pub const fn new(check: Check) -> Self {
        Self {
            check,
            timeout_s: timeout(),
            retries: retries(),
            interval_s: interval(),
        }
    }

    /// Checks what its form alone does not.
    pub fn check(&self) -> Result<(), HealthError> {
        for (name, found, limit) in [
            ("timeout_s", self.timeout_s, MAX_TIMEOUT_S),
            ("retries", self.retries, MAX_RETRIES),
            ("interval_s", self.interval_s, MAX_INTERVAL_S),
        ] {
            if found > limit {
                return Err(HealthError::Beyond { name, found, limit });
            }
        }
        match &self.check {
            _ if self.timeout_s == 0 => Err(HealthError::NoTime),
            Check::Port(check) if check.port == 0 => Err(HealthError::NoPort),
            Check::Http(check) => match check.address() {
                Some(_) => Ok(()),
                None => Err(HealthError::Url(check.url.clone())),
            },
            Check::Port(_) | Check::Command(_) | Check::Unit(_) => Ok(()),
        }
    }
}

impl HttpCheck {
    /// Where it asks; `None` for what is no `http://` URL.
    pub fn address(&self) -> Option<HttpAddress<'_>> {
        let rest = self.url.strip_prefix("http://")?;
        // What stands in a request line as it is must not end it.
        if rest.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#' || c == '@') {
            return None;
        }
        let (authority, path) = match rest.find('/') {
            Some(place) => rest.split_at(place),
            None => (rest, "/"),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, 80),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty() && port > 0).then_some(HttpAddress {
            host,
            port,
            authority,
            path,
        })
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Port(PortCheck { host: None, port }) => write!(f, "port {port}"),
            Self::Port(PortCheck {
                host: Some(host),
                port,
            }) => write!(f, "port {port} of {host}"),
            Self::Http(check) => f.write_str(&check.url),
            Self::Unit(unit) => write!(f, "unit {unit}"),
            Self::Command(check) => match &check.command {
                Command::Shell(line) => f.write_str(line),
                Command::Argv(argv) => f.write_str(&argv.join(" ")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_where_its_url_says() {
        let address = |url: &str| {
            let check = HttpCheck {
                url: url.to_owned(),
                status: Vec::new(),
                contains: None,
            };
            let address = check.address();
            address.map(|it| format!("{} {} {} {}", it.host, it.port, it.authority, it.path))
        };
        for (url, expected) in [
            ("http://localhost", Some("localhost 80 localhost /")),
            ("http://a.b:8080/c?d=e", Some("a.b 8080 a.b:8080 /c?d=e")),
            ("http://[::1]:81/", Some("::1 81 [::1]:81 /")),
            ("http://[::1]/x", Some("::1 80 [::1] /x")),
            ("https://a/", None),
            ("http://", None),
            ("http://a:0/", None),
            ("http://a:99999/", None),
            ("http://a/b c", None),
            ("http://a/\r\nHost: b", None),
            ("http://user@a/", None),
        ] {
            assert_eq!(address(url).as_deref(), expected, "{url}");
        }
    }
}
