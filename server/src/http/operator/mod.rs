//! What an operator with a bearer token may call.

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use holdfast_schemas::HostName;
use holdfast_store::MAX_PAGE;
use serde::Deserialize;

use crate::http::Refusal;

pub(super) mod auth;
pub(super) mod history;
pub(super) mod hosts;
pub(super) mod status;
pub(super) mod tokens;

pub use auth::Operators;

/// Rows of a page when the client does not say how many.
const USUAL_PAGE: usize = 100;

/// Which page of a list, and of which host.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    host: Option<HostName>,
    after: Option<String>,
    limit: Option<usize>,
}

/// Which page of a list, and of which host; within bounds.
#[derive(Debug)]
pub(super) struct PageAsked {
    host: Option<HostName>,
    after: Option<String>,
    limit: usize,
}

impl<S: Send + Sync> FromRequestParts<S> for PageAsked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let asked: Result<Query<Asked>, QueryRejection> =
            Query::from_request_parts(parts, state).await;
        let Query(asked) = asked.map_err(|error| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "query_malformed",
                "the query takes `after` and `limit`, and for histories `host`",
            )
            .because(&error)
        })?;
        Ok(Self {
            host: asked.host,
            after: asked.after,
            limit: asked.limit.unwrap_or(USUAL_PAGE).clamp(1, MAX_PAGE),
        })
    }
}
