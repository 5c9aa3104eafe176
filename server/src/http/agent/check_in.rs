//! The check-in: one small exchange that mostly says "nothing new". The server's hot path: a
//! read of the host's record in memory, a heartbeat in memory, and no disk.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use holdfast_schemas::agent_api::{CatalogOffer, CheckIn, CheckInAnswer};
use holdfast_store::{Heartbeat, with};
use jiff::Timestamp;

use crate::assign;
use crate::context::Server;
use crate::fleet::offer::{MAX_GENERATION, Offer, offer};
use crate::fleet::status::CHECK_IN_S;
use crate::http::limit::SIGNING_COST;
use crate::http::{Document, HostIdentity, Refusal};

/// Most features that an agent may name, and the longest name of one, in bytes.
const MAX_FEATURES: usize = 64;
const MAX_FEATURE: usize = 48;

/// Longest version that an agent may have, in bytes.
const MAX_VERSION: usize = 64;

/// `POST /v1/agent/check-in`.
pub(in crate::http) async fn check_in(
    State(server): State<Arc<Server>>,
    identity: HostIdentity,
    Document(ask, _room): Document<CheckIn>,
) -> Result<Json<CheckInAnswer>, Refusal> {
    refuse_absurd(&ask)?;
    let record = identity.host().record();
    let time = Timestamp::now();
    let catalog = match offer(&record, &ask) {
        Offer::Unchanged => CatalogOffer::Unchanged,
        Offer::Give(assigned) => CatalogOffer::New(assigned.envelope.clone()),
        Offer::Waiting(reason) => CatalogOffer::Waiting { reason },
        Offer::Raise => raise(&server, &identity, ask.generation).await?,
    };
    let want_inventory = record.facts != Some(ask.facts);
    let beat = Heartbeat {
        seen: time,
        agent: ask.agent,
        features: ask.features,
        accepted: ask.generation,
        confirms: ask.last_run.map(|run| run.report),
    };
    server.store.heartbeat(identity.name(), beat);
    Ok(Json(CheckInAnswer {
        catalog,
        want_inventory,
        time,
        next_s: CHECK_IN_S,
    }))
}

/// The same catalog under a number that the agent has not seen yet.
async fn raise(
    server: &Arc<Server>,
    identity: &HostIdentity,
    claimed: u64,
) -> Result<CatalogOffer, Refusal> {
    server.intake.admit(identity.name(), SIGNING_COST)?;
    let (at_work, name) = (server.clone(), identity.name().clone());
    let record = with(&server.store, move |_| {
        assign::raise(&at_work, &name, claimed)
    })
    .await?;
    tracing::info!(host.name = %record.name, generation = claimed,
        "the agent knows a later generation than the server; its catalog gets a higher one");
    Ok(record.assigned.map_or_else(
        || CatalogOffer::Waiting {
            reason: "the catalog was just taken back".to_owned(),
        },
        |assigned| CatalogOffer::New(assigned.envelope),
    ))
}

fn refuse_absurd(ask: &CheckIn) -> Result<(), Refusal> {
    let fits = ask.generation < MAX_GENERATION
        && is_word(&ask.agent, MAX_VERSION)
        && ask.features.len() <= MAX_FEATURES
        && ask.features.iter().all(|word| is_word(word, MAX_FEATURE));
    match fits {
        true => Ok(()),
        false => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "check_in_absurd",
            format!(
                "a check-in has a generation below {MAX_GENERATION}, a version of at most \
                 {MAX_VERSION} visible ASCII characters, and at most {MAX_FEATURES} features of at \
                 most {MAX_FEATURE}"
            ),
        )),
    }
}

/// These are shown on operators' terminals as they are.
fn is_word(text: &str, most: usize) -> bool {
    text.len() <= most && text.bytes().all(|byte| byte.is_ascii_graphic())
}
