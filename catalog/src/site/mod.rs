//! A site: from the files of a catalog repo to typed groups, hosts and roles with positions.

mod snapshot;

pub use snapshot::{Entry, MAX_CONTENT, MAX_FILES, MAX_TEXT, Snapshot, is_content};
