//! Whether roles are well: their probes, asked after a run that changed something of them.
//!
//! A role that was not well, or that there was no time for, is asked again in each later run until
//! it is, so that a run that found nothing to mend does not call a host well that is not. No-op
//! and audit runs ask nothing: what they would see is not what the catalog would make of the host.
//! A tree of files has no health.

mod ask;
mod http;
mod look;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use holdfast_modules::displayable;
use holdfast_modules::host::{Facility, Host, Stop, Support};
use holdfast_schemas::catalog::Catalog;
use holdfast_schemas::health::{HealthProbe, RoleHealth};
use holdfast_schemas::report::{HealthReport, Outcome};
use holdfast_schemas::resource::ResourceId;

use crate::durable::{self, DiskError};
use crate::report::Execution;
use crate::said::chain;
use ask::{Asking, ask};

/// How long all probes of a run may take together: a run is to end, whatever the services do.
const FOR_ALL: Duration = Duration::from_secs(180);

/// Longest account of what was seen, in characters.
const MAX_SEEN: usize = 300;

/// What asking after roles takes.
pub(crate) struct Visit<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) host: &'a dyn Host,
    /// Where the roles stand that are to be asked again.
    pub(crate) unwell: &'a Path,
    pub(crate) stop: &'a Stop,
}

/// Asks after the roles of which a run changed something, and those that were not well.
pub(crate) fn after(visit: &Visit<'_>, execution: &mut Execution) {
    let owed = match durable::read_json::<BTreeSet<String>>(visit.unwell) {
        Ok(owed) => owed.unwrap_or_default(),
        Err(error) => {
            tracing::warn!(error = chain(&error), "all roles are asked how they are");
            let roles = visit.catalog.health.iter();
            roles.map(|health| health.role.clone()).collect()
        }
    };
    let due = due(&visit.catalog.health, &owed, execution);
    if due.is_empty() && owed.is_empty() {
        return;
    }
    if let Support::No(why) = visit.host.supports(Facility::Programs) {
        tracing::debug!(why, "no role is asked how it is");
        return;
    }
    let found = ask_all(visit, &due);
    let unwell: BTreeSet<String> = found
        .iter()
        .filter(|probe| !probe.healthy)
        .map(|probe| probe.role.clone())
        .collect();
    if unwell != owed
        && let Err(error) = remember(visit.unwell, &unwell)
    {
        // The roles are asked now; whether they are again is not sure.
        execution.error.get_or_insert_with(|| chain(&error));
    }
    execution.health = found;
}

/// The roles that are to be asked.
fn due<'c>(
    health: &'c [RoleHealth],
    owed: &BTreeSet<String>,
    execution: &Execution,
) -> Vec<&'c RoleHealth> {
    let touched = |outcome| matches!(outcome, Outcome::Changed | Outcome::NotConverged);
    let lines = execution.lines.iter().filter(|line| touched(line.outcome));
    let changed: HashSet<&ResourceId> = lines.map(|line| &line.id).collect();
    let is_due = |one: &&RoleHealth| {
        owed.contains(&one.role) || one.resources.iter().any(|id| changed.contains(id))
    };
    health.iter().filter(is_due).collect()
}

fn ask_all(visit: &Visit<'_>, due: &[&RoleHealth]) -> Vec<HealthReport> {
    let asking = Asking {
        probe: visit.host.as_probe(),
        stop: visit.stop,
        end: Instant::now() + FOR_ALL,
    };
    let probes = due
        .iter()
        .flat_map(|health| health.probes.iter().map(|probe| (&*health.role, probe)));
    probes
        .map(|(role, probe)| one(role, probe, &asking))
        .collect()
}

fn one(role: &str, probe: &HealthProbe, asking: &Asking<'_>) -> HealthReport {
    let began = Instant::now();
    let asked = ask(probe, asking);
    let (healthy, seen) = match asked.last {
        Ok(seen) => (true, seen),
        Err(seen) => (false, seen),
    };
    let seen: String = displayable(&seen).chars().take(MAX_SEEN).collect();
    let name = displayable(&probe.check.to_string());
    if !healthy {
        tracing::warn!(role, probe = name, seen, "a role is not well");
    }
    HealthReport {
        role: role.to_owned(),
        probe: name,
        healthy,
        seen,
        attempts: asked.attempts,
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

fn remember(path: &Path, unwell: &BTreeSet<String>) -> Result<(), DiskError> {
    match unwell.is_empty() {
        true => durable::remove(path),
        false => durable::write_json(path, unwell),
    }
}
