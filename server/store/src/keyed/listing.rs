//! Pages of reports and drift events, newest first.

use holdfast_schemas::HostName;
use holdfast_schemas::operator_api::{DriftEvent, Page, StoredReport};
use holdfast_schemas::report::{Report, ReportId};
use jiff::Timestamp;

use super::history::{self, EventRow, Head, Row};
use super::{Engine, KeyedStore, PAGE_BYTES, Scan, keys, parse};
use crate::{MAX_PAGE, StoreError};

/// A report that was read, and how many bytes that took.
struct Read {
    stored: StoredReport,
    bytes: usize,
}

impl<E: Engine> KeyedStore<E> {
    pub(super) fn list_reports(
        &self,
        host: Option<&HostName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<StoredReport>, StoreError> {
        let prefix = host.map_or_else(|| keys::NEWEST.to_owned(), keys::newest_of);
        let (rows, mut next) = self.rows(&prefix, after, limit)?;
        let mut reports = Vec::with_capacity(rows.len());
        let mut bytes = 0;
        for (key, row) in rows {
            let row: Row = parse(&key, &row)?;
            // One that was pruned since the list was read is not in it.
            let Some(read) = self.read_report(&row.host, &row.id)? else {
                continue;
            };
            bytes += read.bytes;
            reports.push(read.stored);
            if bytes > PAGE_BYTES {
                next = Some(keys::cursor_of(&key).to_owned());
                break;
            }
        }
        Ok(Page {
            rows: reports,
            next,
        })
    }

    pub(super) fn list_drift(
        &self,
        host: Option<&HostName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<DriftEvent>, StoreError> {
        let prefix = host.map_or_else(|| keys::EVENTS.to_owned(), keys::events_of);
        let (rows, next) = self.rows(&prefix, after, limit)?;
        let mut events = Vec::with_capacity(rows.len());
        // Events of one report stand together: a long report is read once.
        let mut last: Option<StoredReport> = None;
        for (key, _) in rows {
            let key = format!("{}{}", keys::EVENTS, keys::cursor_of(&key));
            match self.read::<EventRow>(&key)? {
                Some(EventRow::Event(event)) => events.push(event),
                Some(EventRow::InReport { host, id, resource }) => {
                    events.extend(self.long_event(&mut last, &host, &id, resource)?);
                }
                None => {}
            }
        }
        Ok(Page { rows: events, next })
    }

    /// Rows of a list and, unless it ends with them, where to go on.
    #[allow(clippy::type_complexity)]
    fn rows(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<(String, Vec<u8>)>, Option<String>), StoreError> {
        let after = after.map(keys::checked_cursor).transpose()?;
        let after = after.map(|cursor| format!("{prefix}{cursor}"));
        let limit = limit.clamp(1, MAX_PAGE);
        // One more than asked for tells whether there is another page.
        let scan = Scan::newest_first(prefix, after.as_deref(), limit + 1);
        let mut rows = self.engine.scan(&scan)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next = last.map(|(key, _)| keys::cursor_of(key).to_owned());
        Ok((rows, next))
    }

    fn read_report(&self, host: &HostName, id: &ReportId) -> Result<Option<Read>, StoreError> {
        let keys = keys::report(host, id)?;
        let Some(head) = self.read::<Head>(&keys.head)? else {
            return Ok(None);
        };
        let Some(body) = self.engine.get(&keys.body)? else {
            return Ok(None);
        };
        let report: Report = parse(&keys.body, &body)?;
        let confirmed = self.confirmed(&head)?;
        Ok(Some(Read {
            stored: StoredReport {
                received: head.received,
                confirmed,
                report,
            },
            bytes: body.len(),
        }))
    }

    /// Until when a report held: the host's record knows it of the last one.
    fn confirmed(&self, head: &Head) -> Result<Timestamp, StoreError> {
        if let Some(confirmed) = head.confirmed {
            return Ok(confirmed);
        }
        let host = self.read_host(&head.host)?;
        let last = host.and_then(|host| host.reported);
        let last = last.filter(|last| last.report == head.id);
        Ok(last.map_or(head.received, |last| last.confirmed))
    }

    fn long_event(
        &self,
        last: &mut Option<StoredReport>,
        host: &HostName,
        id: &ReportId,
        resource: usize,
    ) -> Result<Option<DriftEvent>, StoreError> {
        let same = |stored: &StoredReport| stored.report.host == *host && stored.report.id == *id;
        if !last.as_ref().is_some_and(same) {
            *last = self.read_report(host, id)?.map(|read| read.stored);
        }
        let event = last.as_ref().and_then(|stored| {
            let found = stored.report.resources.get(resource)?;
            history::event(&stored.report, found, stored.received)
        });
        Ok(event)
    }
}
