//! What a file holds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Digest;

/// Longest content that stands in the catalog itself, in bytes; longer (or not UTF-8) is a blob.
/// Small enough that a catalog stays small, large enough that ordinary configuration files need
/// no second request.
pub const MAX_INLINE: usize = 8 * 1024;

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Content {
    /// The text itself, at most [`MAX_INLINE`] bytes when the compiler writes it.
    Text(String),
    /// Content that is fetched by its digest.
    Blob {
        /// BLAKE3 digest of the whole content.
        digest: Digest,
        /// Length in bytes.
        size: u64,
    },
}

impl Content {
    /// The digest of the content.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Text(text) => Digest::of(text),
            Self::Blob { digest, .. } => *digest,
        }
    }

    /// The length of the content in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Blob { size, .. } => *size,
        }
    }
}
