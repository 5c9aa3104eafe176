//! Keeps what is remembered bounded: history beyond its retention goes, blobs that no catalog
//! names go, and heartbeats reach the disk now and then.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use holdfast_schemas::Digest;
use holdfast_store::{Pruned, Retention, StoreError, with};
use jiff::Timestamp;

use super::{First, Schedule};
use crate::context::Server;
use crate::http::{blobs_of, chain};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A crash forgets this much of when hosts were last heard of.
pub(super) const HEARTBEATS: Schedule = Schedule {
    period: Duration::from_secs(20),
    bell: |nudges| &nudges.never,
    first: First::After(Duration::from_secs(20)),
};

/// Soon after the start too: a server that is restarted every hour has a history all the same.
pub(super) const PRUNE: Schedule = Schedule {
    period: HOUR,
    bell: |nudges| &nudges.never,
    first: First::After(Duration::from_secs(60)),
};

/// The sweep reads the catalog of every host, so it is rare; but it comes every day, also to a
/// server that is restarted every night.
pub(super) const SWEEP: Schedule = Schedule {
    period: Duration::from_secs(24 * 60 * 60),
    bell: |nudges| &nudges.never,
    first: First::After(HOUR),
};

/// A blob that was put or looked for within this time stays, whoever names it: a revision is
/// being compiled, or an agent fetches what it was offered before the last commit.
const BLOB_GRACE: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn write_heartbeats(server: Arc<Server>) {
    if let Err(error) = with(&server.store, |store| store.write_heartbeats()).await {
        tracing::warn!(error = %chain(&error), "cannot write when hosts were last heard of");
    }
}

pub(super) async fn prune(server: Arc<Server>) {
    let pruned = with(&server.store, |store| {
        store.prune(Retention::default(), Timestamp::now())
    });
    match pruned.await {
        Ok(pruned) if pruned == Pruned::default() => {}
        Ok(pruned) => tracing::info!(
            pruned.reports,
            pruned.tokens,
            pruned.files,
            "threw away what is beyond the retention"
        ),
        Err(error) => tracing::warn!(error = %chain(&error), "cannot throw old history away"),
    }
}

pub(super) async fn sweep(server: Arc<Server>) {
    // What a revision is being compiled for is not named by anything yet.
    let _turn = server.compiling.clone().lock_owned().await;
    // Without a site it is not known what the next catalogs will name.
    let Some(active) = server.active.load_full() else {
        return;
    };
    let swept = tokio::task::spawn_blocking(move || {
        let mut used: HashSet<Digest> = active.contents.clone();
        for entry in server.hosts.all() {
            for held in entry.held().into_iter().flatten() {
                used.extend(held.sealed);
                if used.insert(held.body) {
                    used.extend(blobs_of(&server.blobs, &held.body)?.into_iter().flatten());
                }
            }
        }
        let before = SystemTime::now() - BLOB_GRACE;
        server.blobs.remove_unused(&used, before)
    });
    match swept
        .await
        .map_err(StoreFailure::Lost)
        .and_then(|swept| swept.map_err(StoreFailure::Store))
    {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "removed blobs that no catalog names"),
        Err(error) => {
            tracing::warn!(error = %chain(&error), "cannot remove blobs that no catalog names")
        }
    }
}

/// Work on another thread that failed, or was lost.
#[derive(Debug, thiserror::Error)]
enum StoreFailure {
    #[error(transparent)]
    Store(StoreError),
    #[error("the work was lost")]
    Lost(#[source] tokio::task::JoinError),
}
