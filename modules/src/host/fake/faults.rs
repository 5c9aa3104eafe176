//! Things that go wrong on a fake host, at a place of the test's choosing.

use std::io;

use crate::host::HostError;

/// A change that fails: the one with this number, counted from the first that the host is asked
/// for after the fault is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// How many changes succeed before.
    pub after: u64,
    /// What the system says: `ENOSPC`, `EIO`, …
    pub errno: nix::errno::Errno,
}

/// Counts changes and fails the one that is to fail.
#[derive(Debug, Default)]
pub(super) struct Faults {
    fault: Option<Fault>,
    changes: u64,
}

impl Faults {
    pub(super) fn set(&mut self, fault: Option<Fault>) {
        *self = Self { fault, changes: 0 };
    }

    /// One more change is asked for.
    pub(super) fn change(&mut self, action: &'static str, path: &str) -> Result<(), HostError> {
        let number = self.changes;
        self.changes += 1;
        match self.fault {
            Some(fault) if fault.after == number => {
                Err(HostError::path(action, path, io::Error::from(fault.errno)))
            }
            _ => Ok(()),
        }
    }
}
