//! Heartbeats that are only in memory: ten thousand check-ins a second are not worth an fsync each.

use std::collections::HashMap;
use std::sync::Mutex;

use holdfast_schemas::HostName;

use crate::keyed::locked;
use crate::{Heartbeat, HostRecord};

/// The latest unwritten heartbeat of each host; one entry per enrolled host at most.
#[derive(Default)]
pub(super) struct Beats(Mutex<HashMap<HostName, Heartbeat>>);

impl Beats {
    /// Takes in a heartbeat. One that confirms nothing does not take back what an earlier one
    /// confirmed.
    pub(super) fn hear(&self, name: &HostName, mut beat: Heartbeat) {
        let mut beats = locked(&self.0);
        if let Some(earlier) = beats.get(name) {
            beat.seen = beat.seen.max(earlier.seen);
            beat.accepted = beat.accepted.max(earlier.accepted);
            beat.confirms = beat.confirms.or_else(|| earlier.confirms.clone());
        }
        beats.insert(name.clone(), beat);
    }

    /// The unwritten heartbeat of a host.
    pub(super) fn of(&self, name: &HostName) -> Option<Heartbeat> {
        locked(&self.0).get(name).cloned()
    }

    /// Brings a record that was read up to date.
    pub(super) fn apply(&self, mut record: HostRecord) -> HostRecord {
        if let Some(beat) = locked(&self.0).get(&record.name) {
            record.hear(beat);
        }
        record
    }

    /// All that is unwritten.
    pub(super) fn all(&self) -> Vec<(HostName, Heartbeat)> {
        let beats = locked(&self.0);
        let all = beats.iter();
        all.map(|(name, beat)| (name.clone(), beat.clone()))
            .collect()
    }

    /// Forgets those that were written and not overtaken since.
    pub(super) fn written(&self, done: &[(HostName, Heartbeat)]) {
        let mut beats = locked(&self.0);
        for (name, beat) in done {
            if beats.get(name) == Some(beat) {
                beats.remove(name);
            }
        }
    }

    /// Forgets a host.
    pub(super) fn forget(&self, name: &HostName) {
        locked(&self.0).remove(name);
    }
}
