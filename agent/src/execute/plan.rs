//! The walk that only says what enforcing would do: no-op and audit.
//!
//! It sees the host through an overlay of what the resources before would have made, so that what
//! it says is what enforcing then does. A line that rests on another says so; one that rests on
//! what cannot be known beforehand (a command, a package's own scripts) says that. A package itself
//! is certain where the package manager's own plan agrees.

use std::collections::{HashMap, HashSet};

use holdfast_modules::Shown;
use holdfast_modules::harness::{self, Observation};
use holdfast_modules::host::{HostError, Overlay};
use holdfast_schemas::report::{Certainty, Outcome, ResourceReport, RunMode};
use holdfast_schemas::resource::{Kind, Resource, ResourceId, Spec};

use super::edges::Edges;
use super::fate::{Fates, Wrong};
use super::look::{self, Seen};
use super::moving::Moving;
use super::refresh::{is_refreshed, pending};
use super::veil::{self, Moment, Veil};
use super::wording::{ENDED_EARLY, ended};
use super::{Task, undeclared};
use crate::drift;
use crate::durable::DiskError;
use crate::ledger::{self, Ledger, Memory};
use crate::report::{Execution, line};
use crate::said::chain;

/// Walks the catalog and says what differs.
pub(super) fn walk(
    task: &Task<'_>,
    first_look: Vec<Seen>,
    mode: RunMode,
) -> Result<Execution, DiskError> {
    let resources = &task.catalog.resources;
    let edges = Edges::of(resources);
    let sealed = veil::sealed_in(resources, task.host.as_probe());
    let mut memory = ledger::recall(task.ledger, task.missing)?;
    memory.veil(sealed.clone());
    let mut plan = Plan {
        task,
        mode,
        edges: &edges,
        veil: Veil::drawn(&memory, task.host.as_probe(), Moment::Before),
        memory,
        overlay: Overlay::new(task.host.as_probe()),
        fates: Fates::new(resources.len()),
        moving: Moving::default(),
        acts: vec![Act::Nothing; resources.len()],
        blameless: 0,
        foreseen: match mode {
            RunMode::NoOp => foresee(task, &first_look),
            // An audit is repeated for ever: it costs no more than a look.
            RunMode::Audit | RunMode::Enforce => HashMap::new(),
        },
    };
    let mut execution = Execution::default();
    let mut found_good = Vec::new();
    for (place, seen) in first_look.into_iter().enumerate() {
        match plan.resource(place, seen) {
            Some(told) => {
                if told.outcome == Outcome::InSync {
                    found_good.push(&resources[place]);
                }
                execution.push(told);
            }
            None => {
                execution.quiet(1);
                found_good.push(&resources[place]);
            }
        }
    }
    execution.blameless = plan.blameless;
    execution.pending = pending(&plan.memory, resources);
    execution.orphans = undeclared(task, &plan.memory).0;
    if task.stop.asked() {
        execution.error = Some(ENDED_EARLY.to_owned());
    }
    if mode == RunMode::Audit {
        // What is recorded is drift only if it is remembered that it once was in sync.
        let mut ledger = Ledger::open(task.ledger, task.missing)?;
        ledger.veil(sealed)?;
        ledger.adopt(found_good.into_iter())?;
        ledger.close(None)?;
    }
    Ok(execution)
}

/// What enforcing would do to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Nothing,
    /// Exactly what the plan says.
    Known,
    /// Something that cannot be known beforehand.
    Opaque,
}

struct Plan<'a> {
    task: &'a Task<'a>,
    mode: RunMode,
    edges: &'a Edges,
    memory: Memory,
    veil: Option<Veil>,
    overlay: Overlay<'a>,
    fates: Fates,
    moving: Moving<'a>,
    acts: Vec<Act>,
    blameless: u32,
    foreseen: HashMap<usize, Option<String>>,
}

/// Asks for packages that differ what of them stays unknown, all in one question.
fn foresee(task: &Task<'_>, first_look: &[Seen]) -> HashMap<usize, Option<String>> {
    let resources = &task.catalog.resources;
    let differs = |place: &usize| {
        let package = resources[*place].id.kind() == Kind::Package;
        package && matches!(first_look[*place], Seen::Differs(_))
    };
    let places: Vec<usize> = (0..resources.len()).filter(differs).collect();
    let specs: Vec<&Spec> = places.iter().map(|&one| &resources[one].spec).collect();
    let foreseen = harness::foresee(&specs, task.host.as_probe());
    places.into_iter().zip(foreseen).collect()
}

