//! A host's desired state, and the signed envelope that vouches for it.
//!
//! A catalog is a list in the order of application whose edges point only backwards, so a cycle
//! cannot be written down. Its bytes hold nothing that varies without meaning: no revision, no
//! time, no position in a repo. Two equal catalogs are equal bytes, and the digest of those bytes
//! is what an envelope signs.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::health::{HealthError, RoleHealth};
use crate::resource::{Content, Resource, ResourceId, Spec};
use crate::{Digest, HostName};

/// The version of the catalog's form that this code writes and reads.
pub const CATALOG_FORMAT: u32 = 1;

/// Largest catalog body accepted, in bytes. A thousand times an ordinary one.
pub const MAX_CATALOG: usize = 64 * 1024 * 1024;

/// Most resources in one catalog.
pub const MAX_RESOURCES: usize = 200_000;

/// What an agent does with what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// Differences are mended.
    #[default]
    Enforce,
    /// Differences are only recorded.
    Audit,
}

impl Enforcement {
    fn is_enforce(&self) -> bool {
        *self == Self::Enforce
    }
}

/// A host's desired state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// [`CATALOG_FORMAT`].
    pub format: u32,
    /// The host it was compiled for.
    pub host: HostName,
    /// Whether differences are mended or only recorded.
    #[serde(default, skip_serializing_if = "Enforcement::is_enforce")]
    pub enforcement: Enforcement,
    /// What is wanted, in the order of application.
    pub resources: Vec<Resource>,
    /// What tells whether roles are well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health: Vec<RoleHealth>,
}

/// Why a document is not a catalog.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// It is larger than [`MAX_CATALOG`].
    #[error("the catalog has {size} bytes, at most {MAX_CATALOG} are accepted")]
    TooLarge {
        /// Bytes given.
        size: usize,
    },
    /// It is not of the form of a catalog.
    #[error("the catalog cannot be read")]
    Malformed(#[source] serde_json::Error),
    /// It was written by a later compiler.
    #[error("the catalog has format {found}, this program reads format {CATALOG_FORMAT}")]
    Format {
        /// The format given.
        found: u32,
    },
    /// It has more resources than are accepted.
    #[error("the catalog has {count} resources, at most {MAX_RESOURCES} are accepted")]
    TooManyResources {
        /// Resources given.
        count: usize,
    },
    /// Two resources have one name.
    #[error("{0} stands twice in the catalog")]
    Duplicate(ResourceId),
    /// An edge to a resource that does not stand before the one it leads to.
    #[error("{from} names {to}, which does not stand before it in the catalog")]
    ForwardEdge {
        /// The resource that has the edge.
        from: ResourceId,
        /// What it names.
        to: ResourceId,
    },
    /// Probes that no agent would ask.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// A name of one type over a specification of another.
    #[error("{id} holds the specification of a {found}")]
    KindMismatch {
        /// The resource.
        id: ResourceId,
        /// The type its specification has.
        found: crate::resource::Kind,
    },
}

impl Catalog {
    /// Reads and checks a catalog body.
    pub fn parse(bytes: &[u8]) -> Result<Self, CatalogError> {
        if bytes.len() > MAX_CATALOG {
            return Err(CatalogError::TooLarge { size: bytes.len() });
        }
        let catalog: Self = serde_json::from_slice(bytes).map_err(CatalogError::Malformed)?;
        catalog.check()?;
        Ok(catalog)
    }

    /// Checks what the form alone does not: format, unique names, edges that point backwards.
    pub fn check(&self) -> Result<(), CatalogError> {
        if self.format != CATALOG_FORMAT {
            return Err(CatalogError::Format { found: self.format });
        }
        if self.resources.len() > MAX_RESOURCES {
            return Err(CatalogError::TooManyResources {
                count: self.resources.len(),
            });
        }
        let mut seen = HashMap::with_capacity(self.resources.len());
        for (place, resource) in self.resources.iter().enumerate() {
            if resource.spec.kind() != resource.id.kind() {
                return Err(CatalogError::KindMismatch {
                    id: resource.id.clone(),
                    found: resource.spec.kind(),
                });
            }
            let edges = resource.requires.iter().chain(&resource.subscribes);
            if let Some(to) = edges.into_iter().find(|to| !seen.contains_key(to)) {
                return Err(CatalogError::ForwardEdge {
                    from: resource.id.clone(),
                    to: to.clone(),
                });
            }
            if seen.insert(&resource.id, place).is_some() {
                return Err(CatalogError::Duplicate(resource.id.clone()));
            }
        }
        RoleHealth::check(&self.health, |id| seen.contains_key(id))?;
        Ok(())
    }

