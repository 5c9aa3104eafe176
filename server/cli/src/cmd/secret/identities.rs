//! The operator's own identities.

use std::path::{Path, PathBuf};

use holdfast_secrets::{Keyring, OpenError, Plaintext};
use zeroize::Zeroizing;

use super::SecretError;

/// How a verb finds what opens secrets.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct IdentityArgs {
    /// A file of age identities that open the site's secrets; may be repeated
    #[arg(long = "identity", value_name = "FILE", env = "HOLDFAST_IDENTITY")]
    identities: Vec<PathBuf>,
}

impl IdentityArgs {
    /// Reads them all.
    pub(crate) fn open(&self) -> Result<Keyring, SecretError> {
        if self.identities.is_empty() {
            return Err(SecretError::NoIdentity);
        }
        let mut keyring = Keyring::default();
        for path in &self.identities {
            keyring.extend(read(path)?);
        }
        Ok(keyring)
    }
}

fn read(path: &Path) -> Result<Keyring, SecretError> {
    let bytes = std::fs::read(path).map(Zeroizing::new);
    let bytes = bytes.map_err(SecretError::file("read", path))?;
    // What is no text holds no identity.
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    Keyring::parse(text).map_err(|source| SecretError::Identity {
        path: path.to_owned(),
        source,
    })
}

/// Opens a secret, and says which if it does not.
pub(crate) fn open(
    keyring: &Keyring,
    encrypted: &[u8],
    place: impl Into<String>,
) -> Result<Plaintext, SecretError> {
    let named = |source: OpenError| SecretError::Open {
        place: place.into(),
        source,
    };
    keyring.open(encrypted).map_err(named)
}