impl<'a> Plan<'a> {
    /// The line of a resource; `None` if it is simply in sync.
    fn resource(&mut self, place: usize, first: Seen) -> Option<ResourceReport> {
        let resources = &self.task.catalog.resources;
        let resource = &resources[place];
        if let Some(skip) = self.fates.skip(place, self.edges, resources) {
            self.blameless += u32::from(skip.blameless);
            let mut told = line(resource, self.mode, Outcome::Skipped);
            told.skipped_because = Some(skip.because);
            return Some(told);
        }
        let mut told = match self.look_again(place, resource, first) {
            Seen::InSync(remark) => remark.map(|remark| {
                let mut told = line(resource, self.mode, Outcome::InSync);
                told.message = Some(remark.into());
                told
            }),
            Seen::Omitted(because) => {
                self.fates.spoil(place, Wrong::Omitted);
                self.blameless += 1;
                let mut told = line(resource, self.mode, Outcome::Skipped);
                told.skipped_because = Some(because);
                return Some(told);
            }
            Seen::Ended => {
                self.fates.spoil(place, Wrong::Ended);
                let mut told = line(resource, self.mode, Outcome::Skipped);
                told.skipped_because = Some(ended().because);
                return Some(told);
            }
            Seen::Differs(observation) => Some(self.differs(place, resource, *observation)),
            Seen::Failed(error) => Some(self.unseen(place, resource, &error)),
        };
        if !self.fates.is_bad(place) {
            self.notify(place, resource, &mut told);
        }
        told
    }

    /// What was seen before anything was planned holds, unless it failed or something planned
    /// may bear on it.
    fn look_again(&self, place: usize, resource: &'a Resource, first: Seen) -> Seen {
        let holds = match &first {
            Seen::Omitted(_) | Seen::Ended => true,
            Seen::InSync(_) => !self.moving.touches(place, resource, self.edges),
            Seen::Differs(_) | Seen::Failed(_) => self.moving.is_still(),
        };
        match holds {
            true => first,
            false => look::at(resource, &self.overlay),
        }
    }

    fn differs(
        &mut self,
        place: usize,
        resource: &'a Resource,
        observation: Observation,
    ) -> ResourceReport {
        let unknown = self.foreseen.remove(&place).unwrap_or(observation.unknown);
        let certainty = self.certainty(place, unknown);
        let shown = self.veiled(resource, observation.shown);
        self.plan(place, resource, &certainty);
        let mut told = line(resource, self.mode, Outcome::Drifted);
        told.cause = Some(drift::cause(resource, &self.memory));
        told.certainty = Some(certainty);
        told.changes = shown.changes;
        told.diff = shown.diff;
        told
    }

    /// The differences, without what may be a secret of an earlier catalog.
    fn veiled(&self, resource: &Resource, shown: Shown) -> Shown {
        let over = |veil: &Veil| veil.is_over(resource, &self.memory, &self.overlay);
        match self.veil.as_ref().is_some_and(over) {
            true => veil::over(shown),
            false => shown,
        }
    }

    /// A resource that cannot be looked at: a failure, unless what is planned before it may be
    /// just what is missing.
    fn unseen(
        &mut self,
        place: usize,
        resource: &'a Resource,
        error: &HostError,
    ) -> ResourceReport {
        let before = match is_final(error) {
            true => Vec::new(),
            false => self.may_cure(place, error),
        };
        if before.is_empty() {
            self.fates.spoil(place, Wrong::Failed);
            let mut told = line(resource, self.mode, Outcome::Failed);
            told.message = Some(chain(error));
            return told;
        }
        let why = format!("{}; {} comes first", chain(error), few(&before));
        let certainty = Certainty::Unknown(why);
        self.plan(place, resource, &certainty);
        let mut told = line(resource, self.mode, Outcome::Drifted);
        told.cause = Some(drift::cause(resource, &self.memory));
        told.certainty = Some(certainty);
        told
    }

    /// What is planned before a resource and may bring what it misses: what it needs; the very
    /// account that is missing; else whatever a package or a command may bring.
    fn may_cure(&self, place: usize, error: &HostError) -> Vec<String> {
        let resources = &self.task.catalog.resources;
        let name = |place: usize| resources[place].id.to_string();
        let mut before = self.acting_before(place);
        if before.is_empty() {
            let acts = |&one: &usize| self.acts[one] != Act::Nothing;
            before.extend(
                (0..place)
                    .filter(acts)
                    .filter(|&one| brings(&resources[one].spec, error)),
            );
        }
        match before.is_empty() {
            true => self.overlay.unforeseen().to_vec(),
            false => before.into_iter().map(name).collect(),
        }
    }

