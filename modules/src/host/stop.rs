//! A run that is asked to end: who does the work looks here, and so does whoever waits for a
//! command.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Set when a run was asked to end: it does so after the resource at hand.
///
/// Commands that an operator wrote end with the run: their process groups are known here while
/// they run. What must not be broken off (a package manager, a change of accounts) is not.
#[derive(Debug, Default)]
pub struct Stop {
    asked: AtomicBool,
    groups: Mutex<BTreeSet<i32>>,
}

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Kills the commands that end with the run: it is not waited for any more.
    pub fn kill_commands(&self) {
        self.ask();
        for group in self.groups().iter() {
            // One that has just ended is not there any more.
            let _ = killpg(Pid::from_raw(*group), Signal::SIGKILL);
        }
    }

    /// A command that ends with the run has begun; it has as long as the guard lives.
    pub(super) fn running(&self, group: Pid) -> Running<'_> {
        let group = group.as_raw();
        self.groups().insert(group);
        Running { stop: self, group }
    }

    fn groups(&self) -> MutexGuard<'_, BTreeSet<i32>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A command that runs.
pub(super) struct Running<'s> {
    stop: &'s Stop,
    group: i32,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.stop.groups().remove(&self.group);
    }
}
