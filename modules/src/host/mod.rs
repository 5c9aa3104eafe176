//! A host as modules see it: what can be looked at, what can be changed, and how it can refuse.
//!
//! [`RealHost`] is the machine itself, [`RootedHost`] a tree of files in some folder, and
//! [`fake::FakeHost`] a whole host in memory, for tests. One suite, `conformance`, holds all
//! three to the same behaviour.

pub mod accounts;

pub mod content;
pub mod disk;
pub mod fake;

mod atomic;
mod command;
#[cfg(test)]
mod conformance;
mod edit;
mod error;
mod glob;
mod label;
pub(crate) mod name_service;
mod overlay;
mod probe;
mod query;
mod real;
mod rooted;
mod stat;
mod stop;
mod synced;
mod temporary;
mod tree;
mod walk;
mod write;

pub(crate) use content::named;
pub use content::{ContentSource, DRAFT, NoContent};
pub use error::HostError;
pub use overlay::Overlay;
pub use probe::{Database, Facility, FileType, Output, Probe, Query, Stat, Support};
pub use real::{Machine, RealHost};
pub use rooted::{NoSystem, RootedHost};
pub use stop::Stop;
pub use write::{Displace, Ends, Host, Invocation, NewContent, NewFile, Owner};
