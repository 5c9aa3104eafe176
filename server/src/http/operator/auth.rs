//! Who may ask as an operator: the bearer of a token whose digest is on record.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use holdfast_store::{OperatorRecord, Store, StoreError};

use crate::context::Server;
use crate::http::{Connection, Refusal};

/// Longest bearer token looked at, in bytes; ours have 68.
const MAX_TOKEN: usize = 512;

/// The operators on record when the server started.
#[derive(Debug)]
pub struct Operators(Vec<OperatorRecord>);

impl Operators {
    /// Reads them from the store.
    pub fn load(store: &dyn Store) -> Result<Self, StoreError> {
        store.operators().map(Self)
    }

    /// Whose token this is. Every record is compared, each in constant time.
    fn find(&self, token: &str) -> Option<&OperatorRecord> {
        let shown = blake3::hash(token.as_bytes());
        self.0.iter().fold(None, |found, record| {
            let same = blake3::Hash::from_bytes(*record.token.as_bytes()) == shown;
            if same { Some(record) } else { found }
        })
    }
}

/// Lets nobody pass without a token.
pub(in crate::http) async fn require(
    State(server): State<Arc<Server>>,
    request: Request,
    next: Next,
) -> Response {
    let bearer = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && token.len() <= MAX_TOKEN)
        .map(|(_, token)| token.trim());
    let connection = request.extensions().get::<Arc<Connection>>();
    let Some(token) = bearer else {
        return refuse("token_missing", "this needs an operator's bearer token");
    };
    match server.operators.find(token) {
        Some(operator) => {
            connection.inspect(|known| known.prove());
            tracing::debug!(operator.name = %operator.name, method = %request.method(), path = request.uri().path(), "an operator asks");
            next.run(request).await
        }
        None => {
            if let Some(known) = connection.filter(|known| known.refuse()) {
                tracing::warn!(peer = %known.address, "somebody came with an operator's token that is not one");
            }
            refuse(
                "token_unknown",
                "the bearer token is not one of this server's",
            )
        }
    }
}

fn refuse(code: &'static str, message: &'static str) -> Response {
    let refused = Refusal::new(StatusCode::UNAUTHORIZED, code, message)
        .hint("`holdfast serve` writes a credential on its first start and says where");
    let mut response = refused.into_response();
    let challenge = HeaderValue::from_static("Bearer");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    response
}
