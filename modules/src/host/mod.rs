//! A host as modules see it: what can be looked at, what can be changed, and how it can refuse.

pub mod accounts;
mod error;
mod probe;
mod write;

pub use error::HostError;
pub use probe::{Facility, FileType, Output, Probe, Query, Stat, Support};
pub use write::{Displace, Host, Invocation, NewContent, NewFile, Owner};
