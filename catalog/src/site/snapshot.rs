//! The content of a catalog repo at one revision, as the compiler takes it.
//!
//! Who reads it (a folder, a Git revision, a working tree) is not the compiler's business: it
//! gets every path once, text whole and content files by digest only, so that a repo that ships
//! gigabytes compiles as fast as one that ships none.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_schemas::Digest;

/// Largest YAML document or template of a repo, in bytes: what an operator writes by hand, with
/// generated tables in mind.
pub const MAX_TEXT: u64 = 4 * 1024 * 1024;

/// Largest content file (`roles/*/files/**`) of a repo, in bytes. Larger artifacts do not belong
/// into Git.
pub const MAX_CONTENT: u64 = 256 * 1024 * 1024;

/// Largest content file that age encrypted, in bytes: its bytes are in memory, and what it hides is
/// put into one sealed content.
pub const MAX_ENCRYPTED: u64 = 4 * 1024 * 1024 + 64 * 1024;

/// Most files in a repo.
pub const MAX_FILES: usize = 200_000;

/// A site: every file of the catalog repo at a revision.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// What the revision is called: a commit's digest, or words such as `working tree`.
    pub revision: String,
    /// Files by their path in the repo: relative, `/` between components, sorted.
    pub files: BTreeMap<String, Entry>,
}

/// One file of a repo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A YAML document, a template or another text: all that is not under a role's `files/`.
    Text(Arc<[u8]>),
    /// A content file (`roles/*/files/**`), by digest; whoever read the site keeps the bytes.
    Content {
        /// BLAKE3 digest.
        digest: Digest,
        /// Length in bytes.
        size: u64,
        /// The bytes, where they are short enough to stand in a catalog and are UTF-8.
        inline: Option<Arc<str>>,
    },
    /// A content file that begins as an age file does ([`super::is_encrypted`]), with its bytes.
    Encrypted(Arc<[u8]>),
    /// Larger than its place allows.
    TooLarge {
        /// Length in bytes.
        size: u64,
        /// What its place allows.
        limit: u64,
    },
    /// A symbolic link, which a site does not follow: it may lead anywhere.
    Link {
        /// What it points to.
        target: String,
    },
    /// Something a site does not hold: a device, a pipe, a submodule, a name that is not UTF-8.
    Foreign {
        /// What it is.
        what: String,
    },
}

/// The entry of a content file that age encrypted.
pub fn encrypted(bytes: Arc<[u8]>) -> Entry {
    let (size, limit) = (bytes.len() as u64, MAX_ENCRYPTED);
    match size > limit {
        true => Entry::TooLarge { size, limit },
        false => Entry::Encrypted(bytes),
    }
}

/// Whether a path of a repo is a content file, which travels by digest, and not read as text.
pub fn is_content(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.next() == Some("roles")
        && parts.next().is_some()
        && parts.next() == Some("files")
        && parts.next().is_some()
}
