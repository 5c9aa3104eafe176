//! What becomes of a revision: it is read, parsed, compiled for every host, judged, and then
//! served or refused. All of it blocks, and one revision has its turn at a time.

use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;
use std::time::Instant;

use holdfast_catalog::{Diagnostics, Site};
use holdfast_schemas::operator_api::RefusedRevision;
use holdfast_schemas::{Digest, HostName};
use holdfast_source::{ContentSink, Revision, SinkError, Source as Repo, SourceError};
use holdfast_store::{BlobStore, StoreError, get_setting, keys, put_setting};
use jiff::Timestamp;

use super::{compile as due, plan};
use crate::assign::{self, Step};
use crate::compile::{self, Outcome, Wanted};
use crate::context::{Active, Revisions, Server};
use crate::fleet::blame::{Judgement, Tried, judge};
use crate::http::chain;

/// Why a head could not be judged; the next look tries again.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookError {
    #[error("cannot read the catalog repo; the last good revision stays")]
    Repo(#[from] SourceError),
    #[error("cannot store what the catalog repo holds; the last good revision stays")]
    Store(#[from] StoreError),
    #[error("reading the catalog repo broke off")]
    Lost(#[from] tokio::task::JoinError),
}

/// Judges the head of the repo, unless it is what is served.
pub(super) fn judge_head(
    server: &Arc<Server>,
    repo: &Repo,
    head: &Revision,
) -> Result<(), LookError> {
    if server.active.load().is_none() {
        resume(server, repo, head)?;
    }
    let active = server.active.load();
    if active
        .as_ref()
        .is_some_and(|active| active.site.revision() == head.as_str())
    {
        return Ok(forget_refusal(server)?);
    }
    take_up(server, repo, head)
}

/// After a restart: the revision that was served is read again, so that hosts whose facts change,
/// or that enrol, get its catalogs even while the newest commit is refused.
fn resume(server: &Arc<Server>, repo: &Repo, head: &Revision) -> Result<(), LookError> {
    let Some(served) = get_setting::<String>(server.store.as_ref(), keys::ACTIVE_REVISION)? else {
        return Ok(());
    };
    let revision = match head.as_str() == served {
        true => Ok(head.clone()),
        false => repo.resolve(&served),
    };
    let active = match revision {
        Ok(revision) => read(server, repo, &revision),
        Err(error) => Err(error.into()),
    };
    match active {
        Ok(Ok(active)) => server.active.store(Some(Arc::new(active))),
        Ok(Err(_)) => tracing::warn!(
            site.revision = served,
            "this version reads the revision that was served differently; hosts keep the catalogs they have"
        ),
        Err(LookError::Repo(error)) => {
            tracing::warn!(site.revision = served, error = %chain(&error),
            "the revision that was served cannot be read; hosts keep the catalogs they have")
        }
        Err(other) => return Err(other),
    }
    Ok(())
}

/// The head is what is served, so whatever was refused is not the newest any more.
fn forget_refusal(server: &Server) -> Result<(), StoreError> {
    let revisions = server.revisions.load_full();
    if revisions.refused.is_some() {
        server.store.put_setting(keys::REFUSED_REVISION, None)?;
        server.revisions.store(Arc::new(Revisions {
            refused: None,
            ..Revisions::clone(&revisions)
        }));
    }
    Ok(())
}

/// Reads a revision, with its content files into the blob store.
fn read(
    server: &Server,
    repo: &Repo,
    revision: &Revision,
) -> Result<Result<Active, Diagnostics>, LookError> {
    let mut sink = BlobSink {
        blobs: &server.blobs,
        contents: HashSet::new(),
    };
    let snapshot = repo.read(revision, &mut sink)?;
    let contents = sink.contents;
    Ok(Site::parse(&snapshot).map(|site| Active { site, contents }))
}

/// Content files on their way into the blob store.
struct BlobSink<'b> {
    blobs: &'b BlobStore,
    contents: HashSet<Digest>,
}

impl ContentSink for BlobSink<'_> {
    fn has(&mut self, digest: &Digest, _size: u64) -> Result<bool, SinkError> {
        self.contents.insert(*digest);
        Ok(self.blobs.contains(digest)?)
    }

    fn put(&mut self, digest: &Digest, size: u64, bytes: &mut dyn Read) -> Result<(), SinkError> {
        self.contents.insert(*digest);
        self.blobs.put_stream(bytes, Some(digest), size)?;
        Ok(())
    }
}

