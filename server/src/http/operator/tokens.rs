//! Enrolment tokens: shown once, stored as a digest.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use holdfast_schemas::Digest;
use holdfast_schemas::enrol::EnrolToken;
use holdfast_schemas::operator_api::{IssuedToken, NewToken};
use holdfast_store::{TokenRecord, with};
use jiff::Timestamp;

use crate::context::Server;
use crate::http::{Document, Refusal};
use crate::pki;

/// Longest life of a token: it is a credential in somebody's shell history.
const MAX_TTL: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// `POST /v1/tokens`.
pub(in crate::http) async fn create(
    State(server): State<Arc<Server>>,
    Document(ask, _room): Document<NewToken>,
) -> Result<(StatusCode, Json<IssuedToken>), Refusal> {
    if ask.ttl_s == 0 || ask.ttl_s > MAX_TTL.as_secs() {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "ttl_out_of_range",
            format!(
                "a token lives from 1 s to {} s ({} days), not {} s",
                MAX_TTL.as_secs(),
                MAX_TTL.as_secs() / (24 * 60 * 60),
                ask.ttl_s
            ),
        ));
    }
    let secret =
        pki::random_hex::<16>().map_err(|error| Refusal::failed("make a token", &error))?;
    let created = Timestamp::now();
    let expires = created + Duration::from_secs(ask.ttl_s);
    let record = TokenRecord {
        secret: Digest::of(secret.as_bytes()),
        created,
        expires,
        host: ask.host.clone(),
        used: None,
    };
    with(&server.store, move |store| store.put_token(record)).await?;
    tracing::info!(host.name = ask.host.map(|host| host.to_string()), %expires, "made an enrolment token");
    let token = EnrolToken {
        secret,
        ca: server.pki.authority.fingerprint(),
    };
    let issued = IssuedToken {
        token,
        expires,
        agents: Some(server.agents.clone()),
    };
    Ok((StatusCode::CREATED, Json(issued)))
}
