//! The server's HTTP interface: one table of routes, by audience.
//!
//! Agents and operators have a listener each, so neither can reach what is the other's. What an
//! audience may do is what stands in its table; a handler that serves hosts takes a
//! [`HostIdentity`], which exists only for a verified certificate.

mod agent;
mod document;
mod enrol;
mod granted;
mod identity;
mod limit;
mod listen;
mod operator;
mod range;
mod refusal;
mod shape;
mod shares;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use holdfast_schemas::routes;
use tower_http::catch_panic::CatchPanicLayer;

pub use document::{BodyMemory, Bounded, Document, Reserved};
pub use granted::{Granted, blobs_of};
pub use identity::{Connection, HostIdentity, RenewalIdentity};
pub use limit::{AttemptLimit, IntakeLimit};
pub use listen::Listening;
pub use operator::Operators;
pub use refusal::{Refusal, chain};

use crate::context::Server;

/// What hosts may call.
pub fn agents(server: Arc<Server>) -> Router {
    use routes::agent as path;
    let table = Router::new()
        .route(routes::enrol::ENROL, post(enrol::enrol))
        .route(path::CHECK_IN, post(agent::check_in::check_in))
        .route(path::NEWS, get(agent::news::news))
        .route(path::INVENTORY, put(agent::inventory::put_inventory))
        .route(path::REPORTS, post(agent::reports::post_report))
        .route(path::BLOB, get(agent::blobs::blob))
        .route(path::RENEW, post(agent::renew::renew));
    finish(table).with_state(server)
}

/// What operators may call; all of it behind a bearer token.
pub fn operators(server: Arc<Server>) -> Router {
    use routes::operator as path;
    let table = Router::new()
        .route(path::STATUS, get(operator::status::status))
        .route(path::HOSTS, get(operator::hosts::hosts))
        .route(path::HOST, get(operator::hosts::host))
        .route(path::INVENTORY, get(operator::hosts::inventory))
        .route(path::REPORTS, get(operator::history::reports))
        .route(path::DRIFT, get(operator::history::drift))
        .route(path::TOKENS, post(operator::tokens::create));
    let check = axum::middleware::from_fn_with_state(server.clone(), operator::auth::require);
    finish(table).layer(check).with_state(server)
}

/// What all tables have in common: a problem for what is not in them, and for what breaks.
fn finish<S: Clone + Send + Sync + 'static>(table: Router<S>) -> Router<S> {
    table
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(panicked))
}

async fn unknown_path(uri: Uri) -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "path_unknown",
        format!("there is nothing at {}", uri.path()),
    )
}

async fn wrong_method(request: Request) -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!(
            "{} cannot be asked with {}",
            request.uri().path(),
            request.method()
        ),
    )
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it did not say why");
    tracing::error!(said, "a request broke the server's own rules");
    Refusal::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "server_failed",
        "the server failed on this request; its log says why",
    )
    .into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use axum::body::Body;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_handler_that_panics_is_an_answer_without_its_words() {
        async fn breaks() {
            panic!("the secret is 42");
        }
        let table = finish(Router::new().route("/", get(breaks)));
        let request = Request::new(Body::empty());
        let answer = table.oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(answer.into_body(), 4096).await;
        let text = String::from_utf8(body.unwrap().to_vec()).unwrap();
        assert!(text.contains("server_failed") && !text.contains("42"));
    }
}
