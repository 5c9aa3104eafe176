//! What an operator's command line asks of a server, with a bearer token.

use holdfast_schemas::HostName;
use holdfast_schemas::inventory::Inventory;
use holdfast_schemas::operator_api::{
    Credential, DriftEvent, HostSummary, IssuedToken, NewToken, Page, ServerStatus, StoredReport,
};
use holdfast_schemas::routes::operator as routes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};
use serde::de::DeserializeOwned;

use crate::connection::Connection;
use crate::error::{ClientError, SetupError};
use crate::limits::MAX_OPERATOR_ANSWER;
use crate::tls::{self, Presents};

/// Which page of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageRequest<'p> {
    /// What the page before gave as `next`; absent for the first.
    pub after: Option<&'p str>,
    /// Most rows wanted; absent for as many as the server gives.
    pub limit: Option<u32>,
}

/// An operator's way to the server. Cheap to clone; clones share one connection.
#[derive(Debug, Clone)]
pub struct OperatorClient {
    connection: Connection,
}

impl OperatorClient {
    /// Believes the credential's CA alone. Connects at the first call.
    pub fn new(credential: &Credential) -> Result<Self, SetupError> {
        let tls = tls::trusting(&credential.ca, Presents::Nothing)?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", credential.token))
            .map_err(|_| SetupError::Token)?;
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
        let connection = Connection::new(&credential.server, tls, headers, MAX_OPERATOR_ANSWER)?;
        Ok(Self { connection })
    }

    /// What the server says of itself.
    pub async fn status(&self) -> Result<ServerStatus, ClientError> {
        self.connection
            .call("asking for the status", Method::GET, routes::STATUS)
            .answer()
            .await
    }

    /// One page of the hosts, by name.
    pub async fn hosts(&self, page: PageRequest<'_>) -> Result<Page<HostSummary>, ClientError> {
        self.list("listing hosts", routes::HOSTS, None, page).await
    }

    /// One host.
    pub async fn host(&self, name: &HostName) -> Result<HostSummary, ClientError> {
        let path = routes::HOST.replace("{name}", name.as_str());
        self.connection
            .call("asking for a host", Method::GET, &path)
            .answer()
            .await
    }

    /// One page of the reports, of one host or of all, newest first.
    pub async fn reports(
        &self,
        host: Option<&HostName>,
        page: PageRequest<'_>,
    ) -> Result<Page<StoredReport>, ClientError> {
        self.list("listing reports", routes::REPORTS, host, page)
            .await
    }

    /// One page of what drifted, on one host or on all, newest first.
    pub async fn drift(
        &self,
        host: Option<&HostName>,
        page: PageRequest<'_>,
    ) -> Result<Page<DriftEvent>, ClientError> {
        self.list("listing drift", routes::DRIFT, host, page).await
    }

    /// What a host's agent found on it.
    pub async fn inventory(&self, name: &HostName) -> Result<Inventory, ClientError> {
        let path = routes::INVENTORY.replace("{name}", name.as_str());
        self.connection
            .call("asking for an inventory", Method::GET, &path)
            .answer()
            .await
    }

    /// Makes an enrolment token.
    pub async fn create_token(&self, token: &NewToken) -> Result<IssuedToken, ClientError> {
        self.connection
            .call("creating a token", Method::POST, routes::TOKENS)
            .json(token)?
            .answer()
            .await
    }

    async fn list<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        path: &str,
        host: Option<&HostName>,
        page: PageRequest<'_>,
    ) -> Result<Page<T>, ClientError> {
        let limit = page.limit.map(|limit| limit.to_string());
        self.connection
            .call(doing, Method::GET, path)
            .query("host", host.map(HostName::as_str))
            .query("after", page.after)
            .query("limit", limit.as_deref())
            .answer()
            .await
    }
}
