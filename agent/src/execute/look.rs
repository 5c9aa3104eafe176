//! The first pass: everything is looked at side by side, and nothing is touched.

use std::ops::Range;

use holdfast_modules::harness::{self, Observation};
use holdfast_modules::host::{HostError, Probe};
use holdfast_schemas::resource::Resource;

use super::{Task, omission};

/// Threads that look: reading small files that are in memory keeps a core busy, so more than the
/// two that the smallest hosts have would only take turns, on a host that has work of its own.
const THREADS: usize = 2;

/// Fewest resources that are worth a second thread: starting one costs as much as looking at
/// some dozens of files.
const WORTH_A_THREAD: usize = 64;

/// What a look at a resource found.
#[derive(Debug)]
pub(super) enum Seen {
    /// All is as wanted; what is worth reading about it all the same.
    InSync(Option<Box<str>>),
    /// This differs.
    Differs(Box<Observation>),
    /// It could not be looked at.
    Failed(Box<HostError>),
    /// It is not to be looked at, and why.
    Omitted(String),
    /// The run was asked to end before it was looked at.
    Ended,
}

/// Looks at the whole catalog.
pub(super) fn at_all(task: &Task<'_>) -> Vec<Seen> {
    at_range(task, 0..task.catalog.resources.len())
}

/// Looks at a part of the catalog.
pub(super) fn at_range(task: &Task<'_>, range: Range<usize>) -> Vec<Seen> {
    let resources = &task.catalog.resources[range];
    if resources.len() < WORTH_A_THREAD {
        return at_each(task, resources);
    }
    let share = resources.len().div_ceil(THREADS);
    std::thread::scope(|scope| {
        let mut chunks = resources.chunks(share);
        let own = chunks.next().unwrap_or_default();
        let others: Vec<_> = chunks
            .map(|chunk| (chunk, scope.spawn(|| at_each(task, chunk))))
            .collect();
        let mut seen = at_each(task, own);
        for (chunk, other) in others {
            // A thread that panicked looked at nothing: its share is looked at here.
            seen.extend(other.join().unwrap_or_else(|_| at_each(task, chunk)));
        }
        seen
    })
}

fn at_each(task: &Task<'_>, resources: &[Resource]) -> Vec<Seen> {
    let probe = task.host.as_probe();
    let look = |resource| match omission(resource, task.omitted) {
        _ if task.stop.asked() => Seen::Ended,
        Some(reason) => Seen::Omitted(reason),
        None => at(resource, probe),
    };
    resources.iter().map(look).collect()
}

/// Looks at one resource.
pub(super) fn at(resource: &Resource, probe: &dyn Probe) -> Seen {
    match harness::observe(&resource.spec, probe) {
        Ok(observation) if observation.in_sync() => {
            Seen::InSync(observation.remark.map(String::into_boxed_str))
        }
        Ok(observation) => Seen::Differs(Box::new(observation)),
        Err(error) => Seen::Failed(Box::new(error)),
    }
}
