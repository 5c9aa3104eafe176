//! What tests of the whole stand on: real booted hosts, a real server, a catalog repo, and a way
//! to skip loudly.
//!
//! Nothing depends on this crate; it may know all the others. `testkit/check` is the one script
//! that runs every test.

// A test says on standard error what it skips and what it waits for.
#![allow(clippy::print_stderr)]

mod agent;
#[path = "../live/mod.rs"]
pub mod live;
pub mod measure;
mod programs;
mod server;
mod site;
mod skip;
mod small_disk;
mod wait;

pub use agent::{Agent, Ran, Running};
pub use programs::program;
pub use server::{Server, free_port};
pub use site::Site;
pub use skip::skip;
pub use small_disk::SmallDisk;
pub use wait::wait_until;
