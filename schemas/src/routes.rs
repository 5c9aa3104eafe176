//! Where things are: every path of the server's HTTP interface, once.
//!
//! Agents and operators have a listener each. `{name}` stands for a parameter, as axum writes it.

/// What a host without a certificate may call, on the agents' listener.
pub mod enrol {
    /// `POST` [`crate::enrol::EnrolRequest`] → [`crate::enrol::Identity`].
    pub const ENROL: &str = "/v1/enrol";
}

/// What a host with a certificate may call, on the agents' listener.
pub mod agent {
    /// `POST` [`crate::agent_api::CheckIn`] → [`crate::agent_api::CheckInAnswer`].
    pub const CHECK_IN: &str = "/v1/agent/check-in";
    /// `GET ?body=DIGEST` → [`crate::agent_api::News`], as soon as the host's catalog is another
    /// than that, or after [`NEWS_HOLD_S`] seconds whatever it is.
    pub const NEWS: &str = "/v1/agent/news";
    /// `PUT` [`crate::inventory::Inventory`] → 204.
    pub const INVENTORY: &str = "/v1/agent/inventory";
    /// `POST` [`crate::report::Report`] → [`crate::agent_api::Receipt`].
    pub const REPORTS: &str = "/v1/agent/reports";
    /// `GET` → the bytes of a blob that the host's own catalog names, or of that catalog's body;
    /// honours `Range`.
    pub const BLOB: &str = "/v1/agent/blobs/{digest}";
    /// `POST` [`crate::enrol::RenewRequest`] → [`crate::enrol::Identity`].
    pub const RENEW: &str = "/v1/agent/renew";

    /// Longest time that the server holds a request for news, in seconds: under the minute after
    /// which common middleboxes drop an idle connection.
    pub const NEWS_HOLD_S: u64 = 50;
}

/// What an operator may call with a bearer token, on the operators' listener.
pub mod operator {
    /// `GET` → [`crate::operator_api::ServerStatus`].
    pub const STATUS: &str = "/v1/status";
    /// `GET ?after=&limit=` → [`crate::operator_api::Page`] of [`crate::operator_api::HostSummary`].
    pub const HOSTS: &str = "/v1/hosts";
    /// `GET` → [`crate::operator_api::HostSummary`].
    pub const HOST: &str = "/v1/hosts/{name}";
    /// `GET ?host=&after=&limit=` → page of [`crate::operator_api::StoredReport`], newest first.
    pub const REPORTS: &str = "/v1/reports";
    /// `GET ?host=&after=&limit=` → page of [`crate::operator_api::DriftEvent`], newest first.
    pub const DRIFT: &str = "/v1/drift";
    /// `GET` → [`crate::inventory::Inventory`].
    pub const INVENTORY: &str = "/v1/hosts/{name}/inventory";
    /// `POST` [`crate::operator_api::NewToken`] → [`crate::operator_api::IssuedToken`].
    pub const TOKENS: &str = "/v1/tokens";
}
