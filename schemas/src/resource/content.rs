//! What a file holds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::secret::{Commitment, SecretName};

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
    /// Content that a secret touched, sealed whole.
    Sealed {
        /// The secrets in it, sorted.
        secrets: Vec<SecretName>,
        /// What it is known by.
        commitment: Commitment,
    },
}

impl Content {
    /// Digest and length of the content, where the catalog tells them: of what is sealed it does
    /// not, for a digest can be guessed at.
    pub fn plain(&self) -> Option<(Digest, u64)> {
        match self {
            Self::Text(text) => Some((Digest::of(text), text.len() as u64)),
            Self::Blob { digest, size } => Some((*digest, *size)),
            Self::Sealed { .. } => None,
        }
    }
}
