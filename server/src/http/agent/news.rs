//! The long poll: an answer as soon as the host is to have another catalog. It holds a
//! subscription and nothing else, and ends with the server.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use holdfast_schemas::Digest;
use holdfast_schemas::agent_api::News;
use holdfast_schemas::routes::agent::NEWS_HOLD_S;
use serde::Deserialize;

use crate::context::Server;
use crate::http::{HostIdentity, Refusal};

/// What the agent has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Has {
    body: Option<Digest>,
}

/// `GET /v1/agent/news?body=DIGEST`.
pub(in crate::http) async fn news(
    State(server): State<Arc<Server>>,
    identity: HostIdentity,
    has: Result<Query<Has>, QueryRejection>,
) -> Result<Json<News>, Refusal> {
    let Query(has) = has.map_err(|error| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "query_malformed",
            "`body` is the digest of the catalog body that the agent holds",
        )
        .because(&error)
    })?;
    let mut body = identity.host().follow();
    let mut stopping = server.stopping.clone();
    tokio::select! {
        _ = body.wait_for(|body| *body != has.body) => {}
        _ = tokio::time::sleep(Duration::from_secs(NEWS_HOLD_S)) => {}
        _ = stopping.wait_for(|stop| *stop) => {}
    }
    let body = *body.borrow();
    Ok(Json(News { body }))
}
