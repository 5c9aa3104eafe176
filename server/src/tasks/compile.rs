//! Compiles the hosts whose catalog is due: they enrolled, their facts changed, or the server
//! started. Always against the revision that is served; another revision is `source`'s business.

use std::sync::Arc;
use std::time::Duration;

use holdfast_schemas::HostName;
use holdfast_store::StoreError;

use super::{First, Schedule, plan};
use crate::assign::{self, Step};
use crate::compile::{self, Wanted};
use crate::context::{Active, Server};
use crate::http::chain;

pub(super) const SCHEDULE: Schedule = Schedule {
    period: Duration::from_secs(30),
    bell: |nudges| &nudges.compile,
    first: First::AtOnce,
};

pub(super) async fn step(server: Arc<Server>) {
    let _turn = server.compiling.lock().await;
    let Some(active) = server.active.load_full() else {
        return;
    };
    let at_work = server.clone();
    match tokio::task::spawn_blocking(move || bring_up(&at_work, &active)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(error = %chain(&error), "cannot give hosts their catalogs")
        }
        Err(error) => tracing::error!(%error, "compiling hosts broke off"),
    }
}

/// Brings every host that is due up to the revision that is served.
fn bring_up(server: &Arc<Server>, active: &Active) -> Result<(), StoreError> {
    let revision = active.site.revision();
    let entries = server.hosts.all();
    let mut due: Vec<Wanted> = entries
        .iter()
        .map(|entry| compile::wanted(&entry.record()))
        .collect();
    let mut entries = entries.into_iter();
    due.retain(|host| {
        entries
            .next()
            .is_some_and(|entry| entry.is_due(&host.from(revision)))
    });
    if due.is_empty() {
        return Ok(());
    }
    let outcomes = compile::all(server, &active.site, &due)?;
    let steps = due.iter().zip(&outcomes);
    let steps: Vec<(HostName, Step)> = steps
        .filter_map(|(host, outcome)| Some((host.name.clone(), plan::step(host, outcome)?)))
        .collect();
    tell(&steps);
    assign::take(server, revision, steps)?;
    mark(server, revision, &due);
    Ok(())
}

/// Remembers what hosts were compiled from.
pub(super) fn mark(server: &Server, revision: &str, compiled: &[Wanted]) {
    for host in compiled {
        if let Some(entry) = server.hosts.get(&host.name) {
            entry.mark_compiled(host.from(revision));
        }
    }
}

/// Says what happens to single hosts, where an operator has to know.
pub(super) fn tell(steps: &[(HostName, Step)]) {
    for (name, step) in steps {
        match step {
            Step::Hold(reason) | Step::AskForFacts(reason) => {
                tracing::warn!(host.name = %name, reason, "the host is held at its last good catalog");
            }
            Step::Release => tracing::info!(host.name = %name, "the host's catalog compiles again"),
            Step::Assign(body) => {
                tracing::debug!(host.name = %name, catalog.digest = %body.digest, "a new catalog");
            }
        }
    }
}
