//! The key that signs catalogs: what reaches a host was decided here and nowhere else.

use std::path::Path;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use ed25519_dalek::{Signer as _, SigningKey};
use holdfast_schemas::Digest;
use holdfast_schemas::catalog::{Bytes, CatalogKey, Envelope, SIGNING_CONTEXT, SignedEnvelope};

use super::PkiError;
use super::authority::random;
use super::files::{read_private, write_private};

/// Signs catalogs.
pub struct CatalogSigner {
    key: SigningKey,
    public: CatalogKey,
}

impl std::fmt::Debug for CatalogSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CatalogSigner {}", self.public.id)
    }
}

impl CatalogSigner {
    /// Reads the key of a folder, or makes one.
    pub(super) fn open(folder: &Path) -> Result<Self, PkiError> {
        let path = folder.join("catalog-key.pem");
        let malformed = || PkiError::Malformed {
            path: path.clone(),
            expected: "the Ed25519 key that signs catalogs",
        };
        let key = match read_private(&path)? {
            Some(text) => std::str::from_utf8(&text)
                .ok()
                .and_then(|text| SigningKey::from_pkcs8_pem(text).ok())
                .ok_or_else(malformed)?,
            None => {
                let key = SigningKey::from_bytes(&random()?);
                let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| malformed())?;
                write_private(&path, pem.as_bytes())?;
                key
            }
        };
        let public = key.verifying_key().to_bytes();
        let id = Digest::of(public).to_string()[..16].to_owned();
        Ok(Self {
            key,
            public: CatalogKey {
                id,
                public: Bytes(public.to_vec()),
            },
        })
    }

    /// The public key, as hosts get it when they enrol.
    pub fn public(&self) -> &CatalogKey {
        &self.public
    }

    /// Signs an envelope.
    pub fn sign(&self, envelope: &Envelope) -> SignedEnvelope {
        // Strings, integers and a time: it always serialises.
        let text = serde_json::to_string(envelope).unwrap_or_default();
        let signed = [SIGNING_CONTEXT, text.as_bytes()].concat();
        SignedEnvelope {
            signature: Bytes(self.key.sign(&signed).to_bytes().to_vec()),
            envelope: text,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ed25519_dalek::{Signature, VerifyingKey};

    use super::*;

    #[test]
    fn the_key_stays_and_its_signature_covers_context_and_text() {
        let folder = tempfile::tempdir().unwrap();
        let signer = CatalogSigner::open(folder.path()).unwrap();
        let again = CatalogSigner::open(folder.path()).unwrap();
        assert_eq!(signer.public, again.public);
        let envelope = Envelope {
            host: "h1".parse().unwrap(),
            generation: 7,
            body: Digest::of("body"),
            size: 4,
            features: Vec::new(),
            sealed: std::collections::BTreeMap::new(),
            key: signer.public.id.clone(),
            issued: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        let signed = again.sign(&envelope);
        assert_eq!(
            serde_json::from_str::<Envelope>(&signed.envelope).unwrap(),
            envelope
        );
        let key: [u8; 32] = signer.public.public.0.clone().try_into().unwrap();
        let key = VerifyingKey::from_bytes(&key).unwrap();
        let signature = Signature::from_slice(&signed.signature.0).unwrap();
        let text = [SIGNING_CONTEXT, signed.envelope.as_bytes()].concat();
        key.verify_strict(&text, &signature).unwrap();
        assert!(
            key.verify_strict(signed.envelope.as_bytes(), &signature)
                .is_err()
        );
    }
}
