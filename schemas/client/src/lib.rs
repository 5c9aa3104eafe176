//! The typed HTTP client of the server's two audiences: agents and operators.
//!
//! Every call has a deadline, every answer a size limit, and every connection trusts the one CA
//! it was told of; the system's own roots never count. A refusal arrives as the server's
//! [`holdfast_schemas::Problem`], everything else that can go wrong as a [`ClientError`] that
//! says whether trying again can help.

mod agent;
mod blob;
mod connection;
mod enrol;
mod error;
mod operator;
mod pinned;
mod tls;

pub mod limits;

pub use agent::AgentClient;
pub use blob::Blob;
pub use enrol::enrol;
pub use error::{ClientError, SetupError};
pub use operator::{OperatorClient, PageRequest};