    /// Lets what stands later see what enforcing this resource would have made.
    fn plan(&mut self, place: usize, resource: &'a Resource, certainty: &Certainty) {
        let opaque = matches!(resource.id.kind(), Kind::Exec | Kind::Package);
        self.acts[place] = match certainty {
            Certainty::Unknown(_) => Act::Opaque,
            Certainty::Certain | Certainty::After(_) if opaque => Act::Opaque,
            Certainty::Certain | Certainty::After(_) => Act::Known,
        };
        self.moving.enter(place, resource);
        if let Err(error) = self.overlay.assume(&resource.spec) {
            tracing::debug!(resource.id = %resource.id, error = chain(&error), "not foreseen");
            self.acts[place] = Act::Opaque;
        }
    }

    /// Adds the notification that enforcing would deliver.
    fn notify(&mut self, place: usize, resource: &'a Resource, told: &mut Option<ResourceReport>) {
        let owed = self.memory.owed().contains_key(&resource.id);
        let acting = self.acting_before(place);
        let acting: HashSet<&ResourceId> = acting
            .iter()
            .map(|&one| &self.task.catalog.resources[one].id)
            .collect();
        let sources = resource.subscribes.iter().filter(|id| acting.contains(id));
        let sources: Vec<ResourceId> = sources.cloned().collect();
        if (!owed && sources.is_empty()) || !is_refreshed(resource, told.as_ref()) {
            return;
        }
        let told = match told {
            Some(told) => told,
            None => {
                let mut quiet = line(resource, self.mode, Outcome::Drifted);
                let guarded = matches!(&resource.spec, Spec::Exec(exec)
                    if exec.creates.is_some() || exec.unless.is_some() || exec.only_if.is_some());
                let certainty = match guarded {
                    true => Certainty::Unknown("its guards are asked when it is notified".into()),
                    false => match self.certainty(place, None) {
                        Certainty::Certain if !sources.is_empty() => Certainty::After(sources),
                        certainty => certainty,
                    },
                };
                self.plan(place, resource, &certainty);
                quiet.certainty = Some(certainty);
                told.insert(quiet)
            }
        };
        told.refreshed = true;
    }

    fn certainty(&self, place: usize, own: Option<String>) -> Certainty {
        if let Some(why) = own {
            return Certainty::Unknown(why);
        }
        let before = self.acting_before(place);
        let opaque = before.iter().find(|&&one| self.acts[one] == Act::Opaque);
        match opaque {
            Some(&one) => Certainty::Unknown(format!(
                "what {} does is not known beforehand",
                self.task.catalog.resources[one].id
            )),
            None if before.is_empty() => Certainty::Certain,
            None => {
                let id = |&place: &usize| self.task.catalog.resources[place].id.clone();
                Certainty::After(before.iter().map(id).collect())
            }
        }
    }

    /// The resources that this one needs and that enforcing would do something to.
    fn acting_before(&self, place: usize) -> Vec<usize> {
        let mut before: Vec<usize> = self.edges.needs(place).to_vec();
        before.retain(|&needed| self.acts[needed] != Act::Nothing);
        before.sort_unstable();
        before.dedup();
        before
    }
}

/// Names of what may cure a failure that are told; more of them tell nothing more.
const TOLD: usize = 3;

fn few(names: &[String]) -> String {
    match names.len().saturating_sub(TOLD) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..TOLD].join(", ")),
    }
}

/// Whether nothing that a resource may bring changes the answer.
fn is_final(error: &HostError) -> bool {
    matches!(
        error,
        HostError::Unsupported(_)
            | HostError::BrokenOff { .. }
            | HostError::PlantedLink { .. }
            | HostError::Content { .. }
            | HostError::WrongContent { .. }
    )
}

/// Whether applying a specification brings just what an error says is missing, although no edge
/// says so.
fn brings(spec: &Spec, error: &HostError) -> bool {
    match (error, spec) {
        // A user brings a group of its name.
        (HostError::NoSuchAccount { name, .. }, Spec::User(user)) => user.name == *name,
        (HostError::NoSuchAccount { what, name }, Spec::Group(group)) => {
            *what == "group" && group.name == *name
        }
        _ => false,
    }
}
