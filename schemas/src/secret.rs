//! Secrets as a catalog speaks of them: by name, and by a commitment to what they are.
//!
//! A catalog never holds a secret, sealed or not. A file whose content a secret touched is named by
//! a [`Commitment`]; the sealed bytes are a blob that the envelope lists, and only the host whose
//! [`SealingKey`] they were sealed to can open it. What is sealed is 32 bytes of *opening* followed
//! by the content; the commitment is BLAKE3 of the content, keyed with the opening. So it binds the
//! content without giving a guess anything to be tried against, and a sealed blob that somebody
//! else made is refused when it is opened.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Digest;

/// What stands before a secret's name wherever it is shown.
pub const SECRET_PREFIX: &str = "secret:";

/// Longest name of a secret, in bytes: a path in a repo.
pub const MAX_SECRET_NAME: usize = 1024;

/// Length of the opening that stands before a sealed content, in bytes.
pub const OPENING: usize = 32;

/// Longest content that a secret may touch, in bytes: it is held in memory while it is sealed,
/// opened and written. Keys and configuration files are a thousandth of it.
pub const MAX_SEALED: usize = 4 * 1024 * 1024;

/// Bytes that sealing adds: the opening, a public key (32) and an authenticator (16).
pub const SEALED_OVERHEAD: usize = OPENING + 48;

/// The name of a secret: the variable's path (`mongodb.password`) or the file's in the repo. On
/// the wire and wherever it is shown it is `secret:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretName(String);

impl SecretName {
    /// Takes a name without its prefix.
    pub fn new(name: impl Into<String>) -> Result<Self, SecretNameError> {
        let name = name.into();
        match name.is_empty() || name.len() > MAX_SECRET_NAME || name.contains(char::is_control) {
            true => Err(SecretNameError),
            false => Ok(Self(name)),
        }
    }

    /// The name alone.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Text that is not the name of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret is written secret:NAME, with a name of at most {MAX_SECRET_NAME} bytes in one line"
)]
pub struct SecretNameError;

impl FromStr for SecretName {
    type Err = SecretNameError;

    fn from_str(text: &str) -> Result<Self, SecretNameError> {
        Self::new(text.strip_prefix(SECRET_PREFIX).ok_or(SecretNameError)?)
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SECRET_PREFIX}{}", self.0)
    }
}

crate::text_form::text_form!(
    SecretName,
    "SecretName",
    pattern = "^secret:.+$",
    "secret:NAME, never the secret itself"
);

/// What stands in a catalog for content that a secret touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Commitment {
    /// Compiled without the key: digest of the encrypted secrets and the text around them. It
    /// tells two versions apart, and nobody can open it: an agent skips the resource and says so.
    Draft(Digest),
    /// Compiled for an enrolled host: BLAKE3 of the content, keyed with the opening.
    Sealed(Digest),
}

impl Commitment {
    /// The commitment to a content under an opening.
    pub fn to_content(opening: &[u8; OPENING], content: &[u8]) -> Self {
        Self::Sealed(Digest::from_bytes(
            *blake3::keyed_hash(opening, content).as_bytes(),
        ))
    }
}

/// A host's public key that contents are sealed to (X25519, 32 bytes; base64 on the wire). It is
/// a key of its own, apart from the one that TLS uses. The box is libsodium's `crypto_box_seal`:
/// X25519, XSalsa20-Poly1305, with an ephemeral key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SealingKey(pub [u8; 32]);

/// Text that is not a sealing key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a sealing key is 32 bytes in base64 (RFC 4648, with padding)")]
pub struct SealingKeyError;

impl FromStr for SealingKey {
    type Err = SealingKeyError;

    fn from_str(text: &str) -> Result<Self, SealingKeyError> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| SealingKeyError)?;
        bytes.try_into().map(Self).map_err(|_| SealingKeyError)
    }
}

impl fmt::Display for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.0))
    }
}

crate::text_form::text_form!(
    SealingKey,
    "SealingKey",
    pattern = "^[A-Za-z0-9+/]{43}=$",
    "X25519 public key, 32 bytes in base64"
);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_commitment_depends_on_the_opening_and_on_the_content() {
        let made = |opening: u8, content: &str| {
            Commitment::to_content(&[opening; OPENING], content.as_bytes())
        };
        assert_eq!(made(1, "a"), made(1, "a"));
        assert_ne!(made(1, "a"), made(2, "a"));
        assert_ne!(made(1, "a"), made(1, "b"));
        let bare = Commitment::Sealed(Digest::of("a"));
        assert_ne!(
            made(0, "a"),
            bare,
            "a guess can be tried against a bare digest"
        );
    }

    #[test]
    fn names_and_keys_come_back_as_they_went() {
        let name: SecretName = "secret:mongodb.password".parse().unwrap();
        assert_eq!(name.as_str(), "mongodb.password");
        assert_eq!(name.to_string(), "secret:mongodb.password");
        for wrong in ["mongodb.password", "secret:", "secret:a\nb"] {
            assert!(wrong.parse::<SecretName>().is_err(), "{wrong:?}");
        }
        let key = SealingKey([7; 32]);
        assert_eq!(key.to_string().parse(), Ok(key));
        assert!("AAAA".parse::<SealingKey>().is_err());
    }
}
