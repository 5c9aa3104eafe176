//! Packages of the system's package manager. The one provider so far is apt (`apt.rs`).
//!
//! Looking reads what dpkg has written down (`dpkg.rs`); only `latest` asks a program. A name that
//! no package has is satisfied by an installed package that provides it. A package that an
//! administrator holds is left alone: `latest` counts as satisfied, anything that would change it
//! is refused and says so.

mod apt;
mod dpkg;
mod lists;
mod memo;
pub(crate) mod name;
mod policy;
mod request;
mod simulation;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use holdfast_schemas::resource::{Package, PackageState};

use crate::Shown;
use crate::host::{Facility, Host, HostError, Probe, Support};
use crate::module::{Module, Work};
use dpkg::{Database, State};
pub use memo::Memo;
use name::{Name, check_version};
use policy::Policy;

/// What was found of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    found: Found,
    /// Whether dpkg is told to leave it as it is.
    held: bool,
    /// What apt would install; only for `latest`.
    candidate: Option<String>,
    /// Installed packages that provide the name, with what apt would install of each; only for a
    /// name that no package here has.
    providers: Vec<Provider>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Nothing,
    ConfigFiles,
    Broken(&'static str),
    Installed(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Provider {
    package: String,
    installed: String,
    candidate: Option<String>,
}

/// What is to be done about a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Install it, in this version if one is wanted.
    Install {
        /// The exact version.
        version: Option<String>,
    },
    /// Replace one installed version by another.
    Replace {
        /// The package; not the name declared where that is a virtual one.
        package: String,
        /// The version installed.
        from: String,
        /// The version wanted.
        to: String,
    },
    /// Remove it, leaving its configuration files.
    Remove,
    /// Remove it and its configuration files.
    Purge,
}

impl Module for Package {
    type Observed = Observed;
    type Difference = Difference;

    fn observe(&self, probe: &dyn Probe) -> Result<Observed, HostError> {
        if let Support::No(why) = probe.supports(Facility::Apt) {
            return Err(HostError::Unsupported(why));
        }
        let name = Name::parse(&self.name)?;
        if let Some(version) = &self.version {
            check_version(&self.name, version)?;
        }
        let database = Database::of(probe)?;
        let entry = database.find(name);
        let found = entry.map_or(Found::Nothing, |entry| match entry.state {
            State::NotInstalled => Found::Nothing,
            State::ConfigFiles => Found::ConfigFiles,
            State::Broken(how) => Found::Broken(how),
            State::Installed => Found::Installed(entry.version.to_string()),
        });
        let mut observed = Observed {
            found,
            held: entry.is_some_and(|entry| entry.held),
            candidate: None,
            providers: Vec::new(),
        };
        if self.state == PackageState::Latest {
            observed.candidate = Policy::of(&self.name, probe)?.candidate;
        }
        let virtual_name = entry.is_none() && observed.candidate.is_none();
        if virtual_name && self.version.is_none() {
            observed.providers = providers_of(self, &database, name, probe)?;
        }
        Ok(observed)
    }

    fn diff(&self, observed: &Observed) -> Result<Vec<Difference>, HostError> {
        let differences = match self.state {
            PackageState::Installed => for_installed(self, observed)?,
            PackageState::Latest => for_latest(self, observed),
            PackageState::Absent => match observed.found {
                Found::Nothing | Found::ConfigFiles => vec![],
                Found::Broken(_) | Found::Installed(_) => vec![Difference::Remove],
            },
            PackageState::Purged => match observed.found {
                Found::Nothing => vec![],
                _ => vec![Difference::Purge],
            },
        };
        if observed.held && !differences.is_empty() {
            let reason = "an administrator holds it as it is; `apt-mark unhold` releases it";
            return Err(refused(self, reason));
        }
        Ok(differences)
    }

    fn apply(
        &self,
        observed: &Observed,
        differences: &[Difference],
        host: &dyn Host,
    ) -> Result<(), HostError> {
        let alone = Work {
            spec: self,
            observed,
            differences,
        };
        Self::apply_together(&[alone], host).into_iter().collect()
    }

    fn apply_together(work: &[Work<'_, Self>], host: &dyn Host) -> Vec<Result<(), HostError>> {
        apt::apply(work, host)
    }

    fn show(&self, observed: &Observed, differences: &[Difference]) -> Shown {
        let mut shown = Shown::default();
        let found = || Some(observed.found.to_string());
        for difference in differences {
            match difference {
                Difference::Install { version } => {
                    shown.push("state", found(), Some("installed".into()));
                    if let Some(version) = version {
                        shown.push("version", None, Some(version.clone()));
                    }
                }
                Difference::Replace { package, from, to } => {
                    let property = match *package == self.name {
                        true => "version".to_owned(),
                        false => format!("version of {package}"),
                    };
                    shown.push(&property, Some(from.clone()), Some(to.clone()));
                }
                Difference::Remove => shown.push("state", found(), Some("absent".into())),
                Difference::Purge => shown.push("state", found(), Some("purged".into())),
            }
        }
        shown
    }

    fn remark(&self, observed: &Observed) -> Option<String> {
        if matches!(self.state, PackageState::Absent | PackageState::Purged) {
            return None;
        }
        match &observed.found {
            Found::Installed(version) if observed.held && self.state == PackageState::Latest => {
                Some(format!("an administrator holds it at {version}"))
            }
            Found::Installed(_) => None,
            _ => {
                let providers = observed.providers.iter();
                let names: Vec<&str> = providers.map(|one| one.package.as_str()).collect();
                Some(format!("provided by {}", names.join(", ")))
            }
        }
    }

    fn unknown(&self, _observed: &Observed, _differences: &[Difference]) -> Option<String> {
        Some("apt was not asked whether it can".to_owned())
    }

    /// That the package itself becomes what is wanted is as certain as apt's own plan. What its
    /// maintainer scripts do besides is not: whatever needs the package is unknown for that.
    fn foresee(work: &[Work<'_, Self>], probe: &dyn Probe) -> Vec<Option<String>> {
        apt::foresee(work, probe)
    }
}

fn for_installed(package: &Package, observed: &Observed) -> Result<Vec<Difference>, HostError> {
    let install = || Difference::Install {
        version: package.version.clone(),
    };
    let installed = match &observed.found {
        Found::Installed(version) => version,
        _ if observed.providers.is_empty() => return Ok(vec![install()]),
        _ => return Ok(vec![]),
    };
    let Some(wanted) = package
        .version
        .as_ref()
        .filter(|wanted| *wanted != installed)
    else {
        return Ok(vec![]);
    };
    match compare(wanted, installed) {
        Some(Ordering::Equal) => return Ok(vec![]),
        Some(Ordering::Less) if !package.allow_downgrade => {
            return Err(refused(
                package,
                format!(
                    "version {wanted} is older than {installed}, which is installed; \
                 `allow_downgrade: true` lets it be replaced"
                ),
            ));
        }
        _ => {}
    }
    Ok(vec![Difference::Replace {
        package: package.name.clone(),
        from: installed.clone(),
        to: wanted.clone(),
    }])
}

fn for_latest(package: &Package, observed: &Observed) -> Vec<Difference> {
    let candidate = observed.candidate.clone();
    let replace = |package: &str, from: &str, to: &Option<String>| {
        let newer = to
            .as_ref()
            .filter(|to| compare(to, from) == Some(Ordering::Greater))?;
        Some(Difference::Replace {
            package: package.to_owned(),
            from: from.to_owned(),
            to: newer.clone(),
        })
    };
    match &observed.found {
        Found::Installed(_) if observed.held => vec![],
        Found::Installed(version) => replace(&package.name, version, &candidate)
            .into_iter()
            .collect(),
        _ if observed.providers.is_empty() => vec![Difference::Install { version: None }],
        _ => {
            let outdated = |provider: &Provider| {
                replace(&provider.package, &provider.installed, &provider.candidate)
            };
            observed.providers.iter().filter_map(outdated).collect()
        }
    }
}

fn providers_of(
    package: &Package,
    database: &Database,
    name: Name<'_>,
    probe: &dyn Probe,
) -> Result<Vec<Provider>, HostError> {
    let mut providers = Vec::new();
    for provider in database.providers(name.package) {
        let Some(entry) = Name::parse(provider)
            .ok()
            .and_then(|name| database.find(name))
        else {
            continue; // provided by a package of another architecture
        };
        let candidate = match package.state {
            PackageState::Latest if !entry.held => Policy::of(provider, probe)?.candidate,
            _ => None,
        };
        providers.push(Provider {
            package: provider.to_owned(),
            installed: entry.version.to_string(),
            candidate,
        });
    }
    Ok(providers)
}

fn refused(package: &Package, reason: impl Into<String>) -> HostError {
    HostError::refused(format!("package {}", package.name), reason)
}

/// Orders two versions as dpkg does; `None` when one of them is no version.
fn compare(left: &str, right: &str) -> Option<Ordering> {
    let parse = |text: &str| text.parse::<debversion::Version>().ok();
    Some(parse(left)?.cmp(&parse(right)?))
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("absent"),
            Self::ConfigFiles => f.write_str("removed, configuration files left"),
            Self::Broken(how) => write!(f, "broken ({how})"),
            Self::Installed(version) => write!(f, "installed ({version})"),
        }
    }
}
