//! What the server has on record: the only witness that the story believes, beside the hosts'
//! own files.

use std::time::Duration;

use holdfast_client::PageRequest;
use holdfast_schemas::operator_api::{DriftEvent, StoredReport};
use holdfast_schemas::report::{Cause, Report, ResourceReport, RunStatus};
use jiff::Timestamp;

use super::error::DemoError;
use super::fleet::{self, HOSTS, REGION_FILE};
use super::stage::{Look, Serving, Stage, Wait};

/// Longest wait for any step, on a machine with better things to do; each takes a second or two.
pub(super) const STEP: Duration = Duration::from_secs(60);

/// How many reports of a host are looked through: more than it makes during a step.
const LAST_FEW: u32 = 20;

/// Waits until the server has the drift on record, and its report.
pub(super) async fn drift_on_record(
    stage: &mut Stage,
    serving: &Serving,
    host: &str,
    since: Timestamp,
) -> Result<(DriftEvent, Report), DemoError> {
    let host = fleet::name(host)?;
    let wait = Wait {
        what: "the record of the drift",
        by: "server",
        deadline: STEP,
    };
    stage
        .until(wait, async || {
            let events = serving
                .client
                .drift(Some(&host), PageRequest::default())
                .await?;
            let mut events = events.rows.into_iter();
            let event = events.find(|event| {
                event.cause == Cause::Drift && event.mended && event.received >= since
            });
            let Some(event) = event else {
                return Ok(Look::NotYet("no drift is on record".to_owned()));
            };
            let reports = serving
                .client
                .reports(Some(&host), PageRequest::default())
                .await?;
            let mut reports = reports.rows.into_iter();
            let stored = reports.find(|stored| stored.report.id == event.report);
            Ok(match stored {
                Some(stored) => Look::Here((event, stored.report)),
                None => Look::NotYet("the drift's report is not on record".to_owned()),
            })
        })
        .await
}

/// Waits until every host has a report as wanted. One of the last few is enough: on a slow
/// machine the next run may have reported before this looks.
pub(super) async fn every_host(
    stage: &mut Stage,
    serving: &Serving,
    what: &str,
    wanted: impl Fn(&Report) -> bool,
) -> Result<Vec<StoredReport>, DemoError> {
    let mut found = Vec::new();
    for host in HOSTS {
        let wait = Wait {
            what,
            by: host,
            deadline: STEP,
        };
        let name = fleet::name(host)?;
        let page = PageRequest {
            after: None,
            limit: Some(LAST_FEW),
        };
        let report = stage
            .until(wait, async || {
                let mut reports = serving.client.reports(Some(&name), page).await?.rows;
                let place = reports.iter().position(|stored| wanted(&stored.report));
                Ok(match (place, reports.first()) {
                    (Some(place), _) => Look::Here(reports.swap_remove(place)),
                    (None, Some(newest)) => Look::NotYet(instead(host, &newest.report)),
                    (None, None) => Look::NotYet(format!("{host} has not reported")),
                })
            })
            .await?;
        found.push(report);
    }
    Ok(found)
}

/// What a host reported instead of what is waited for.
fn instead(host: &str, report: &Report) -> String {
    let messages = report.resources.iter().filter_map(|resource| {
        let message = resource.message.as_ref()?;
        Some(format!("{}: {message}", resource.id))
    });
    let messages: Vec<String> = messages.chain(report.error.clone()).take(3).collect();
    let status = format!("{host} reported {:?}", report.status);
    match messages.is_empty() {
        true => status,
        false => format!("{status}; {}", messages.join("; ")),
    }
}

/// Whether a run left everything as wanted.
pub(super) fn is_settled(report: &Report) -> bool {
    matches!(report.status, RunStatus::InSync | RunStatus::Changed)
}

/// Whether a resource differed for this cause.
pub(super) fn is(resource: &ResourceReport, cause: Cause) -> bool {
    resource.cause == Some(cause)
}

/// What a report says of the region file.
pub(super) fn on_region_file(report: &Report) -> Option<&ResourceReport> {
    let mut resources = report.resources.iter();
    resources.find(|resource| resource.id.title() == REGION_FILE)
}
