//! What is asked of apt in one transaction, and what its plan may do and no more.

use std::collections::BTreeSet;

use holdfast_schemas::resource::Package;

use super::Difference;
use super::apt::{KEEP_CONFIGURATION, LOCK_WAIT};
use super::dpkg::Database;
use super::name::Name;
use super::simulation::Plan;
use crate::host::{HostError, Probe};
use crate::module::Work;
use crate::programs;

/// What is asked of apt, in its words.
pub(super) struct Request {
    /// `name`, `name=version`, and `name-` for one that is to go.
    install: Vec<String>,
    purge: Vec<String>,
    /// Names of those that are to go.
    going: BTreeSet<String>,
    /// Names that were taken for packages and must not be taken for patterns.
    coming: BTreeSet<String>,
    downgrades: bool,
    removals: bool,
}

impl Request {
    pub(super) fn of(work: &[&Work<'_, Package>]) -> Self {
        let mut request = Self {
            install: Vec::new(),
            purge: Vec::new(),
            going: BTreeSet::new(),
            coming: BTreeSet::new(),
            downgrades: work.iter().any(|one| one.spec.allow_downgrade),
            removals: work.iter().any(|one| one.spec.allow_removals),
        };
        for one in work {
            for difference in one.differences {
                request.ask(one.spec, difference);
            }
        }
        request
    }

    fn ask(&mut self, spec: &Package, difference: &Difference) {
        let name = spec.name.as_str();
        match difference {
            Difference::Install { version } => {
                self.coming.insert(name.to_owned());
                self.install.push(match version {
                    Some(version) => format!("{name}={version}"),
                    None => name.to_owned(),
                });
            }
            Difference::Replace { package, to, .. } => {
                self.coming.insert(package.clone());
                // `latest` is whatever the lists say by the time apt reads them.
                self.install.push(match spec.version {
                    Some(_) => format!("{package}={to}"),
                    None => package.clone(),
                });
            }
            Difference::Remove => {
                self.going.insert(name.to_owned());
                self.install.push(format!("{name}-"));
            }
            Difference::Purge => {
                self.going.insert(name.to_owned());
                self.purge.push(name.to_owned());
            }
        }
    }

    pub(super) fn removes_something(&self) -> bool {
        self.removals || !self.going.is_empty()
    }

    /// Arguments of apt-get: one run, and a second one when something is to be purged, because a
    /// run that purges would purge what is only to be removed.
    pub(super) fn commands(&self) -> Vec<Vec<String>> {
        let command = |verb: &str, words: &[String]| {
            let mut arguments = programs::argv(&["--yes", "--quiet", "-o", LOCK_WAIT]);
            for option in KEEP_CONFIGURATION {
                arguments.extend(["-o".to_owned(), format!("Dpkg::Options::={option}")]);
            }
            if self.downgrades {
                arguments.push("--allow-downgrades".to_owned());
            }
            arguments.extend([verb.to_owned(), "--".to_owned()]);
            arguments.extend_from_slice(words);
            arguments
        };
        let all = [("install", &self.install), ("purge", &self.purge)];
        let asked = all.into_iter().filter(|(_, words)| !words.is_empty());
        asked.map(|(verb, words)| command(verb, words)).collect()
    }

    /// Refuses a plan that does something nobody asked for.
    pub(super) fn check(&self, plan: &Plan, probe: &dyn Probe) -> Result<(), HostError> {
        let database = Database::of(probe)?;
        let native = database.native();
        let same = |asked: &str, planned: &str| bare(asked, native) == bare(planned, native);
        let asked = |planned: &String| self.going.iter().any(|name| same(name, planned));
        let unasked: Vec<&str> = plan
            .removes
            .iter()
            .filter(|name| !asked(name))
            .map(String::as_str)
            .collect();
        let names: Vec<&str> = self
            .coming
            .iter()
            .chain(&self.going)
            .map(String::as_str)
            .collect();
        if !self.removals && !unasked.is_empty() {
            return Err(HostError::refused(
                format!("package {}", names.join(", ")),
                format!(
                    "apt would also remove {}; `allow_removals: true` lets it",
                    unasked.join(", ")
                ),
            ));
        }
        let listed = |name: &String| {
            let planned = plan.installs.iter().chain(&plan.settled);
            let stand_in = plan.stand_ins.iter().any(|(asked, _)| asked == name);
            stand_in || planned.into_iter().any(|planned| same(name, planned))
        };
        match self
            .coming
            .iter()
            .find(|name| !listed(name) || plan.patterns.contains(name))
        {
            None => Ok(()),
            Some(name) => Err(HostError::refused(
                format!("package {name}"),
                "apt knows no package of exactly this name and would take it for a pattern",
            )),
        }
    }
}

/// The name without the architecture where that is the host's own.
fn bare<'a>(name: &'a str, native: Option<&str>) -> &'a str {
    match Name::parse(name) {
        Ok(Name {
            package,
            architecture: Some(named),
        }) if named == "native" || Some(named) == native => package,
        _ => name,
    }
}
