//! The last run in short: what monitoring reads, what `status` shows, and what tells whether the
//! next report would say anything new.
//!
//! Anybody may read `last-run.json`: it holds times, counts and names. What the last report said
//! is a digest in a file of its own, for root alone: who guesses at a secret could prove it by that.

use holdfast_schemas::Digest;
use holdfast_schemas::agent_api;
use holdfast_schemas::report::{Counts, Report, ReportId, RunMode, RunStatus};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::durable;
use crate::report;
use crate::state::{StateDir, StateError};

/// The last run in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LastRun {
    /// When it ended.
    pub(crate) at: Timestamp,
    /// What it was for.
    pub(crate) mode: RunMode,
    /// Its outcome.
    pub(crate) status: RunStatus,
    /// Resources by outcome.
    pub(crate) counts: Counts,
    /// Generation of the catalog.
    pub(crate) generation: u64,
    /// Digest of the catalog.
    pub(crate) catalog: Digest,
    /// Notifications still owed.
    pub(crate) pending: usize,
    /// Why it could not be carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// The report that still describes the host, for the server.
    #[serde(skip)]
    pub(crate) told: Option<Told>,
}

/// The newest report for the server, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    /// Which.
    pub(crate) report: ReportId,
    /// What it says, without when.
    pub(crate) gist: Digest,
}

impl LastRun {
    /// The last run of a state folder; one that cannot be read counts as none.
    pub(crate) fn load(state: &StateDir) -> Option<Self> {
        let read = durable::read_json(&state.last_run());
        if let Err(error) = &read {
            tracing::warn!(%error, "the last run is not known");
        }
        let told = durable::read_json(&state.told()).ok().flatten();
        read.ok().flatten().map(|run| Self { told, ..run })
    }

    /// The run that a report is about.
    pub(crate) fn of(report: &Report, told: Option<Told>) -> Self {
        Self {
            at: Timestamp::now(),
            mode: report.mode,
            status: report.status,
            counts: report.counts,
            generation: report.generation,
            catalog: report.catalog,
            pending: report.pending.len(),
            error: report.error.clone(),
            told,
        }
    }

    /// Keeps it.
    pub(crate) fn save(&self, state: &StateDir) -> Result<(), StateError> {
        let known: Option<Told> = durable::read_json(&state.told()).ok().flatten();
        if let Some(told) = self
            .told
            .as_ref()
            .filter(|told| known.as_ref() != Some(told))
        {
            durable::write_json(&state.told(), told)?;
        }
        Ok(durable::write_open_json(&state.last_run(), self)?)
    }

    /// What the next check-in says of it.
    pub(crate) fn for_check_in(&self) -> Option<agent_api::LastRun> {
        self.told.as_ref().map(|told| agent_api::LastRun {
            report: told.report.clone(),
            at: self.at,
        })
    }

    /// Whether a report says nothing that the server was not told already.
    pub(crate) fn says_the_same(&self, next: &Report) -> bool {
        let told = self.told.as_ref().map(|told| told.gist);
        !report::is_event(next) && told == Some(report::gist(next))
    }
}
