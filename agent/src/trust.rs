//! Trust is a value that is obtained: a catalog can be executed for an enrolled host only as
//! [`Verified`], and there is one way to get one.
//!
//! The steps, each refusing what the next must not see: the signature of a known key over the
//! exact text, the host's own name, a generation that is not older, features that are all known,
//! and at last the body: its length, its digest, its form.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use ed25519_dalek::{Signature, VerifyingKey};
use holdfast_schemas::catalog::{
    Catalog, CatalogError, CatalogKey, Envelope, FEATURES, MAX_CATALOG, MAX_ENVELOPE,
    SIGNING_CONTEXT, SealedBlob, SignedEnvelope,
};
use holdfast_schemas::resource::{Content, Resource, ResourceId, Spec};
use holdfast_schemas::secret::{Commitment, MAX_SEALED, SEALED_OVERHEAD};
use holdfast_schemas::{Digest, HostName};
use serde::{Deserialize, Serialize};

/// Why a catalog is not believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustError {
    /// The envelope is far larger than one can be.
    #[error("the envelope has {size} bytes, at most {MAX_ENVELOPE} are accepted")]
    EnvelopeTooLarge {
        /// Bytes given.
        size: usize,
    },
    /// A key of the enrolment is not an Ed25519 key.
    #[error("the catalog key {id} from the enrolment is not an Ed25519 public key")]
    BadKey {
        /// The key's name.
        id: String,
    },
    /// No key that this host knows made the signature.
    #[error(
        "the catalog's signature is not valid for any of the {known} keys this host was enrolled with"
    )]
    Signature {
        /// How many keys were tried.
        known: usize,
    },
    /// The signed text is not an envelope.
    #[error("the signed envelope cannot be read")]
    Malformed(#[source] serde_json::Error),
    /// The envelope names another key than the one that signed it.
    #[error("the envelope names the key {named}, the key {signed_by} signed it")]
    KeyName {
        /// The key it names.
        named: String,
        /// The key that made the signature.
        signed_by: String,
    },
    /// It is for another host.
    #[error("the catalog is for {found}, this host is {own}")]
    OtherHost {
        /// Whose it is.
        found: HostName,
        /// This host.
        own: HostName,
    },
    /// It was superseded.
    #[error("the catalog is of generation {found}, this host has accepted {accepted} already")]
    Older {
        /// The generation given.
        found: u64,
        /// The newest that was accepted.
        accepted: u64,
    },
    /// One generation, two bodies.
    #[error(
        "the catalog of generation {generation} is not the one that was accepted under that number"
    )]
    Forked {
        /// The generation.
        generation: u64,
    },
    /// It needs an agent that knows more.
    #[error("the catalog needs {feature:?}, which this agent does not know")]
    Feature {
        /// What is needed.
        feature: String,
    },
    /// The body is not the one that was signed.
    #[error(
        "the catalog's body has {found_size} bytes and digest {found}, signed were {size} bytes with digest {wanted}"
    )]
    Body {
        /// Digest given.
        found: Digest,
        /// Length given.
        found_size: u64,
        /// Digest signed.
        wanted: Digest,
        /// Length signed.
        size: u64,
    },
    /// The body is longer than any catalog.
    #[error("the catalog's body has {size} bytes, at most {MAX_CATALOG} are accepted")]
    BodyTooLarge {
        /// Length signed.
        size: u64,
    },
    /// A content was never sealed: the server had not the key of its secrets.
    #[error("the catalog's {id} holds secrets that nobody sealed to this host")]
    Unsealed {
        /// Whose content it is.
        id: ResourceId,
    },
    /// A box that no content can be in.
    #[error("the envelope names a sealed content of {size} bytes, which none can have")]
    SealedSize {
        /// Length signed.
        size: u64,
    },
    /// The body is not a catalog.
    #[error("the signed catalog cannot be used")]
    Catalog(#[source] CatalogError),
}

/// The newest catalog that this host ever accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accepted {
    /// Its generation.
    pub(crate) generation: u64,
    /// Digest of its body.
    pub(crate) body: Digest,
}

/// Whom this host believes, and what it has accepted so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trust<'a> {
    /// The host's own name.
    pub(crate) host: &'a HostName,
    /// The keys it was enrolled with.
    pub(crate) keys: &'a [CatalogKey],
    /// The newest it accepted.
    pub(crate) accepted: Option<Accepted>,
}

/// An envelope that is believed; its body is still to come.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedEnvelope(Envelope);

/// A catalog that may be executed.
#[derive(Debug)]
pub(crate) struct Verified {
    envelope: Envelope,
    catalog: Catalog,
}