    /// The one way to write it: equal catalogs give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A catalog holds only strings, integers, lists and maps with string keys: it always
        // serialises, and into memory, which does not fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The blobs it needs, with their sizes.
    pub fn blobs(&self) -> BTreeMap<Digest, u64> {
        let contents = self
            .resources
            .iter()
            .filter_map(|resource| match &resource.spec {
                Spec::File(file) => file.content.as_ref(),
                _ => None,
            });
        let blob = |content: &Content| match content {
            Content::Blob { digest, size } => Some((*digest, *size)),
            Content::Text(_) | Content::Sealed { .. } => None,
        };
        contents.filter_map(blob).collect()
    }
}

/// What the server's signature covers: whose catalog, which, since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The host that may apply it.
    pub host: HostName,
    /// Rises for every catalog the host is given, also when one is rolled back.
    pub generation: u64,
    /// Digest of the catalog's bytes.
    pub body: Digest,
    /// Length of the catalog's bytes.
    pub size: u64,
    /// What an agent must understand to apply it (see [`FEATURES`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// The blobs that hold, sealed to this host, the contents that the catalog only commits to:
    /// by the digest in the commitment. Apart from the body, which seals nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sealed: BTreeMap<Digest, SealedBlob>,
    /// Name of the signing key.
    pub key: String,
    /// When the server gave it this generation.
    pub issued: Timestamp,
}

/// Most contents that are sealed to one host: each takes some 200 bytes of the envelope, which the
/// server holds in memory for every host.
pub const MAX_SEALED_CONTENTS: usize = 1000;

/// Longest text of an envelope, in bytes: a name, two numbers, a digest, a few words, and
/// [`MAX_SEALED_CONTENTS`].
pub const MAX_ENVELOPE: usize = 256 * 1024;

/// A blob that only one host can open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedBlob {
    /// BLAKE3 digest of the sealed bytes.
    pub digest: Digest,
    /// Their number; at most [`crate::secret::MAX_SEALED`] and what sealing adds.
    pub size: u64,
}

/// What this version of the language knows, each a word an envelope may demand and an agent
/// reports in its check-in. The resource types are among them, as `type:file`.
pub const FEATURES: &[&str] = &[
    "type:file",
    "type:directory",
    "type:symlink",
    "type:package",
    "type:service",
    "type:user",
    "type:group",
    "type:exec",
    "sealed",
    "health",
];

/// An envelope as it travels: the exact text that was signed, and the Ed25519 signature over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedEnvelope {
    /// The JSON text of an [`Envelope`].
    pub envelope: String,
    /// Ed25519 signature over [`SIGNING_CONTEXT`] followed by that text; 64 bytes in base64.
    pub signature: Bytes,
}

/// Stands before the envelope's text when it is signed, so that a signature for one purpose is
/// worth nothing for another.
pub const SIGNING_CONTEXT: &[u8] = b"holdfast catalog envelope v1\0";

/// A public key that signs catalogs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogKey {
    /// Name of the key: the first 16 hexadecimal digits of its BLAKE3 digest.
    pub id: String,
    /// Ed25519 public key, 32 bytes.
    pub public: Bytes,
}

/// A catalog with the content it needs, for a host that no server serves:
/// `holdfast compile HOST --json | holdfast-agent apply -`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The catalog.
    pub catalog: Catalog,
    /// Blobs by digest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub blobs: BTreeMap<Digest, Bytes>,
    /// Blobs that were left out because of their size; resources that need one are skipped.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub omitted: BTreeMap<Digest, u64>,
}

/// Bytes, base64 (RFC 4648, padded) on the wire.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl std::str::FromStr for Bytes {
    type Err = base64::DecodeError;

    fn from_str(text: &str) -> Result<Self, base64::DecodeError> {
        BASE64_STANDARD.decode(text).map(Self)
    }
}

crate::text_form::text_form!(
    Bytes,
    "Bytes",
    pattern = "^[A-Za-z0-9+/]*={0,2}$",
    "bytes in base64 (RFC 4648, with padding)"
);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_fullest_envelope_is_one_that_is_accepted() {
        let longest = u64::MAX;
        let blob = |number: usize| {
            let digest = Digest::of(number.to_string());
            let size = longest;
            (digest, SealedBlob { digest, size })
        };
        let envelope = Envelope {
            host: [63, 63, 63, 61]
                .map(|length| "h".repeat(length))
                .join(".")
                .parse()
                .unwrap(),
            generation: longest,
            body: Digest::of(""),
            size: longest,
            features: FEATURES.iter().map(|&word| word.to_owned()).collect(),
            sealed: (0..MAX_SEALED_CONTENTS).map(blob).collect(),
            key: "0123456789abcdef".to_owned(),
            issued: Timestamp::MAX,
        };
        let text = serde_json::to_string(&envelope).unwrap();
        assert!(text.len() < MAX_ENVELOPE, "{} bytes", text.len());
    }
}
