//! From what an execution found to the document that says so.
//!
//! An [`Execution`] holds a line for everything that was not simply in sync; the wire form of the
//! report holds just these, and [`full`] adds the quiet ones for a person who asks for all.

mod limit;

use std::time::Instant;

use holdfast_modules::displayable;
use holdfast_schemas::catalog::Catalog;
use holdfast_schemas::report::{
    Certainty, CheckMode, Counts, HealthReport, Outcome, PendingRefresh, REPORT_FORMAT, Report,
    ReportId, ResourceReport, RunMode, RunStatus, Trigger,
};
use holdfast_schemas::resource::{Resource, ResourceId};
use holdfast_schemas::{Digest, HostName};
use jiff::Timestamp;

pub(crate) use limit::limit;

/// What came of executing a catalog.
#[derive(Debug, Default)]
pub(crate) struct Execution {
    /// Resources by outcome.
    pub(crate) counts: Counts,
    /// Everything that was not simply in sync, in the order of the catalog.
    pub(crate) lines: Vec<ResourceReport>,
    /// What the probes of roles found.
    pub(crate) health: Vec<HealthReport>,
    /// Notifications still owed.
    pub(crate) pending: Vec<PendingRefresh>,
    /// What Holdfast made and the catalog does not name.
    pub(crate) orphans: Vec<ResourceId>,
    /// How many were skipped for reasons that are no failure.
    pub(crate) blameless: u32,
    /// Why it ended before its end.
    pub(crate) error: Option<String>,
}

/// What a run is about, as its report names it.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// The host.
    pub(crate) host: HostName,
    /// Generation of the catalog; 0 for one from a file.
    pub(crate) generation: u64,
    /// Digest of the catalog's bytes.
    pub(crate) catalog: Digest,
    /// Whether it changes things.
    pub(crate) mode: RunMode,
    /// What set it off.
    pub(crate) trigger: Trigger,
}

/// When a run began, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun {
    at: Timestamp,
    clock: Instant,
}

