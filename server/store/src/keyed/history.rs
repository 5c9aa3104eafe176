//! Reports and the drift in them: how they are kept, each once.

use holdfast_schemas::operator_api::DriftEvent;
use holdfast_schemas::report::{Cause, MAX_REPORT, Outcome, Report, ReportId, ResourceReport};
use holdfast_schemas::{Digest, HostName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;

use super::keys::{self, ReportKeys};
use super::{Engine, KeyedStore, Prepared, Txn, txn};
use crate::{Appended, HostRecord, Reported, StoreError};

/// Most drift events kept apart of one report; the report itself has all. A host on which more
/// drifted at once was not tampered with but replaced.
const MAX_EVENTS: usize = 1000;

/// Longest drift event kept beside its report, in bytes; of longer ones the place in the report
/// is kept. It stays in the record, so that a transaction writes no file.
const MAX_EVENT: usize = 3 * 1024;

/// What is short about a report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) host: HostName,
    pub(super) id: ReportId,
    /// Its number in the order reports came.
    pub(super) order: u64,
    pub(super) received: Timestamp,
    /// When the host last said that it is still so; set when the next report arrives. Until then
    /// the host's record has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) confirmed: Option<Timestamp>,
    /// Digest of the report's JSON: tells a retry from a fork.
    pub(super) digest: Digest,
    /// How many drift events were kept.
    pub(super) events: u32,
}

/// A row of the lists of reports.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) host: HostName,
    pub(super) id: ReportId,
    pub(super) received: Timestamp,
    /// 1 for the first report of the host: tells how many there are without counting.
    pub(super) nth: u64,
}

/// A row of the list of drift events.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EventRow {
    /// The event.
    Event(DriftEvent),
    /// It is long: where it stands in its report.
    InReport {
        host: HostName,
        id: ReportId,
        resource: usize,
    },
}

/// How many reports a host ever sent, under the host's name.
fn count_key(host: &HostName) -> String {
    format!("k/{host}")
}

/// Everything about a report that can be worked out before the transaction.
struct Entry {
    report: Report,
    received: Timestamp,
    keys: ReportKeys,
    digest: Digest,
    body: Prepared,
    events: Vec<EventRow>,
}

impl<E: Engine> KeyedStore<E> {
    pub(super) fn append(
        &self,
        report: Report,
        received: Timestamp,
    ) -> Result<Appended, StoreError> {
        let keys = keys::report(&report.host, &report.id)?;
        let bytes = txn::encode(&keys.body, &report)?;
        if bytes.len() > MAX_REPORT {
            return Err(StoreError::Refused(format!(
                "the report has {} bytes, at most {MAX_REPORT} are kept",
                bytes.len()
            )));
        }
        let digest = Digest::of(&bytes);
        // The transaction decides; this only spares a retry the writing of the body.
        if let Some(head) = self.read::<Head>(&keys.head)? {
            return Ok(known(&head, &digest));
        }
        if self.engine.get(&keys::host(&report.host))?.is_none() {
            return Err(StoreError::UnknownHost(report.host));
        }
        let events = events(&report, received)?;
        let body = self.engine.prepare(&keys.body, bytes)?;
        let entry = Entry {
            report,
            received,
            keys,
            digest,
            body,
            events,
        };
        let beat = self.beats.of(&entry.report.host);
        let numbers = std::sync::Arc::clone(&self.order);
        self.transact(move |txn| {
            if let Some(head) = txn.read::<Head>(&entry.keys.head)? {
                return Ok(known(&head, &entry.digest));
            }
            let host_key = keys::host(&entry.report.host);
            let Some(mut host) = txn.read::<HostRecord>(&host_key)? else {
                return Err(StoreError::UnknownHost(entry.report.host));
            };
            if let Some(beat) = &beat {
                host.hear(beat);
            }
            close_last(txn, &host)?;
            let order = numbers.fetch_add(1, Ordering::SeqCst) + 1;
            take_up(&mut host, &entry);
            txn.write(&host_key, &host)?;
            write(txn, entry, order)?;
            Ok(Appended::New)
        })
    }
}

fn known(head: &Head, digest: &Digest) -> Appended {
    if head.digest == *digest {
        Appended::Known
    } else {
        Appended::Forked
    }
}

/// Writes into the host's last report until when it held, now that another follows.
fn close_last(txn: &mut Txn<'_>, host: &HostRecord) -> Result<(), StoreError> {
    let Some(last) = &host.reported else {
        return Ok(());
    };
    let keys = keys::report(&host.name, &last.report)?;
    if let Some(mut head) = txn.read::<Head>(&keys.head)? {
        head.confirmed = Some(last.confirmed);
        txn.write(&keys.head, &head)?;
    }
    Ok(())
}

