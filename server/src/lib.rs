//! The server: takes commits, compiles them for every host, and tells each host its own.
//!
//! - [`pki`]: whom it believes and by what it is believed.
//! - [`http`]: what hosts and operators may call, in one table per audience.
//! - [`fleet`]: every decision about a host, pure; and the table of hosts in memory.
//! - `tasks`: what it does by itself, level-triggered.
//! - [`context`]: what all of these share.
//! - [`demo`]: the main job, shown on one machine with real processes.
//!
//! [`serve()`] starts one, in a program or in a test.

pub mod assign;
pub mod compile;
pub mod context;
pub mod credential;
pub mod demo;
pub mod fleet;
pub mod http;
pub mod options;
pub mod pki;

mod limits;
mod sealing;
mod secrets;
mod serve;
mod tasks;

pub use credential::Endpoints;
pub use options::ServeOptions;
pub use secrets::{Secrets, SecretsError};
pub use serve::{ServeError, ServerHandle, serve};
