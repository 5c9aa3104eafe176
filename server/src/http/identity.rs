//! Who asks: a value that a handler can only get from a certificate that was verified.
//!
//! Denied unless proven. The certificate was judged when the connection was made; whether it has
//! ended, was revoked or was superseded is asked again for every request, because a connection
//! that is kept outlives all of that.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use holdfast_schemas::HostName;
use holdfast_store::HostRecord;
use jiff::Timestamp;

use super::Refusal;
use super::shares::{Whose, network};
use crate::context::Server;
use crate::fleet::HostEntry;
use crate::fleet::admission::{self, Denied, Purpose};
use crate::pki::{Peer, PeerCertificate};

/// A connection as requests see it.
#[derive(Debug)]
pub struct Connection {
    /// Who is at the other end.
    pub peer: Peer,
    /// From where.
    pub address: SocketAddr,
    proven: AtomicBool,
    refused: AtomicBool,
}

impl Connection {
    /// One on which nothing was asked yet.
    pub(super) fn new(peer: Peer, address: SocketAddr) -> Self {
        Self {
            peer,
            address,
            proven: AtomicBool::new(false),
            refused: AtomicBool::new(false),
        }
    }

    /// Whether somebody has proven by a request who they are.
    pub(super) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    /// Takes note that somebody has.
    pub(super) fn prove(&self) {
        self.proven.store(true, Ordering::Relaxed);
    }

    /// Takes note that somebody was refused, and says whether for the first time: who asks again
    /// and again does not fill the log.
    pub(super) fn refuse(&self) -> bool {
        !self.refused.swap(true, Ordering::Relaxed)
    }

    /// Whose share of things its requests take.
    pub(super) fn whose(&self) -> Whose {
        match &self.peer {
            Peer::Host(certificate) => Whose::Host(certificate.name().clone()),
            Peer::Anonymous | Peer::Foreign { .. } => Whose::Network(network(self.address.ip())),
        }
    }
}

/// An enrolled host, proven by a certificate that is good now.
#[derive(Debug)]
pub struct HostIdentity(Arc<HostEntry>);

/// An enrolled host, proven by a certificate that may have ended a while ago: good for a new
/// certificate and nothing else.
#[derive(Debug)]
pub struct RenewalIdentity {
    host: Arc<HostEntry>,
    certificate: PeerCertificate,
}

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
        &self.host
    }

    /// Judges the certificate again, by a record as it is now: the host may have enrolled again,
    /// or been revoked, while the request came in.
    pub fn still_good(&self, record: &HostRecord, now: Timestamp) -> Result<(), Denied> {
        admission::judge(&self.certificate, Some(record), Purpose::Renewal, now)
    }
}

impl FromRequestParts<Arc<Server>> for HostIdentity {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refusal> {
        admit(parts, server, Purpose::Everything).map(|(host, _)| Self(host))
    }
}

impl FromRequestParts<Arc<Server>> for RenewalIdentity {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refusal> {
        let (host, certificate) = admit(parts, server, Purpose::Renewal)?;
        let certificate = certificate.clone();
        Ok(Self { host, certificate })
    }
}

type Admitted<'p> = (Arc<HostEntry>, &'p PeerCertificate);

fn admit<'p>(parts: &'p Parts, server: &Server, purpose: Purpose) -> Result<Admitted<'p>, Refusal> {
    let connection = parts.extensions.get::<Arc<Connection>>();
    let certificate = match connection.map(|known| &known.peer) {
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
        (None, Some(entry)) => {
            connection.inspect(|known| known.prove());
            Ok((entry, certificate))
        }
        (denied, _) => {
            let denied = denied.unwrap_or(Denied::Unknown);
            if connection.is_some_and(|known| known.refuse()) {
                tracing::warn!(host.name = %certificate.name(), reason = denied.code(), "refused a certificate");
            }
            Err(refuse(&denied, certificate.name()))
        }
    }
}

/// The answer to a certificate that is ours and not good for what is asked.
pub(super) fn refuse(denied: &Denied, name: &HostName) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, denied.code(), denied.to_string()).hint(denied.hint(name))
}