/// Makes the report the host's last, unless it is a late one of the same life.
fn take_up(host: &mut HostRecord, entry: &Entry) {
    let report = &entry.report;
    let late = host.reported.as_ref().is_some_and(|last| {
        last.report.incarnation == report.id.incarnation
            && last.report.sequence > report.id.sequence
    });
    host.seen = host.seen.max(Some(entry.received));
    if late {
        return;
    }
    host.reported = Some(Reported {
        generation: report.generation,
        catalog: report.catalog,
        report: report.id.clone(),
        mode: report.mode,
        received: entry.received,
        confirmed: entry.received,
        status: report.status,
        counts: report.counts,
    });
}

/// Writes the report, its places in the lists, and its drift events.
fn write(txn: &mut Txn<'_>, entry: Entry, order: u64) -> Result<(), StoreError> {
    let host = &entry.report.host;
    let count_key = count_key(host);
    let nth = txn.read::<u64>(&count_key)?.unwrap_or(0) + 1;
    txn.write(&count_key, &nth)?;
    let head = Head {
        host: host.clone(),
        id: entry.report.id.clone(),
        order,
        received: entry.received,
        confirmed: None,
        digest: entry.digest,
        events: u32::try_from(entry.events.len()).unwrap_or(u32::MAX),
    };
    let row = Row {
        host: host.clone(),
        id: entry.report.id.clone(),
        received: entry.received,
        nth,
    };
    txn.write(&entry.keys.head, &head)?;
    txn.put(&entry.keys.body, entry.body);
    let place = keys::place(order);
    txn.write(&format!("{}{place}", keys::NEWEST), &row)?;
    txn.write(&format!("{}{place}", keys::newest_of(host)), &row)?;
    let of_host = keys::events_of(host);
    for (index, event) in (0..).zip(&entry.events) {
        let place = keys::event_place(order, index);
        txn.write(&format!("{}{place}", keys::EVENTS), event)?;
        txn.write(&format!("{of_host}{place}"), &())?;
    }
    Ok(())
}

/// Removes a report with all that was written of it, unless it is its host's last.
pub(super) fn remove(txn: &mut Txn<'_>, row: &Row, place: &str) -> Result<bool, StoreError> {
    let host = txn.read::<HostRecord>(&keys::host(&row.host))?;
    let last = host.and_then(|host| host.reported);
    if last.is_some_and(|last| last.report == row.id) {
        return Ok(false);
    }
    let keys = keys::report(&row.host, &row.id)?;
    if let Some(head) = txn.read::<Head>(&keys.head)? {
        let of_host = keys::events_of(&row.host);
        for index in 0..head.events {
            let place = keys::event_place(head.order, index);
            txn.remove(&format!("{}{place}", keys::EVENTS));
            txn.remove(&format!("{of_host}{place}"));
        }
    }
    txn.remove(&keys.head);
    txn.remove(&keys.body);
    txn.remove(&format!("{}{place}", keys::NEWEST));
    txn.remove(&format!("{}{place}", keys::newest_of(&row.host)));
    Ok(true)
}

/// Removes what a host leaves beside its reports.
pub(super) fn remove_rest(txn: &mut Txn<'_>, host: &HostName) {
    txn.remove(&keys::host(host));
    txn.remove(&keys::inventory(host));
    txn.remove(&keys::facts(host));
    txn.remove(&count_key(host));
}

/// The drift in a report: what left the desired state, or may have.
fn events(report: &Report, received: Timestamp) -> Result<Vec<EventRow>, StoreError> {
    let drifted =
        |resource: &ResourceReport| matches!(resource.cause, Some(Cause::Drift | Cause::Unknown));
    let found = report.resources.iter().enumerate();
    let found = found.filter(|(_, resource)| drifted(resource));
    let row = |(place, resource): (usize, &ResourceReport)| {
        let Some(event) = event(report, resource, received) else {
            return Ok(None);
        };
        let long = txn::encode(&resource.id.to_string(), &event)?.len() > MAX_EVENT;
        Ok(Some(if long {
            EventRow::InReport {
                host: report.host.clone(),
                id: report.id.clone(),
                resource: place,
            }
        } else {
            EventRow::Event(event)
        }))
    };
    found
        .take(MAX_EVENTS)
        .filter_map(|resource| row(resource).transpose())
        .collect()
}

/// The event that a resource's report tells of; `None` if it did not differ.
pub(super) fn event(
    report: &Report,
    resource: &ResourceReport,
    received: Timestamp,
) -> Option<DriftEvent> {
    Some(DriftEvent {
        received,
        host: report.host.clone(),
        resource: resource.id.clone(),
        cause: resource.cause?,
        mended: resource.outcome == Outcome::Changed,
        changes: resource.changes.clone(),
        report: report.id.clone(),
        run: report.status,
    })
}
