//! The shared language of Holdfast: the types that server, agent, relay and command line meet in.
//!
//! Nothing here does anything: no clock, no disk, no network. A document that parses into one of
//! these types is well-formed; types whose wrong values would be dangerous (names, paths, digests,
//! modes, edges of a catalog) cannot hold a wrong value. Unknown fields are refused wherever
//! ignoring one would mean doing something else than was asked.

pub mod agent_api;
pub mod catalog;
pub mod enrol;
pub mod facts;
pub mod health;
pub mod inventory;
pub mod operator_api;
pub mod problem;
pub mod report;
pub mod resource;
pub mod routes;
pub mod secret;

mod digest;
mod host_name;
mod host_path;
mod text_form;

pub use digest::{Digest, DigestError, Hasher};
pub use host_name::{HostName, HostNameError, MAX_HOST_NAME};
pub use host_path::{HostPath, HostPathError, MAX_HOST_PATH};
pub use problem::Problem;
