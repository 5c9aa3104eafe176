//! `holdfast reports`: what the runs of the agents found and did.

use std::time::Duration;

use holdfast_schemas::HostName;
use holdfast_schemas::operator_api::StoredReport;
use holdfast_schemas::report::{Counts, RunMode, RunStatus};
use jiff::Timestamp;

use crate::ask::ServerArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{Form, JsonSwitch, Output};
use crate::table::{Listing, Tone};
use crate::words;

/// Lists reports.
#[derive(Debug, Clone, clap::Args)]
pub struct Reports {
    /// Only of this host
    #[arg(long, value_name = "NAME")]
    host: Option<HostName>,
    /// How many, at most
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    json: JsonSwitch,
    #[command(flatten)]
    server: ServerArgs,
}

impl Reports {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let asking = self.server.open()?;
        let host = self.host.as_ref();
        let reports = asking.rows(self.limit as usize, async |page| {
            asking.client.reports(host, page).await
        })?;
        match self.json.form() {
            Form::Json => out.json(&reports.rows)?,
            Form::Text => {
                out.text(&table(&reports.rows, Timestamp::now()))?;
                if reports.more {
                    out.hint("there are older ones: --limit NUMBER shows more");
                }
            }
        }
        Ok(Exit::Fine)
    }
}

pub(crate) fn table(reports: &[StoredReport], now: Timestamp) -> String {
    if reports.is_empty() {
        return "no reports\n".to_owned();
    }
    let headings = [
        "RECEIVED",
        "HOST",
        "RUN",
        "STILL SO",
        "BECAUSE OF",
        "GENERATION",
        "RESOURCES",
        "TOOK",
        "REMARK",
    ];
    let mut listing = Listing::new(&headings);
    for stored in reports {
        listing.row(tone(stored.report.status), cells(stored, now));
    }
    listing.draw()
}

fn cells(stored: &StoredReport, now: Timestamp) -> [String; 9] {
    let report = &stored.report;
    let still = match stored.confirmed > stored.received {
        true => words::ago(stored.confirmed, now),
        false => String::new(),
    };
    let run = match report.mode {
        RunMode::Enforce => words::run_status(report.status).to_owned(),
        RunMode::NoOp => format!("{} (no-op)", words::run_status(report.status)),
        RunMode::Audit => format!("{} (audit)", words::run_status(report.status)),
    };
    let remark = report.error.clone().or_else(|| first_remark(stored));
    [
        words::ago(stored.received, now),
        report.host.to_string(),
        run,
        still,
        words::trigger(report.trigger).to_owned(),
        report.generation.to_string(),
        counts(&report.counts),
        words::took(Duration::from_millis(report.duration_ms)),
        words::short(&remark.unwrap_or_default(), 60),
    ]
}

/// The first resource, or role, that has something to say, and what.
fn first_remark(stored: &StoredReport) -> Option<String> {
    let mut health = stored.report.health.iter();
    if let Some(probe) = health.find(|probe| !probe.healthy) {
        let (role, name, seen) = (&probe.role, &probe.probe, &probe.seen);
        return Some(format!("role {role} is not well: {name}: {seen}"));
    }
    let mut resources = stored.report.resources.iter();
    resources.find_map(|resource| {
        let message = resource.message.as_ref()?;
        Some(format!("{}: {message}", resource.id))
    })
}

fn counts(counts: &Counts) -> String {
    let parts = [
        (counts.in_sync, "in sync"),
        (counts.changed, "changed"),
        (counts.drifted, "drifted"),
        (counts.not_converged, "not converged"),
        (counts.failed, "failed"),
        (counts.skipped, "skipped"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|&(count, _)| count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    parts.join(", ")
}

fn tone(status: RunStatus) -> Tone {
    match status {
        RunStatus::InSync => Tone::Good,
        RunStatus::Changed | RunStatus::Drifted => Tone::Notable,
        RunStatus::Failed | RunStatus::NotRun => Tone::Bad,
    }
}
