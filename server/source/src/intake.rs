//! Builds a snapshot within its limits, whoever reads the files.

use std::io::Read;
use std::sync::Arc;

use holdfast_catalog::site::{
    Entry, MAX_CONTENT, MAX_FILES, MAX_TEXT, Snapshot, encrypted, is_content, is_encrypted,
};
use holdfast_schemas::Digest;
use holdfast_schemas::resource::MAX_INLINE;

use crate::{ContentSink, SourceError};

/// Most bytes of all texts of a site together: they are in memory. A site of a thousand groups
/// and roles has a few megabytes.
pub const MAX_SITE_TEXT: u64 = 256 * 1024 * 1024;

/// Deepest folder that is read; below it only names are taken.
pub(crate) const MAX_DEPTH: usize = 32;

/// A snapshot in the making.
pub(crate) struct Intake<'a> {
    snapshot: Snapshot,
    sink: &'a mut dyn ContentSink,
    text: u64,
    seen: usize,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(revision: String, sink: &'a mut dyn ContentSink) -> Self {
        Self {
            snapshot: Snapshot {
                revision,
                ..Snapshot::default()
            },
            sink,
            text: 0,
            seen: 0,
        }
    }

    pub(crate) fn finish(self) -> Snapshot {
        self.snapshot
    }

    /// Counts a file or folder; a tree that is endless ends here.
    pub(crate) fn count(&mut self) -> Result<(), SourceError> {
        self.seen += 1;
        if self.seen > MAX_FILES {
            return Err(SourceError::TooManyFiles { limit: MAX_FILES });
        }
        Ok(())
    }

    /// Takes an entry.
    pub(crate) fn add(&mut self, path: String, entry: Entry) {
        self.snapshot.files.insert(path, entry);
    }

    /// Takes note of what a site does not hold.
    pub(crate) fn foreign(&mut self, path: String, what: impl Into<String>) {
        self.add(path, Entry::Foreign { what: what.into() });
    }

    /// What a file of this path may have, in bytes; larger ones are noted and not to be read.
    pub(crate) fn admits(&mut self, path: &str, size: u64) -> Result<bool, SourceError> {
        let content = is_content(path);
        let limit = if content { MAX_CONTENT } else { MAX_TEXT };
        if size > limit {
            self.add(path.to_owned(), Entry::TooLarge { size, limit });
            return Ok(false);
        }
        if !content {
            self.text += size;
            if self.text > MAX_SITE_TEXT {
                return Err(SourceError::TooMuchText {
                    limit: MAX_SITE_TEXT,
                });
            }
        }
        Ok(true)
    }

    /// Takes a file whose bytes are in memory.
    pub(crate) fn whole(&mut self, path: String, bytes: Vec<u8>) -> Result<(), SourceError> {
        if !is_content(&path) {
            self.add(path, Entry::Text(bytes.into()));
            return Ok(());
        }
        if is_encrypted(&bytes) {
            self.add(path, encrypted(bytes.into()));
            return Ok(());
        }
        let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
        let inline = inline(&bytes);
        if inline.is_none() {
            self.keep(&path, &digest, size, &mut &*bytes)?;
        }
        let entry = Entry::Content {
            digest,
            size,
            inline,
        };
        self.add(path, entry);
        Ok(())
    }

    /// Whether the bytes of this content are still to be given to [`Intake::keep`].
    pub(crate) fn wants(
        &mut self,
        path: &str,
        digest: &Digest,
        size: u64,
    ) -> Result<bool, SourceError> {
        let has = self.sink.has(digest, size);
        has.map(|has| !has).map_err(|source| SourceError::Sink {
            path: path.to_owned(),
            source,
        })
    }

    /// Gives content to the sink, unless it has it.
    pub(crate) fn keep(
        &mut self,
        path: &str,
        digest: &Digest,
        size: u64,
        bytes: &mut dyn Read,
    ) -> Result<(), SourceError> {
        if !self.wants(path, digest, size)? {
            return Ok(());
        }
        let put = self.sink.put(digest, size, bytes);
        put.map_err(|source| SourceError::Sink {
            path: path.to_owned(),
            source,
        })
    }
}

/// Content that may stand in a catalog.
fn inline(bytes: &[u8]) -> Option<Arc<str>> {
    let short = bytes.len() <= MAX_INLINE;
    let text = short.then(|| std::str::from_utf8(bytes).ok()).flatten();
    text.map(Into::into)
}

/// Whether something at the top of a repo is not of the site: `.git`, `.gitignore`, `.ci`, ….
pub(crate) fn is_outside(name: &[u8]) -> bool {
    name.starts_with(b".")
}

/// The name of an entry as it stands in a path: as it is, or escaped where it is not UTF-8.
pub(crate) fn entry_name(name: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(name).map_err(|_| name.escape_ascii().to_string())
}

/// A path in the site.
pub(crate) fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}