impl Begun {
    /// Now.
    pub(crate) fn now() -> Self {
        Self {
            at: Timestamp::now(),
            clock: Instant::now(),
        }
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Execution {
    /// Takes the line of a resource, and counts it. What programs printed and what somebody named
    /// a file is in its messages: they must not steer the terminal they are read on.
    pub(crate) fn push(&mut self, mut line: ResourceReport) {
        self.count(line.outcome);
        line.message = line.message.as_deref().map(displayable);
        line.skipped_because = line.skipped_because.as_deref().map(displayable);
        if let Some(Certainty::Unknown(why)) = &mut line.certainty {
            *why = displayable(why);
        }
        self.lines.push(line);
    }

    /// Counts resources that were simply in sync.
    pub(crate) fn quiet(&mut self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.counts.total += count;
        self.counts.in_sync += count;
    }

    fn count(&mut self, outcome: Outcome) {
        self.counts.total += 1;
        let slot = match outcome {
            Outcome::InSync => &mut self.counts.in_sync,
            Outcome::Drifted => &mut self.counts.drifted,
            Outcome::Changed => &mut self.counts.changed,
            Outcome::NotConverged => &mut self.counts.not_converged,
            Outcome::Failed => &mut self.counts.failed,
            Outcome::Skipped => &mut self.counts.skipped,
        };
        *slot += 1;
    }

    /// The outcome as a whole.
    pub(crate) fn status(&self) -> RunStatus {
        let counts = &self.counts;
        let skipped = counts.skipped.saturating_sub(self.blameless);
        let unwell = self.health.iter().any(|probe| !probe.healthy);
        if self.error.is_some() || unwell || counts.failed + counts.not_converged + skipped > 0 {
            RunStatus::Failed
        } else if counts.changed > 0 {
            RunStatus::Changed
        } else if counts.drifted > 0 {
            RunStatus::Drifted
        } else {
            RunStatus::InSync
        }
    }

    /// The document.
    pub(crate) fn into_report(self, id: ReportId, subject: Subject, begun: Begun) -> Report {
        let status = self.status();
        Report {
            format: REPORT_FORMAT,
            host: subject.host,
            id,
            generation: subject.generation,
            catalog: subject.catalog,
            mode: subject.mode,
            trigger: subject.trigger,
            started: begun.at,
            duration_ms: begun.elapsed_ms(),
            status,
            counts: self.counts,
            resources: self.lines,
            health: self.health,
            pending: self.pending,
            orphans: self.orphans,
            error: self.error.as_deref().map(displayable),
        }
    }
}

/// The line of a resource that nothing has been said about yet.
pub(crate) fn line(resource: &Resource, mode: RunMode, outcome: Outcome) -> ResourceReport {
    ResourceReport {
        id: resource.id.clone(),
        kind: resource.id.kind(),
        mode: match mode {
            RunMode::Enforce => CheckMode::Enforce,
            RunMode::NoOp | RunMode::Audit => CheckMode::Check,
        },
        outcome,
        cause: None,
        certainty: None,
        changes: Vec::new(),
        diff: None,
        refreshed: false,
        skipped_because: None,
        message: None,
        duration_ms: 0,
    }
}

/// The same report with a line for every resource of its catalog, the quiet ones too.
pub(crate) fn full(mut report: Report, catalog: &Catalog) -> Report {
    let mode = report.mode;
    let mut told = std::mem::take(&mut report.resources).into_iter().peekable();
    let rest = |resource: &Resource| match told.next_if(|line| line.id == resource.id) {
        Some(line) => line,
        None => line(resource, mode, Outcome::InSync),
    };
    report.resources = catalog.resources.iter().map(rest).collect();
    report
}

/// What a report says, without when and how long: two runs with equal digests say the same.
pub(crate) fn gist(report: &Report) -> Digest {
    let mut gist = report.clone();
    gist.id.sequence = 0;
    gist.started = Timestamp::UNIX_EPOCH;
    gist.duration_ms = 0;
    gist.trigger = Trigger::Timer;
    for line in &mut gist.resources {
        line.duration_ms = 0;
    }
    for probe in &mut gist.health {
        probe.duration_ms = 0;
        probe.attempts = 0;
    }
    // A report holds only strings, numbers, lists and truth values: it always serialises.
    Digest::of(serde_json::to_vec(&gist).unwrap_or_default())
}

/// Notes of a run that it failed as a whole, too.
pub(crate) fn fail(report: &mut Report, error: &str) {
    report.status = RunStatus::Failed;
    report.error.get_or_insert_with(|| displayable(error));
}

/// Whether a run changed something or failed: such a report is always news, even when it reads
/// like the last (the same file mended twice is two drifts).
pub(crate) fn is_event(report: &Report) -> bool {
    matches!(report.status, RunStatus::Changed) || report.counts.changed > 0
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use holdfast_schemas::catalog::{CATALOG_FORMAT, Enforcement};
    use holdfast_schemas::report::Cause;
    use holdfast_schemas::resource::{Command, Exec, Kind, Spec};

    use super::*;

    pub(crate) fn an_exec(title: &str) -> Resource {
        Resource {
            id: ResourceId::new(Kind::Exec, title).unwrap(),
            spec: Spec::Exec(Exec {
                command: Command::Shell("true".to_owned()),
                creates: None,
                unless: None,
                only_if: None,
                refresh_only: false,
                always: true,
                cwd: None,
                env: Default::default(),
                run_as: None,
                timeout_s: None,
            }),
            requires: Vec::new(),
            subscribes: Vec::new(),
        }
    }

    fn subject() -> Subject {
        Subject {
            host: "web-1".parse().unwrap(),
            generation: 3,
            catalog: Digest::of("catalog"),
            mode: RunMode::Enforce,
            trigger: Trigger::Timer,
        }
    }

    pub(crate) fn a_report(sequence: u64, cause: Option<Cause>) -> Report {
        let mut execution = Execution::default();
        let mut told = line(&an_exec("one"), RunMode::Enforce, Outcome::Failed);
        told.cause = cause;
        execution.push(told);
        let id = ReportId {
            incarnation: "0".repeat(32),
            sequence,
        };
        execution.into_report(id, subject(), Begun::now())
    }

    #[test]
    fn the_gist_ignores_when_and_nothing_else() {
        let (mut one, mut two) = (a_report(1, None), a_report(2, None));
        two.duration_ms = 77;
        two.resources[0].duration_ms = 5;
        assert_eq!(gist(&one), gist(&two));
        two.resources[0].message = Some("another".to_owned());
        assert_ne!(gist(&one), gist(&two));
        one.generation += 1;
        assert_ne!(gist(&one), gist(&a_report(1, None)));
    }

    #[test]
    fn the_full_report_has_every_resource_in_order() {
        let resources: Vec<Resource> = ["zero", "one", "two"].map(an_exec).into();
        let catalog = Catalog {
            format: CATALOG_FORMAT,
            host: "web-1".parse().unwrap(),
            enforcement: Enforcement::Enforce,
            resources,
            health: Vec::new(),
        };
        let full = full(a_report(1, None), &catalog);
        let told: Vec<_> = full
            .resources
            .iter()
            .map(|line| (line.id.title(), line.outcome))
            .collect();
        use Outcome::{Failed, InSync};
        assert_eq!(told, [("zero", InSync), ("one", Failed), ("two", InSync)]);
    }

    #[test]
    fn what_a_program_printed_steers_no_terminal() {
        let mut execution = Execution::default();
        let mut told = line(&an_exec("a"), RunMode::Enforce, Outcome::Failed);
        told.message = Some("failed: \u{1b}]0;owned\u{7} \u{202e}txt".to_owned());
        execution.push(told);
        let message = execution.lines[0].message.clone().unwrap();
        assert_eq!(message, "failed: \u{241b}]0;owned\u{2407} \u{fffd}txt");
    }

    #[test]
    fn a_blameless_skip_is_no_failure() {
        let mut execution = Execution::default();
        execution.push(line(&an_exec("a"), RunMode::Enforce, Outcome::Skipped));
        assert_eq!(execution.status(), RunStatus::Failed);
        execution.blameless = 1;
        assert_eq!(execution.status(), RunStatus::InSync);
    }
}
