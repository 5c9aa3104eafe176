//! What the server remembers: hosts, reports, drift, tokens, operators, settings; and blobs.
//!
//! [`Store`] is a trait in the language of the domain. Behind it stand [`SledStore`], the
//! default, and a memory store for tests that no shipped program contains. One conformance
//! suite runs on every one of them.
//!
//! What a method returned `Ok` for is on disk and survives a power cut, with one stated
//! exception: [`Store::heartbeat`]. Methods block (reads for microseconds, writes for one group
//! commit); async code calls them through [`with`]. Nobody here reads a clock: time is an
//! argument.

mod blobs;
mod error;
mod files;
mod host;
mod keyed;
mod operator;
mod report;
mod retention;
mod settings;
mod sled;
#[cfg(test)]
mod small_disk;
mod store;
mod token;

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
mod memory;

pub use blobs::{Blob, BlobStore};
pub use error::{Kind, StoreError};
pub use host::{Assigned, Certificate, Heartbeat, HostChange, HostRecord, Reported, Revocation};
#[cfg(any(test, feature = "testing"))]
pub use memory::MemoryStore;
pub use operator::{OperatorRecord, Role};
pub use report::{Appended, InventoryRecord};
pub use retention::{Pruned, RETENTION_AGE, RETENTION_PER_HOST, Retention};
pub use settings::{get_setting, keys, put_setting};
pub use sled::SledStore;
pub use store::{MAX_PAGE, Store, with};
pub use token::{Claim, Enrolment, RedeemError, TokenRecord, TokenRefusal, TokenUse};
