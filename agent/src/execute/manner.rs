//! How the resources of a window are enforced: one by one, side by side, or together.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use holdfast_modules::harness::{self, Enforced};
use holdfast_modules::host::HostError;
use holdfast_schemas::resource::Spec;

use super::Task;
use crate::said::chain;

/// Files that are written side by side. Each waits for the disk, and the disk takes many waits at
/// once; more threads than this gain nothing on one disk and cost memory.
const WRITERS: usize = 8;

/// What enforcing one resource gave, and how long it took.
pub(super) struct Walked {
    /// Its position in the catalog.
    pub(super) place: usize,
    /// What it gave.
    pub(super) enforced: Enforced,
    /// How long it took; for one of a transaction, how long that took.
    pub(super) took: Duration,
}

/// Enforces resources; those that a run that is to end did not reach are missing in the result.
pub(super) type Enforce = fn(&Task<'_>, &[usize]) -> Vec<Walked>;

/// One after the other.
pub(super) fn one_by_one(task: &Task<'_>, places: &[usize]) -> Vec<Walked> {
    let enforced = |&place: &usize| enforce_one(task, place);
    places.iter().map(enforced).collect()
}

fn enforce_one(task: &Task<'_>, place: usize) -> Walked {
    let begun = Instant::now();
    let enforced = harness::enforce(&task.catalog.resources[place].spec, task.host);
    Walked {
        place,
        enforced,
        took: begun.elapsed(),
    }
}

/// In one transaction.
pub(super) fn together(task: &Task<'_>, places: &[usize]) -> Vec<Walked> {
    let begun = Instant::now();
    let spec = |&place: &usize| &task.catalog.resources[place].spec;
    let specs: Vec<&Spec> = places.iter().map(spec).collect();
    let enforced = harness::enforce_batch(&specs, task.host);
    let took = begun.elapsed();
    let result = |(&place, enforced)| Walked {
        place,
        enforced,
        took,
    };
    places.iter().zip(enforced).map(result).collect()
}

/// Side by side, until the run is to end.
pub(super) fn side_by_side(task: &Task<'_>, places: &[usize]) -> Vec<Walked> {
    if places.len() == 1 {
        return one_by_one(task, places);
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(places.len()));
    let write = || {
        loop {
            if task.stop.asked() {
                return;
            }
            let taken = places.get(next.fetch_add(1, Ordering::Relaxed));
            let Some(&place) = taken else { return };
            let result = enforce_one(task, place);
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results.push(result);
        }
    };
    let settled = task.host.together(&mut || {
        std::thread::scope(|scope| {
            for _ in 1..WRITERS.min(places.len()) {
                scope.spawn(write);
            }
            write();
        });
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Err(error) = settled {
        let error = chain(&error);
        results.iter_mut().for_each(|result| fail(result, &error));
    }
    results.sort_unstable_by_key(|result| result.place);
    results
}

/// What changed is not known to last: the disk refused the folder that holds it.
fn fail(result: &mut Walked, why: &str) {
    if let Enforced::Changed(shown) = &mut result.enforced {
        let error = HostError::path("save", "what was changed", io::Error::other(why.to_owned()));
        result.enforced = Enforced::Failed {
            tried: Some(std::mem::take(shown)),
            error,
        };
    }
}
