//! What an enrolled agent asks of its server, over mutual TLS.

use holdfast_schemas::Digest;
use holdfast_schemas::agent_api::{CheckIn, CheckInAnswer, News, Receipt};
use holdfast_schemas::enrol::{Identity, RenewRequest};
use holdfast_schemas::inventory::Inventory;
use holdfast_schemas::report::Report;
use holdfast_schemas::routes::agent as routes;
use http::{HeaderMap, Method};

use crate::blob::{self, Blob};
use crate::connection::Connection;
use crate::error::{ClientError, SetupError};
use crate::limits::{MAX_AGENT_ANSWER, NEWS_DEADLINE};
use crate::tls::{self, Presents};

/// An agent's way to its server. Cheap to clone; clones share one connection. After a renewal
/// of the certificate a new one is made and this one dropped.
#[derive(Debug, Clone)]
pub struct AgentClient {
    connection: Connection,
}

impl AgentClient {
    /// Believes the identity's CA alone, and shows its certificate; `key_pem` is the key that the
    /// certificate was asked for with. Connects at the first call.
    pub fn new(server_url: &str, identity: &Identity, key_pem: &str) -> Result<Self, SetupError> {
        let presents = Presents::Certificate {
            chain: &identity.certificate,
            key: key_pem,
        };
        let tls = tls::trusting(&identity.ca, presents)?;
        let connection = Connection::new(server_url, tls, HeaderMap::new(), MAX_AGENT_ANSWER)?;
        Ok(Self { connection })
    }

    /// Says what the host has, and hears what it is to have.
    pub async fn check_in(&self, check_in: &CheckIn) -> Result<CheckInAnswer, ClientError> {
        self.connection
            .call("checking in", Method::POST, routes::CHECK_IN)
            .json(check_in)?
            .answer()
            .await
    }

    /// Waits until the host is to have another catalog than the one with this body, or as long
    /// as the server holds the request.
    pub async fn news(&self, body: Option<&Digest>) -> Result<News, ClientError> {
        let body = body.map(Digest::to_string);
        self.connection
            .call("waiting for news", Method::GET, routes::NEWS)
            .query("body", body.as_deref())
            .deadline(NEWS_DEADLINE)
            .answer()
            .await
    }

    /// Hands in the inventory.
    pub async fn put_inventory(&self, inventory: &Inventory) -> Result<(), ClientError> {
        self.connection
            .call("handing in the inventory", Method::PUT, routes::INVENTORY)
            .json(inventory)?
            .accepted()
            .await
    }

    /// Hands in a report; the receipt says that it is on the server's disk.
    pub async fn post_report(&self, report: &Report) -> Result<Receipt, ClientError> {
        self.connection
            .call("reporting", Method::POST, routes::REPORTS)
            .json(report)?
            .answer()
            .await
    }

    /// Fetches a blob from `offset` on: 0 for all of it, or the bytes that an interrupted fetch
    /// got. Whether the bytes are the digest's is for the caller to verify as they come.
    pub async fn blob(&self, digest: &Digest, offset: u64) -> Result<Blob, ClientError> {
        blob::fetch(&self.connection, digest, offset).await
    }

    /// Asks for a new certificate before the present one ends.
    pub async fn renew(&self, request: &RenewRequest) -> Result<Identity, ClientError> {
        self.connection
            .call("renewing the certificate", Method::POST, routes::RENEW)
            .json(request)?
            .answer()
            .await
    }
}
