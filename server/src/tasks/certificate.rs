//! Renews the server's own certificate while it runs.

use std::sync::Arc;
use std::time::Duration;

use super::{First, Schedule};
use crate::context::Server;
use crate::http::chain;
use crate::pki::TlsIdentity;

/// A certificate is renewed a month before its end, so a look twice a day misses none.
const PERIOD: Duration = Duration::from_secs(12 * 60 * 60);

pub(super) const SCHEDULE: Schedule = Schedule {
    period: PERIOD,
    bell: |nudges| &nudges.never,
    first: First::After(PERIOD),
};

pub(super) async fn step(server: Arc<Server>, tls: Arc<TlsIdentity>) {
    let refreshed = tokio::task::spawn_blocking(move || tls.refresh(&server.pki.authority)).await;
    match refreshed {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(error = %chain(&error), "cannot renew the server's certificate")
        }
        Err(error) => tracing::error!(%error, "cannot renew the server's certificate"),
    }
}