impl Trust<'_> {
    /// Believes an envelope, or says why not.
    pub(crate) fn verify(&self, signed: &SignedEnvelope) -> Result<VerifiedEnvelope, TrustError> {
        let text = signed.envelope.as_bytes();
        if text.len() > MAX_ENVELOPE {
            return Err(TrustError::EnvelopeTooLarge { size: text.len() });
        }
        let key = self.signer(text, &signed.signature.0)?;
        let envelope: Envelope = serde_json::from_slice(text).map_err(TrustError::Malformed)?;
        if envelope.key != key.id {
            return Err(TrustError::KeyName {
                named: envelope.key,
                signed_by: key.id.clone(),
            });
        }
        if envelope.host != *self.host {
            return Err(TrustError::OtherHost {
                found: envelope.host,
                own: self.host.clone(),
            });
        }
        self.not_older(&envelope)?;
        let unknown = |feature: &&String| !FEATURES.contains(&feature.as_str());
        if let Some(feature) = envelope.features.iter().find(unknown) {
            return Err(TrustError::Feature {
                feature: feature.clone(),
            });
        }
        if envelope.size > MAX_CATALOG as u64 {
            return Err(TrustError::BodyTooLarge {
                size: envelope.size,
            });
        }
        Ok(VerifiedEnvelope(envelope))
    }

    /// The key that made the signature.
    fn signer(&self, text: &[u8], signature: &[u8]) -> Result<&CatalogKey, TrustError> {
        let refused = || TrustError::Signature {
            known: self.keys.len(),
        };
        let signature = Signature::from_slice(signature).map_err(|_| refused())?;
        let message = [SIGNING_CONTEXT, text].concat();
        for key in self.keys {
            let bad = || TrustError::BadKey { id: key.id.clone() };
            let public = key.public.0.as_slice().try_into().map_err(|_| bad())?;
            let public = VerifyingKey::from_bytes(public).map_err(|_| bad())?;
            if public.verify_strict(&message, &signature).is_ok() {
                return Ok(key);
            }
        }
        Err(refused())
    }

    fn not_older(&self, envelope: &Envelope) -> Result<(), TrustError> {
        let Some(accepted) = self.accepted else {
            return Ok(());
        };
        if envelope.generation < accepted.generation {
            return Err(TrustError::Older {
                found: envelope.generation,
                accepted: accepted.generation,
            });
        }
        if envelope.generation == accepted.generation && envelope.body != accepted.body {
            return Err(TrustError::Forked {
                generation: envelope.generation,
            });
        }
        Ok(())
    }
}

impl VerifiedEnvelope {
    /// What was signed.
    pub(crate) fn envelope(&self) -> &Envelope {
        &self.0
    }

    /// Admits the body that the envelope speaks of, and no other.
    pub(crate) fn admit(self, body: &[u8]) -> Result<Verified, TrustError> {
        let envelope = self.0;
        let found = Digest::of(body);
        if found != envelope.body || body.len() as u64 != envelope.size {
            return Err(TrustError::Body {
                found,
                found_size: body.len() as u64,
                wanted: envelope.body,
                size: envelope.size,
            });
        }
        let catalog = Catalog::parse(body).map_err(TrustError::Catalog)?;
        if catalog.host != envelope.host {
            return Err(TrustError::OtherHost {
                found: catalog.host,
                own: envelope.host,
            });
        }
        all_sealed(&catalog, &envelope)?;
        Ok(Verified { envelope, catalog })
    }
}

/// Refuses a catalog whose secrets are not all in boxes that can be held.
fn all_sealed(catalog: &Catalog, envelope: &Envelope) -> Result<(), TrustError> {
    const SIZES: RangeInclusive<u64> =
        SEALED_OVERHEAD as u64..=(MAX_SEALED + SEALED_OVERHEAD) as u64;
    let bad = |blob: &&SealedBlob| !SIZES.contains(&blob.size);
    if let Some(SealedBlob { size, .. }) = envelope.sealed.values().find(bad) {
        return Err(TrustError::SealedSize { size: *size });
    }
    let boxed = |resource: &&Resource| match &resource.spec {
        Spec::File(file) => match &file.content {
            Some(Content::Sealed { commitment, .. }) => match commitment {
                Commitment::Sealed(named) => envelope.sealed.contains_key(named),
                Commitment::Draft(_) => false,
            },
            _ => true,
        },
        _ => true,
    };
    match catalog.resources.iter().find(|one| !boxed(one)) {
        None => Ok(()),
        Some(resource) => Err(TrustError::Unsealed {
            id: resource.id.clone(),
        }),
    }
}

impl Verified {
    /// What was signed.
    pub(crate) fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The catalog.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The blobs that executing it takes, boxes among them, with their sizes.
    pub(crate) fn needs(&self) -> BTreeMap<Digest, u64> {
        let sealed = self.envelope.sealed.values();
        let mut needs = self.catalog.blobs();
        needs.extend(sealed.map(|blob| (blob.digest, blob.size)));
        needs
    }

    /// What the host has accepted with it.
    pub(crate) fn accepted(&self) -> Accepted {
        Accepted {
            generation: self.envelope.generation,
            body: self.envelope.body,
        }
    }
}

#[cfg(test)]
mod tests;
