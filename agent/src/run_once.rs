//! One run of an enrolled host, on one page.
//!
//! facts → conditional fetch → verify signature and generation → fetch every blob the catalog
//! needs → execute → report. A server that is away, or that offers what is not believed, does not
//! keep the host from what it was last given.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use holdfast_client::ClientError;
use holdfast_modules::host::HostError;
use holdfast_modules::inventory;
use holdfast_schemas::Digest;
use holdfast_schemas::agent_api::{CatalogOffer, CheckIn, CheckInAnswer};
use holdfast_schemas::catalog::{Enforcement, FEATURES, MAX_CATALOG, SignedEnvelope};
use holdfast_schemas::facts::Facts;
use holdfast_schemas::report::{Report, RunMode, Trigger};
use jiff::Timestamp;
use tokio::time::timeout;

use crate::agent::Agent;
use crate::blobs::{Blobs, FetchError};
use crate::durable::DiskError;
use crate::execute::{self, Task};
use crate::held::{self, Held};
use crate::last_run::LastRun;
use crate::outbox;
use crate::report::{Begun, Execution, Subject};
use crate::said::chain;
use crate::sealing::Contents;
use crate::state::StateError;
use crate::trust::{TrustError, Verified};

/// How long a new host waits for its first catalog, once the server knows its facts: compiling
/// one takes milliseconds, and a busy server has others to compile.
const FIRST_CATALOG: Duration = Duration::from_secs(10);

