//! Gives hosts their catalogs: a generation, an envelope, a signature, on disk. All of it blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_schemas::catalog::{Catalog, Envelope, SealedBlob};
use holdfast_schemas::resource::{Content, Resource, Spec};
use holdfast_schemas::secret::SealingKey;
use holdfast_schemas::{Digest, HostName};
use holdfast_store::{Assigned, HostChange, HostRecord, StoreError};
use jiff::Timestamp;

use crate::context::Server;
use crate::fleet::offer::next_generation;

/// A catalog whose body is in the blob store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Digest of its bytes.
    pub digest: Digest,
    /// Their number.
    pub size: u64,
    /// What an agent must understand to apply it.
    pub features: Vec<String>,
    /// Its sealed contents, by what the catalog commits to; empty too where the host has it.
    pub sealed: BTreeMap<Digest, SealedBlob>,
    /// The key they are sealed to.
    pub sealed_to: Option<SealingKey>,
}

/// One step for one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It gets this catalog.
    Assign(Body),
    /// It is held at what it has, for this reason.
    Hold(String),
    /// It is held for this reason, and what is stored of its facts is forgotten: its agent hands
    /// them in anew.
    AskForFacts(String),
    /// It is not held any more; what it has is right.
    Release,
}

/// What a catalog with secrets demands.
const SEALED: &str = "sealed";

/// What a catalog with probes of roles demands.
const HEALTH: &str = "health";

fn is_sealed(resource: &Resource) -> bool {
    match &resource.spec {
        Spec::File(file) => matches!(file.content, Some(Content::Sealed { .. })),
        _ => false,
    }
}

/// What a catalog demands of an agent.
pub fn features(catalog: &Catalog) -> Vec<String> {
    let kinds = catalog.resources.iter().map(|resource| resource.id.kind());
    let mut features: Vec<String> = kinds.map(|kind| format!("type:{kind}")).collect();
    if catalog.resources.iter().any(is_sealed) {
        features.push(SEALED.to_owned());
    }
    if !catalog.health.is_empty() {
        features.push(HEALTH.to_owned());
    }
    features.sort_unstable();
    features.dedup();
    features
}

/// Takes steps for many hosts, all or none, and wakes who waits for news.
pub fn take(
    server: &Arc<Server>,
    revision: &str,
    steps: Vec<(HostName, Step)>,
) -> Result<(), StoreError> {
    if steps.is_empty() {
        return Ok(());
    }
    let names: Vec<HostName> = steps.iter().map(|(name, _)| name.clone()).collect();
    let change = |(name, step): (HostName, Step)| {
        let (server, revision) = (server.clone(), revision.to_owned());
        let change: HostChange = Box::new(move |record| match step {
            Step::Assign(body) => {
                record.held = None;
                record.assigned = Some(assigned(&server, record, body, revision, 0));
            }
            Step::Hold(reason) => record.held = Some(reason),
            Step::AskForFacts(reason) => {
                record.held = Some(reason);
                record.facts = None;
            }
            Step::Release => record.held = None,
        });
        (name, change)
    };
    server
        .store
        .update_hosts(steps.into_iter().map(change).collect())?;
    for name in &names {
        server.hosts.refresh(server.store.as_ref(), name)?;
    }
    Ok(())
}

/// Gives a host the catalog it is assigned under a generation above the one it claims.
pub fn raise(
    server: &Arc<Server>,
    name: &HostName,
    claimed: u64,
) -> Result<HostRecord, StoreError> {
    let at_work = server.clone();
    let change: HostChange = Box::new(move |record| {
        let Some(given) = record.assigned.take() else {
            return;
        };
        // Another check-in of this host may have been here first.
        if given.generation > claimed {
            record.assigned = Some(given);
            return;
        }
        // What cannot be read back demands nothing, and the next commit mends it.
        let envelope = given.opened();
        let (size, features, sealed) = envelope.map_or_else(Default::default, |envelope| {
            (envelope.size, envelope.features, envelope.sealed)
        });
        let body = Body {
            digest: given.body,
            size,
            features,
            sealed,
            sealed_to: given.sealed_to,
        };
        let above = claimed.max(given.generation);
        record.assigned = Some(assigned(&at_work, record, body, given.revision, above));
    });
    let record = server.store.update_host(name, change)?;
    server.hosts.refresh(server.store.as_ref(), name)?;
    Ok(record)
}

fn assigned(
    server: &Server,
    record: &HostRecord,
    body: Body,
    revision: String,
    above: u64,
) -> Assigned {
    let issued = Timestamp::now();
    let generation = next_generation(record, above);
    let envelope = Envelope {
        host: record.name.clone(),
        generation,
        body: body.digest,
        size: body.size,
        features: body.features,
        sealed: body.sealed,
        key: server.pki.signer.public().id.clone(),
        issued,
    };
    Assigned {
        generation,
        body: body.digest,
        revision,
        issued,
        envelope: server.pki.signer.sign(&envelope),
        sealed_to: body.sealed_to,
    }
}
