//! One folder per resource type: observe, diff, apply. The only code that touches a host.
//!
//! Looking and changing are different types: a module observes through [`host::Probe`], which can
//! only read, and applies through [`host::Host`]. One harness alone knows no-op, verification and
//! refusal; no module does.
// Tests set scenes behind a host's back; what is tested keeps to the rules of `clippy.toml`.
#![cfg_attr(test, allow(clippy::disallowed_types, clippy::disallowed_methods))]

pub mod harness;
pub mod host;
// It reads the machine it runs on, not a host that is managed, and asks systemd by itself.
#[allow(clippy::disallowed_types, clippy::disallowed_methods)]
pub mod inventory;
pub mod module;
pub mod package;

mod directory;
mod exec;
mod file;
mod group;
mod programs;
mod property;
mod registry;
mod service;
mod shown;
mod symlink;
#[cfg(test)]
mod testing;
mod user;

pub use shown::{Shown, displayable};
