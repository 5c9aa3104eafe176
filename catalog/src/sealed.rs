//! Content with secrets in it, as the compiler leaves it: encrypted, in pieces.
//!
//! The compiler has no key. What it makes of `password = {{ mongodb.password }}` is the text and the
//! encrypted value, side by side; a server that has the key puts them together and seals the whole
//! to the host. Offline, the draft's digest tells one version from another.

use std::sync::Arc;

use holdfast_schemas::Digest;
use holdfast_schemas::secret::{Commitment, SecretName};

use crate::diag::Span;
use crate::site::{Plain, Secret, Veiled};

/// A content that holds secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedContent {
    /// What it is put together from, in order.
    pub pieces: Vec<Piece>,
}

/// A piece of such a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as it stands.
    Text(Arc<str>),
    /// What is encrypted.
    Secret {
        /// Its name.
        name: SecretName,
        /// The age file, binary or armored, as it stands in the repo.
        encrypted: Arc<[u8]>,
        /// Where it stands: what a server points at that cannot open it.
        place: Span,
    },
    /// What is declared sensitive, and stands in the repo as it is.
    Sensitive {
        /// Its name.
        name: SecretName,
        /// What it is.
        plain: Plain,
    },
}

impl Piece {
    /// What a secret is as a piece.
    pub(crate) fn of(secret: &Secret) -> Self {
        let name = secret.name.clone();
        match &secret.held {
            Veiled::Encrypted(encrypted) => Self::Secret {
                name,
                encrypted: Arc::clone(encrypted),
                place: secret.place.clone(),
            },
            Veiled::Plain(plain) => Self::Sensitive {
                name,
                plain: plain.clone(),
            },
        }
    }
}

impl SealedContent {
    /// A content file as it is.
    pub(crate) fn of_file(secret: &Secret) -> Self {
        Self {
            pieces: vec![Piece::of(secret)],
        }
    }

    /// The length of what stands around the secrets, in bytes.
    pub(crate) fn text_len(&self) -> usize {
        let texts = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::Secret { .. } | Piece::Sensitive { .. } => 0,
        });
        texts.sum()
    }

    /// The secrets in it, sorted, each once.
    pub fn secrets(&self) -> Vec<SecretName> {
        let names = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Secret { name, .. } | Piece::Sensitive { name, .. } => Some(name.clone()),
        });
        let mut names: Vec<SecretName> = names.collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// What it is known by until it is sealed: equal pieces, equal digest.
    pub fn draft(&self) -> Commitment {
        let mut hasher = holdfast_schemas::Hasher::new();
        for piece in &self.pieces {
            let (kind, bytes) = match piece {
                Piece::Text(text) => (b"text", text.as_bytes()),
                Piece::Secret { encrypted, .. } => (b"age\0", &**encrypted),
                Piece::Sensitive { plain, .. } => (b"bare", plain.expose().as_bytes()),
            };
            hasher.update(kind);
            hasher.update(Digest::of(bytes).as_bytes());
        }
        Commitment::Draft(hasher.finish())
    }
}
