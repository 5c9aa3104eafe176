//! Enrolment: a token and a signing request for an identity.

use std::sync::Arc;

use holdfast_schemas::enrol::{EnrolRequest, EnrolToken, Identity};
use holdfast_schemas::routes;
use http::{HeaderMap, Method};

use crate::connection::Connection;
use crate::error::ClientError;
use crate::limits::MAX_AGENT_ANSWER;
use crate::pinned::PinnedCa;
use crate::tls::{self, Presents};

const DOING: &str = "enrolling";

/// Enrols at the server that the token names by its CA, and at no other: nothing, the token's
/// secret least of all, is sent before the server has proven that it is that one.
pub async fn enrol(
    server_url: &str,
    token: &EnrolToken,
    request: EnrolRequest,
) -> Result<Identity, ClientError> {
    let verifier = Arc::new(PinnedCa::new(token.ca, tls::provider()));
    let tls = tls::settings(verifier, Presents::Nothing)?;
    let connection = Connection::new(server_url, tls, HeaderMap::new(), MAX_AGENT_ANSWER)?;
    let identity: Identity = connection
        .call(DOING, Method::POST, routes::enrol::ENROL)
        .json(&request)?
        .answer()
        .await?;
    if identity.name != request.name {
        let source = format!(
            "it is an identity for {}, and {} was asked for",
            identity.name, request.name
        );
        return Err(connection.malformed(DOING, source));
    }
    Ok(identity)
}