/// Judges a revision: serves it, or refuses it.
fn take_up(server: &Arc<Server>, repo: &Repo, head: &Revision) -> Result<(), LookError> {
    let started = Instant::now();
    let revision = head.as_str();
    let active = match read(server, repo, head)? {
        Ok(active) => active,
        Err(wrong) => return Ok(refuse(server, revision, wrong)?),
    };
    let fleet = compile::fleet(server, &active.site);
    let outcomes = compile::all(server, &active.site, &fleet)?;
    let declared: HashSet<&HostName> = active.site.hosts().collect();
    let pairs = || fleet.iter().zip(&outcomes);
    let tried: Vec<Tried> = pairs()
        .map(|(host, outcome)| plan::tried(host, outcome, declared.contains(&host.name)))
        .collect();
    if let Judgement::Refuse(hosts) = judge(&tried) {
        let hosts: HashSet<HostName> = hosts.into_iter().collect();
        return Ok(refuse(
            server,
            revision,
            diagnostics(&fleet, outcomes, &hosts),
        )?);
    }
    let steps: Vec<(HostName, Step)> = pairs()
        .filter_map(|(host, outcome)| Some((host.name.clone(), plan::step(host, outcome)?)))
        .collect();
    drop(declared);
    activate(server, revision, &fleet, steps)?;
    tracing::info!(
        site.revision = revision,
        hosts = fleet.len(),
        duration_ms = started.elapsed().as_millis() as u64,
        "serving"
    );
    server.active.store(Some(Arc::new(active)));
    Ok(())
}

/// What is wrong with the hosts that a revision is refused for.
fn diagnostics(
    fleet: &[Wanted],
    outcomes: Vec<Outcome>,
    to_blame: &HashSet<HostName>,
) -> Diagnostics {
    let mut wrong = Diagnostics::new();
    for (host, outcome) in fleet.iter().zip(outcomes) {
        if let Outcome::Fails(more) | Outcome::FailsByFacts(more) = outcome
            && to_blame.contains(&host.name)
        {
            wrong.extend(more);
        }
    }
    wrong
}

/// Makes a revision the one that is served. Its name goes first: after a crash in between, the
/// hosts that did not get their catalogs yet are due again under the same revision.
fn activate(
    server: &Arc<Server>,
    revision: &str,
    fleet: &[Wanted],
    steps: Vec<(HostName, Step)>,
) -> Result<(), StoreError> {
    put_setting(server.store.as_ref(), keys::ACTIVE_REVISION, &revision)?;
    server.store.put_setting(keys::REFUSED_REVISION, None)?;
    due::tell(&steps);
    // Before the hosts hear of it: whoever asks after a catalog finds its revision in the status.
    let before = server.revisions.swap(Arc::new(Revisions {
        active: Some(revision.to_owned()),
        refused: None,
    }));
    if let Err(error) = assign::take(server, revision, steps) {
        server.revisions.store(before);
        return Err(error);
    }
    due::mark(server, revision, fleet);
    Ok(())
}

fn refuse(server: &Server, revision: &str, wrong: Diagnostics) -> Result<(), StoreError> {
    let revisions = server.revisions.load_full();
    let before = revisions.refused.as_ref();
    let since = before
        .filter(|before| before.revision == revision)
        .map(|before| before.at);
    let refused = RefusedRevision {
        revision: revision.to_owned(),
        at: since.unwrap_or_else(Timestamp::now),
        diagnostics: plan::text(wrong),
    };
    if before == Some(&refused) {
        return Ok(());
    }
    tracing::error!(
        site.revision = revision,
        "the revision does not compile and is refused; the last good one stays\n{}",
        refused.diagnostics
    );
    put_setting(server.store.as_ref(), keys::REFUSED_REVISION, &refused)?;
    server.revisions.store(Arc::new(Revisions {
        active: revisions.active.clone(),
        refused: Some(refused),
    }));
    Ok(())
}
