//! Who asks: a value that a handler can only get from a certificate that was verified.
//!
//! Denied unless proven. The certificate was judged when the connection was made; whether it has
//! ended, was revoked or was superseded is asked again for every request, because a connection
//! that is kept outlives all of that.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use holdfast_schemas::HostName;
use holdfast_store::HostRecord;
use jiff::Timestamp;

use super::Refusal;
use crate::context::Server;
use crate::fleet::HostEntry;
use crate::fleet::admission::{self, Denied, Purpose};
use crate::pki::Peer;

/// A connection as requests see it.
#[derive(Debug)]
pub struct Connection {
    /// Who is at the other end.
    pub peer: Peer,
    /// From where.
    pub address: SocketAddr,
}

/// An enrolled host, proven by a certificate that is good now.
#[derive(Debug)]
pub struct HostIdentity(Arc<HostEntry>);

/// An enrolled host, proven by a certificate that may have ended a while ago: good for a new
/// certificate and nothing else.
#[derive(Debug)]
pub struct RenewalIdentity(Arc<HostEntry>);

impl HostIdentity {
    /// The host.
    pub fn host(&self) -> &Arc<HostEntry> {
        &self.0
    }

    /// Its name.
    pub fn name(&self) -> &HostName {
        self.0.name()
    }
}

impl RenewalIdentity {
    /// The host.
    pub fn host(&self) -> &Arc<HostEntry> {
        &self.0
    }
}

impl FromRequestParts<Arc<Server>> for HostIdentity {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refusal> {
        admit(parts, server, Purpose::Everything).map(Self)
    }
}

impl FromRequestParts<Arc<Server>> for RenewalIdentity {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refusal> {
        admit(parts, server, Purpose::Renewal).map(Self)
    }
}

fn admit(parts: &Parts, server: &Server, purpose: Purpose) -> Result<Arc<HostEntry>, Refusal> {
    let certificate = match parts
        .extensions
        .get::<Arc<Connection>>()
        .map(|known| &known.peer)
    {
        None | Some(Peer::Anonymous) => {
            return Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "certificate_missing",
                "this needs the client certificate of an enrolled host",
            )
            .hint("enrol the host with a token from `holdfast token create`"));
        }
        Some(Peer::Foreign { reason }) => {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "certificate_foreign",
                format!("the client certificate is not one of this server's: {reason}"),
            )
            .hint("the host is enrolled with another server, or this server was set up anew"));
        }
        Some(Peer::Host(certificate)) => certificate,
    };
    let entry = server.hosts.get(certificate.name());
    let record: Option<Arc<HostRecord>> = entry.as_ref().map(|entry| entry.record());
    let denied = admission::judge(certificate, record.as_deref(), purpose, Timestamp::now()).err();
    match (denied, entry) {
        (None, Some(entry)) => Ok(entry),
        (denied, _) => {
            let denied = denied.unwrap_or(Denied::Unknown);
            tracing::warn!(host.name = %certificate.name(), reason = denied.code(), "refused a certificate");
            Err(
                Refusal::new(StatusCode::FORBIDDEN, denied.code(), denied.to_string())
                    .hint(denied.hint(certificate.name())),
            )
        }
    }
}
