//! From a catalog to a host that is as it says, or to what would have to be done.
//!
//! A first pass looks at everything side by side and changes nothing; when all is in sync, that
//! is the whole run, and the ledger is not even read. Otherwise the catalog is walked in its
//! order: [`enforce`] mends and writes the ledger, [`plan`] only says what enforcing would do.

mod edges;
mod enforce;
mod fate;
mod look;
mod manner;
mod moving;
mod plan;
mod refresh;
mod veil;
mod window;
mod wording;

use std::collections::BTreeMap;
use std::path::Path;

use holdfast_modules::host::{DRAFT, Host, Stop};
use holdfast_schemas::Digest;
use holdfast_schemas::catalog::Catalog;
use holdfast_schemas::report::{Outcome, RunMode};
use holdfast_schemas::resource::{Content, Resource, ResourceId, Spec};
use holdfast_schemas::secret::{Commitment, SecretName};

use crate::durable::DiskError;
use crate::health::{self, Visit};
use crate::ledger::{self, Knowledge, Ledger, Memory, Settled};
use crate::report::{Execution, line};
use look::Seen;

/// Everything that executing a catalog takes.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    /// What is wanted.
    pub(crate) catalog: &'a Catalog,
    /// Digest of the catalog's bytes.
    pub(crate) digest: Digest,
    /// The host.
    pub(crate) host: &'a dyn Host,
    /// Folder of the ledger.
    pub(crate) ledger: &'a Path,
    /// What it means if there is no ledger.
    pub(crate) missing: Knowledge,
    /// Where the roles stand that are to be asked again how they are.
    pub(crate) unwell: &'a Path,
    /// Content that was left out of a bundle, by digest, with its size.
    pub(crate) omitted: &'a BTreeMap<Digest, u64>,
    /// When to end early.
    pub(crate) stop: &'a Stop,
}

/// Executes a catalog, and asks after the roles that it changed.
pub(crate) fn execute(task: &Task<'_>, mode: RunMode) -> Result<Execution, DiskError> {
    let mut execution = carry_out(task, mode)?;
    if mode == RunMode::Enforce {
        let visit = Visit {
            catalog: task.catalog,
            host: task.host,
            unwell: task.unwell,
            stop: task.stop,
        };
        health::after(&visit, &mut execution);
    }
    Ok(execution)
}

fn carry_out(task: &Task<'_>, mode: RunMode) -> Result<Execution, DiskError> {
    let seen = look::at_all(task);
    let quiet = seen.iter().all(|seen| matches!(seen, Seen::InSync(_)));
    if quiet {
        return all_in_sync(task, mode, seen);
    }
    match mode {
        RunMode::Enforce => enforce::walk(task, seen),
        RunMode::NoOp | RunMode::Audit => plan::walk(task, seen, mode),
    }
}

/// Everything is as wanted: nothing to do but to remember that, if it is news.
fn all_in_sync(task: &Task<'_>, mode: RunMode, seen: Vec<Seen>) -> Result<Execution, DiskError> {
    if let Some(settled) = Settled::holds(task.ledger, &task.digest) {
        let mut execution = nothing_done(task, mode, seen);
        execution.orphans = settled.orphans;
        return Ok(execution);
    }
    let memory = ledger::recall(task.ledger, task.missing)?;
    let owes = task
        .catalog
        .resources
        .iter()
        .any(|resource| memory.owed().contains_key(&resource.id));
    if mode != RunMode::Enforce || owes {
        return match mode {
            RunMode::Enforce => enforce::walk(task, seen),
            RunMode::NoOp | RunMode::Audit => plan::walk(task, seen, mode),
        };
    }
    let mut execution = nothing_done(task, mode, seen);
    let mut ledger = Ledger::open(task.ledger, task.missing)?;
    ledger.veil(veil::sealed_in(
        &task.catalog.resources,
        task.host.as_probe(),
    ))?;
    ledger.adopt(task.catalog.resources.iter())?;
    execution.orphans = close(task, ledger, Completeness::Whole)?;
    Ok(execution)
}

/// What is told when all is as wanted: a line only where there is something worth reading.
fn nothing_done(task: &Task<'_>, mode: RunMode, seen: Vec<Seen>) -> Execution {
    let mut execution = Execution::default();
    for (resource, seen) in task.catalog.resources.iter().zip(seen) {
        match seen {
            Seen::InSync(Some(remark)) => {
                let mut told = line(resource, mode, Outcome::InSync);
                told.message = Some(remark.into());
                execution.push(told);
            }
            _ => execution.quiet(1),
        }
    }
    execution
}

/// Whether every resource of the catalog is now as wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Completeness {
    Whole,
    Partial,
}

/// Tidies the ledger up at the end of a run that changed things, and tells the orphans.
fn close(
    task: &Task<'_>,
    mut ledger: Ledger,
    completeness: Completeness,
) -> Result<Vec<ResourceId>, DiskError> {
    let (orphans, strangers) = undeclared(task, ledger.memory());
    ledger.forget(strangers)?;
    let settled = (completeness == Completeness::Whole).then(|| (task.digest, orphans.clone()));
    ledger.close(settled)?;
    Ok(orphans)
}

/// What the ledger remembers and the catalog does not name: what Holdfast made and is still
/// there, and what concerns nobody any more.
fn undeclared(task: &Task<'_>, memory: &Memory) -> (Vec<ResourceId>, Vec<ResourceId>) {
    let declared: std::collections::HashSet<&ResourceId> =
        task.catalog.resources.iter().map(|one| &one.id).collect();
    let gone = |id: &&ResourceId| !declared.contains(id);
    let mut orphans: Vec<ResourceId> = memory
        .entries()
        .filter(|(id, entry)| entry.made && !declared.contains(id))
        .map(|(id, _)| id.clone())
        .collect();
    orphans.sort_unstable();
    let forgotten = memory.entries().filter(|(_, entry)| !entry.made);
    let forgotten = forgotten.map(|(id, _)| id).chain(memory.owed().keys());
    let mut strangers: Vec<ResourceId> = forgotten.filter(gone).cloned().collect();
    strangers.retain(|id| orphans.binary_search(id).is_err());
    strangers.sort_unstable();
    strangers.dedup();
    (orphans, strangers)
}

/// Whether one of these paths is no longer as a run left it.
pub(crate) fn left_again<'a>(paths: impl Iterator<Item = &'a Resource>, host: &dyn Host) -> bool {
    let mut paths = paths.filter(|resource| window::path_of(&resource.spec).is_some());
    paths.any(|resource| !matches!(look::at(resource, host.as_probe()), Seen::InSync(_)))
}

/// Why a resource cannot be looked at: its content was left out of the bundle, or it holds secrets
/// that nobody sealed to this host.
fn omission(resource: &Resource, omitted: &BTreeMap<Digest, u64>) -> Option<String> {
    let Spec::File(file) = &resource.spec else {
        return None;
    };
    match file.content.as_ref()? {
        Content::Blob { digest, .. } => {
            let size = omitted.get(digest)?;
            Some(format!(
                "its content ({size} bytes) was too large for the bundle and was left out"
            ))
        }
        Content::Sealed {
            secrets,
            commitment: Commitment::Draft(_),
        } => {
            let names: Vec<String> = secrets.iter().map(SecretName::to_string).collect();
            Some(format!("it holds {}: {DRAFT}", names.join(", ")))
        }
        Content::Text(_) | Content::Sealed { .. } => None,
    }
}

#[cfg(test)]
mod tests;