/// Why a run could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The state folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// There is no catalog to execute.
    #[error("there is no catalog to apply yet: {0}")]
    NothingHeld(String),
    /// The host cannot be managed at all.
    #[error("this host cannot be managed")]
    Host(#[from] HostError),
    /// The thread that executes ended without a result.
    #[error("the execution broke off")]
    BrokenOff(#[source] tokio::task::JoinError),
}

impl From<DiskError> for RunError {
    fn from(error: DiskError) -> Self {
        Self::State(error.into())
    }
}

/// Why a catalog that was offered is not taken.
#[derive(Debug, thiserror::Error)]
enum OfferError {
    #[error("the catalog that the server offers is refused")]
    Trust(#[from] TrustError),
    #[error("the catalog that the server offers is not complete")]
    Fetch(#[from] FetchError),
    #[error("the catalog that the server offers holds secrets that cannot be opened")]
    Sealed(#[source] std::io::Error),
    #[error("the catalog that the server offers cannot be kept")]
    State(#[from] StateError),
}

/// What a run was asked to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    /// What set it off.
    pub(crate) trigger: Trigger,
    /// Whether it is to change things.
    pub(crate) mode: RunMode,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    /// What it says.
    pub(crate) report: Report,
    /// The catalog that was executed.
    pub(crate) catalog: Arc<Verified>,
    /// Why the newest catalog was not the one, if it was not.
    pub(crate) trouble: Option<String>,
}

/// Runs once.
pub(crate) async fn run_once(agent: &mut Agent, wish: Wish) -> Result<Ran, RunError> {
    let begun = Begun::now();
    let _lock = agent.state.lock()?;
    let mut held = Held::load(&agent.state, &agent.enrolled)?;

    agent.renew_if_due().await;
    let facts = inventory::facts(&agent.place.tree());
    let offer = contact(agent, &held, &facts).await;
    let trouble = take(agent, &mut held, &offer).await;
    let Some(catalog) = held.catalog.map(Arc::new) else {
        return Err(RunError::NothingHeld(reason(offer, trouble)));
    };
    if offer.is_ok() {
        complete(agent, &catalog).await;
    }

    let mode = match (wish.mode, catalog.catalog().enforcement) {
        (RunMode::Enforce, Enforcement::Audit) => RunMode::Audit,
        (mode, _) => mode,
    };
    let mut execution = execute(agent, &catalog, mode).await?;
    execution.error = execution.error.or_else(|| trouble.clone());

    let subject = Subject {
        host: agent.enrolled.name().clone(),
        generation: catalog.envelope().generation,
        catalog: catalog.envelope().body,
        mode,
        trigger: wish.trigger,
    };
    let report = outbox::report(agent, execution, subject, begun).await;
    Ok(Ran {
        report,
        catalog,
        trouble,
    })
}

/// Says what the host has, and hears what it is to have. A server that knows nothing of the
/// host's facts gets them, and is asked again.
async fn contact(
    agent: &mut Agent,
    held: &Held,
    facts: &Facts,
) -> Result<CheckInAnswer, ClientError> {
    let last = LastRun::load(&agent.state);
    let check_in = CheckIn {
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        features: FEATURES.iter().map(|&feature| feature.to_owned()).collect(),
        generation: held.accepted.map_or(0, |accepted| accepted.generation),
        body: held.catalog.as_ref().map(|held| held.envelope().body),
        facts: digest(facts),
        last_run: last.and_then(|last| last.for_check_in()),
    };
    let mut answer = agent.client.check_in(&check_in).await?;
    if answer.want_inventory {
        let inventory = inventory::collect(&agent.place.tree(), Timestamp::now());
        let again = CheckIn {
            facts: digest(&inventory.facts),
            ..check_in
        };
        agent.client.put_inventory(&inventory).await?;
        answer = agent.client.check_in(&again).await?;
        let waiting = matches!(answer.catalog, CatalogOffer::Waiting { .. });
        if waiting && held.catalog.is_none() {
            // The first catalog of a new host is being compiled right now.
            let _ = timeout(FIRST_CATALOG, agent.client.news(None)).await;
            answer = agent.client.check_in(&again).await?;
        }
    }
    agent.interval.hear(answer.next_s);
    Ok(answer)
}

/// Takes the catalog that is offered, if one is and it can be believed. What is in the way is
/// told once, here, and returned for the report.
async fn take(
    agent: &Agent,
    held: &mut Held,
    offer: &Result<CheckInAnswer, ClientError>,
) -> Option<String> {
    let signed = match offer {
        Err(error) => {
            tracing::warn!(error = chain(error), "the server was not reached");
            return None;
        }
        Ok(answer) => match &answer.catalog {
            CatalogOffer::Unchanged => return None,
            CatalogOffer::Waiting { reason } => {
                tracing::info!(reason, "the server has no catalog for this host yet");
                return None;
            }
            CatalogOffer::New(signed) => signed,
        },
    };
    match admit(agent, held, signed).await {
        Ok(verified) => {
            let envelope = verified.envelope();
            tracing::info!(
                catalog.generation = envelope.generation,
                catalog.body = %envelope.body,
                "a new catalog was accepted"
            );
            held.accepted = Some(verified.accepted());
            held.catalog = Some(verified);
            None
        }
        Err(error) => {
            let error = chain(&error);
            tracing::error!(error, "going on with the last good catalog");
            Some(error)
        }
    }
}

/// Verifies a catalog, fetches all that it needs, and keeps it.
async fn admit(
    agent: &Agent,
    held: &Held,
    signed: &SignedEnvelope,
) -> Result<Verified, OfferError> {
    let trust = held::trust(&agent.enrolled, held.accepted);
    let envelope = trust.verify(signed)?;
    let (digest, size) = (envelope.envelope().body, envelope.envelope().size);
    let blobs = Blobs::new(agent.state.blobs());
    let wanted = BTreeMap::from([(digest, size)]);
    let read = || blobs.read(&digest, MAX_CATALOG).map_err(StateError::from);
    blobs.fetch(&agent.client, &wanted).await?;
    let mut body = read()?.unwrap_or_default();
    if Digest::of(&body) != digest {
        blobs.drop_rotten(&digest);
        blobs.fetch(&agent.client, &wanted).await?;
        body = read()?.unwrap_or_default();
    }
    let verified = envelope.admit(&body)?;
    blobs.fetch(&agent.client, &verified.needs()).await?;
    let contents = Contents::of(&agent.state, &verified)?;
    contents.prove().map_err(OfferError::Sealed)?;
    Held::accept(&agent.state, signed, &verified)?;
    Ok(verified)
}

/// Fetches content that was there when the catalog was accepted and is not any more. What cannot
/// be had fails the resources that need it, and no other.
async fn complete(agent: &Agent, catalog: &Verified) {
    let blobs = Blobs::new(agent.state.blobs());
    let wanted = catalog.needs();
    if blobs.hold_all(&wanted) {
        return;
    }
    if let Err(error) = blobs.fetch(&agent.client, &wanted).await {
        tracing::error!(error = chain(&error), "content of the catalog is missing");
    }
}

/// Executes a catalog on a thread of its own, so that the agent stays awake.
async fn execute(
    agent: &Agent,
    catalog: &Arc<Verified>,
    mode: RunMode,
) -> Result<Execution, RunError> {
    let (state, place, stop) = (agent.state.clone(), agent.place.clone(), agent.stop.clone());
    let catalog = Arc::clone(catalog);
    let executing = agent.executing.clone();
    let work = move || {
        let host = place.host(Contents::shared(&state, &catalog)?, &stop)?;
        let task = Task {
            catalog: catalog.catalog(),
            digest: catalog.envelope().body,
            host: &*host,
            ledger: &state.ledger(),
            unwell: &state.unwell(),
            missing: state.missing_ledger(),
            omitted: &BTreeMap::new(),
            stop: &stop,
        };
        Ok(execute::execute(&task, mode)?)
    };
    executing.begin();
    let done = tokio::task::spawn_blocking(work).await;
    executing.end();
    done.map_err(RunError::BrokenOff)?
}

fn digest(facts: &Facts) -> Digest {
    // Facts hold only strings, numbers, lists and maps with string keys: they always serialise.
    Digest::of(serde_json::to_vec(facts).unwrap_or_default())
}

/// Why there is nothing to execute.
fn reason(offer: Result<CheckInAnswer, ClientError>, trouble: Option<String>) -> String {
    if let Some(trouble) = trouble {
        return trouble;
    }
    match offer {
        Err(error) => chain(&error),
        Ok(answer) => match answer.catalog {
            CatalogOffer::Waiting { reason } => reason,
            CatalogOffer::Unchanged | CatalogOffer::New(_) => {
                "the catalog held is damaged, and the server has no other".to_owned()
            }
        },
    }
}
