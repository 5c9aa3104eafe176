//! One folder per resource type: observe, diff, apply. The only code that touches a host.
//!
//! Looking and changing are different types: a module observes through [`host::Probe`], which can
//! only read, and applies through [`host::Host`]. One harness alone knows no-op, verification and
//! refusal; no module does.

pub mod harness;
pub mod host;
pub mod inventory;
pub mod module;

mod directory;
mod file;
mod property;
mod registry;
mod shown;
mod symlink;

pub use shown::Shown;
