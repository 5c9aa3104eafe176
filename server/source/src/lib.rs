//! Reads a site: a folder, a Git repository at a revision, a Git URL.
//!
//! What comes out is a [`Snapshot`](holdfast_catalog::site::Snapshot): text whole, content files
//! by digest. The bytes of content go to a [`ContentSink`], one file at a time, so a repo that
//! ships gigabytes is read in the memory of its largest file, and a folder in that of a buffer.
//! Nothing a repo holds is followed, opened or run: links, pipes, devices, submodules, hooks and
//! its configuration are only named.
//!
//! Everything here blocks; a server calls it from a thread that may.

mod error;
mod folder;
mod git;
mod intake;
mod location;
mod remote;
mod sink;
mod source;

pub use error::SourceError;
pub use intake::MAX_SITE_TEXT;
pub use location::{Location, LocationError};
pub use sink::{ContentSink, Discard, KeepInMemory, SinkError};
pub use source::{Options, Revision, Source};
