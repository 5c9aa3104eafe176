//! Which life of the state folder this is, and how many reports it has numbered.
//!
//! The server counts each report once by these two. A number is on disk as used before anything
//! bears it: a crash leaves a gap, never a number twice.

use holdfast_schemas::report::ReportId;
use serde::{Deserialize, Serialize};

use crate::durable::{self, DiskError};
use crate::said::chain;
use crate::state::{StateDir, StateError};

/// Bytes of an incarnation: no two state folders of a fleet draw the same.
const INCARNATION_BYTES: usize = 16;

/// The life of a state folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Life {
    incarnation: String,
    used: u64,
}

impl Life {
    /// Begins a life: at the first run, and at every enrolment (a copied state folder, a golden
    /// image, becomes a host of its own).
    pub(crate) fn begin(state: &StateDir) -> Result<Self, StateError> {
        let life = Self::draw();
        durable::write_json(&state.life(), &life)?;
        Ok(life)
    }

    /// The life of a state folder, begun if it has none. One that cannot be read ends: which
    /// numbers it has used is not known, and another life uses none of them again.
    pub(crate) fn of(state: &StateDir) -> Result<Self, StateError> {
        match durable::read_json::<Self>(&state.life()) {
            Ok(Some(life)) if life.used < u64::MAX => Ok(life),
            Ok(Some(_) | None) => Self::begin(state),
            Err(damaged @ DiskError::Damaged { .. }) => {
                tracing::error!(
                    error = chain(&damaged),
                    "reports are numbered anew, in a new life"
                );
                Self::begin(state)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The life of a state folder as far as it can be told without writing.
    pub(crate) fn peek(state: &StateDir) -> Self {
        let known = durable::read_json(&state.life()).ok().flatten();
        known.unwrap_or_else(Self::draw)
    }

    /// The next number, on disk as used.
    pub(crate) fn next(&mut self, state: &StateDir) -> Result<ReportId, StateError> {
        self.used += 1;
        durable::write_json(&state.life(), self)?;
        Ok(self.id(self.used))
    }

    /// The name of a report that is never sent: no number is spent on it.
    pub(crate) fn unsent(&self) -> ReportId {
        self.id(0)
    }

    fn id(&self, sequence: u64) -> ReportId {
        ReportId {
            incarnation: self.incarnation.clone(),
            sequence,
        }
    }

    fn draw() -> Self {
        let mut bytes = [0_u8; INCARNATION_BYTES];
        if getrandom::fill(&mut bytes).is_err() {
            // Early in boot there may be no entropy yet: process, time and address space differ.
            let seed = format!("{:?} {}", std::time::SystemTime::now(), std::process::id());
            bytes.copy_from_slice(&blake3::hash(seed.as_bytes()).as_bytes()[..INCARNATION_BYTES]);
        }
        Self {
            incarnation: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            used: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn no_number_is_used_twice_whatever_the_file_says() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(folder.path());
        let first = Life::of(&state).unwrap().next(&state).unwrap();
        let second = Life::of(&state).unwrap().next(&state).unwrap();
        assert_eq!(second.incarnation, first.incarnation);
        assert_eq!((first.sequence, second.sequence), (1, 2));
        let incarnation = &first.incarnation;
        let spent = format!(r#"{{"incarnation":"{incarnation}","used":{}}}"#, u64::MAX);
        for damaged in ["", "{", &spent] {
            std::fs::write(state.life(), damaged).unwrap();
            let next = Life::of(&state).unwrap().next(&state).unwrap();
            assert_ne!(next.incarnation, first.incarnation);
            assert_eq!(next.sequence, 1);
        }
    }
}
