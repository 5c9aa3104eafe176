//! The same server, asked by a program instead of a person: as an operator, and as a host whose
//! agent enrolled it.

use holdfast_client::{AgentClient, ClientError, OperatorClient};
use holdfast_schemas::Problem;
use holdfast_schemas::enrol::Identity;
use holdfast_schemas::operator_api::Credential;
use holdfast_testkit::{Agent, Server};
use serde::Deserialize;
use tokio::runtime::{Builder, Runtime};

/// What an agent keeps of its enrolment.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Enrolled {
    pub(crate) server: String,
    pub(crate) identity: Identity,
    pub(crate) key: String,
}

impl Enrolled {
    /// Reads it from a host's state folder.
    pub(crate) fn of(agent: &Agent) -> Self {
        let text = std::fs::read(agent.state().join("identity.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    /// A client that is this host.
    pub(crate) fn client(&self) -> AgentClient {
        AgentClient::new(&self.server, &self.identity, &self.key).unwrap()
    }
}

/// A client with the administrator's credential.
pub(crate) fn operator(server: &Server) -> OperatorClient {
    let text = std::fs::read(server.credential()).unwrap();
    let credential: Credential = serde_json::from_slice(&text).unwrap();
    OperatorClient::new(&credential).unwrap()
}

/// Where clients run.
pub(crate) fn runtime() -> Runtime {
    // A provider that is installed already is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// The refusal that was expected.
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> Problem {
    let error = answer.unwrap_err();
    let problem = error.problem().cloned();
    problem.unwrap_or_else(|| panic!("no refusal but {error:?}"))
}
