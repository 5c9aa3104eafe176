//! Where the bytes of content files go.

use std::collections::HashMap;
use std::io::{self, Read};

use holdfast_schemas::Digest;

/// Why content could not be kept.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Takes the content files of a site, those that the snapshot does not hold itself.
pub trait ContentSink {
    /// Whether it has this content already; then it is not given again.
    fn has(&mut self, digest: &Digest, size: u64) -> Result<bool, SinkError>;

    /// Takes content. A sink that outlives the reading checks the bytes against the digest.
    fn put(&mut self, digest: &Digest, size: u64, bytes: &mut dyn Read) -> Result<(), SinkError>;
}

/// Keeps nothing: to check a site, digests are enough.
#[derive(Debug, Default)]
pub struct Discard;

impl ContentSink for Discard {
    fn has(&mut self, _: &Digest, _: u64) -> Result<bool, SinkError> {
        Ok(true)
    }

    fn put(&mut self, _: &Digest, _: u64, _: &mut dyn Read) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Keeps content in memory up to a limit for one file and for all; says what it left out.
#[derive(Debug)]
pub struct KeepInMemory {
    /// Largest file that is kept, in bytes.
    pub each: u64,
    /// What may still be kept of all, in bytes.
    pub left: u64,
    /// What was kept.
    pub kept: HashMap<Digest, Vec<u8>>,
}

impl KeepInMemory {
    /// One that is empty.
    pub fn new(each: u64, all: u64) -> Self {
        Self {
            each,
            left: all,
            kept: HashMap::new(),
        }
    }
}

impl ContentSink for KeepInMemory {
    fn has(&mut self, digest: &Digest, size: u64) -> Result<bool, SinkError> {
        Ok(size > self.each.min(self.left) || self.kept.contains_key(digest))
    }

    fn put(&mut self, digest: &Digest, size: u64, bytes: &mut dyn Read) -> Result<(), SinkError> {
        let mut kept = Vec::new();
        bytes.take(size).read_to_end(&mut kept)?;
        if Digest::of(&kept) != *digest {
            return Err(io::Error::from(io::ErrorKind::InvalidData).into());
        }
        self.left = self.left.saturating_sub(size);
        self.kept.insert(*digest, kept);
        Ok(())
    }
}
