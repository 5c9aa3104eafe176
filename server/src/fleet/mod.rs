//! The fleet as the server sees it: every decision about a host, and the table they are read from.
//!
//! All but the table is pure: records and times in, a decision out. Who asks may be a handler on
//! the hot path or a task; the answer is the same.

pub mod admission;
pub mod blame;
pub mod offer;
pub mod status;

mod table;

pub use table::{CompiledFrom, Held, HostEntry, HostTable};
