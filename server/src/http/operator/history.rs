//! Histories, newest first: reports, and what drifted.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use holdfast_schemas::operator_api::{DriftEvent, Page, StoredReport};
use holdfast_store::{Store, StoreError, with};
use serde::Serialize;

use super::PageAsked;
use crate::context::Server;
use crate::http::Refusal;

/// A page ends early beyond so many bytes: a report may have 8 MiB, a page a thousand of them.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Rows read from the store at a time.
const STRIDE: usize = 8;

/// `GET /v1/reports`.
pub(in crate::http) async fn reports(
    State(server): State<Arc<Server>>,
    asked: PageAsked,
) -> Result<Json<Page<StoredReport>>, Refusal> {
    let page = with(&server.store, move |store: &dyn Store| {
        fill(asked.after, asked.limit, |after, limit| {
            store.reports(asked.host.as_ref(), after, limit)
        })
    });
    Ok(Json(page.await?))
}

/// `GET /v1/drift`.
pub(in crate::http) async fn drift(
    State(server): State<Arc<Server>>,
    asked: PageAsked,
) -> Result<Json<Page<DriftEvent>>, Refusal> {
    let page = with(&server.store, move |store: &dyn Store| {
        fill(asked.after, asked.limit, |after, limit| {
            store.drift(asked.host.as_ref(), after, limit)
        })
    });
    Ok(Json(page.await?))
}

/// Reads rows until there are enough of them, or enough bytes.
fn fill<T: Serialize>(
    mut after: Option<String>,
    limit: usize,
    read: impl Fn(Option<&str>, usize) -> Result<Page<T>, StoreError>,
) -> Result<Page<T>, StoreError> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    loop {
        let page = read(after.as_deref(), STRIDE.min(limit - rows.len()))?;
        bytes += page.rows.iter().map(length).sum::<usize>();
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() || rows.len() >= limit || bytes >= PAGE_BYTES {
            return Ok(Page { rows, next: after });
        }
    }
}

/// Bytes of a row on the wire.
fn length(row: &impl Serialize) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // What does not serialise fails again, and is said, when it is answered.
    let _ = serde_json::to_writer(&mut count, row);
    count.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_page_is_bounded_in_rows_and_bytes_and_the_next_goes_on() {
        let rows: Vec<String> = (0..30)
            .map(|n| format!("{n}{}", "x".repeat(1 << 20)))
            .collect();
        let read = |after: Option<&str>, limit: usize| {
            let first = after.map_or(0, |after| after.parse::<usize>().unwrap());
            let last = rows.len().min(first + limit);
            Ok(Page {
                rows: rows[first..last].to_vec(),
                next: (last < rows.len()).then(|| last.to_string()),
            })
        };
        let page = fill(None, 100, read).unwrap();
        assert_eq!((page.rows.len(), page.next.as_deref()), (8, Some("8")));
        let page = fill(Some("28".to_owned()), 100, read).unwrap();
        assert_eq!((page.rows.len(), page.next), (2, None));
        let page = fill(None, 3, read).unwrap();
        assert_eq!((page.rows.len(), page.next.as_deref()), (3, Some("3")));
    }
}
