//! A catalog from a file: bare, or in a bundle with the content it needs.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use holdfast_modules::host::{ContentSource, DRAFT};
use holdfast_schemas::Digest;
use holdfast_schemas::catalog::{Bundle, Catalog, CatalogError};
use holdfast_schemas::secret::Commitment;
use zeroize::Zeroizing;

/// Largest bundle that is read, in bytes: it is held in memory, with its content.
pub(crate) const MAX_BUNDLE: u64 = 512 * 1024 * 1024;

/// Why a document cannot be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BundleError {
    /// It is larger than anything a compiler writes.
    #[error("it has more than the {MAX_BUNDLE} bytes that are read")]
    TooLarge,
    /// Nothing was given.
    #[error("it is empty: a catalog or a bundle is expected")]
    Empty,
    /// It is not a bundle.
    #[error("it is not a bundle: {0}")]
    NotABundle(#[source] serde_json::Error),
    /// It does not hold a usable catalog.
    #[error("its catalog cannot be used")]
    Catalog(#[source] CatalogError),
    /// It is not a catalog.
    #[error("it is not a catalog")]
    NotACatalog(#[source] CatalogError),
    /// Content that is not what its name says.
    #[error("it carries content under the digest {named} whose digest is {found}")]
    Content {
        /// The digest it stands under.
        named: Digest,
        /// The digest it has.
        found: Digest,
    },
}

/// A catalog and what came with it.
pub(crate) struct Bundled {
    /// The catalog.
    pub(crate) catalog: Catalog,
    /// The content it carries.
    pub(crate) content: Arc<dyn ContentSource>,
    /// Content that was left out, with its size.
    pub(crate) omitted: BTreeMap<Digest, u64>,
}

/// Content in memory.
struct Carried(BTreeMap<Digest, Arc<[u8]>>);

impl ContentSource for Carried {
    fn open(&self, digest: &Digest) -> io::Result<Box<dyn Read + Send>> {
        match self.0.get(digest) {
            Some(bytes) => Ok(Box::new(Cursor::new(Arc::clone(bytes)))),
            None => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the catalog does not carry it, and there is no server to fetch it from",
            )),
        }
    }

    fn unseal(&self, _commitment: &Commitment) -> io::Result<Zeroizing<Vec<u8>>> {
        Err(io::Error::new(io::ErrorKind::NotFound, DRAFT))
    }
}

/// Reads a bundle or a bare catalog.
pub(crate) fn parse(bytes: &[u8]) -> Result<Bundled, BundleError> {
    if bytes.len() as u64 > MAX_BUNDLE {
        return Err(BundleError::TooLarge);
    }
    match first_key(bytes) {
        None if bytes.trim_ascii().is_empty() => Err(BundleError::Empty),
        Some(b"format" | b"host" | b"enforcement" | b"resources") => {
            let catalog = Catalog::parse(bytes).map_err(BundleError::NotACatalog)?;
            Ok(Bundled {
                catalog,
                content: Arc::new(Carried(BTreeMap::new())),
                omitted: BTreeMap::new(),
            })
        }
        _ => unpack(serde_json::from_slice(bytes).map_err(BundleError::NotABundle)?),
    }
}

fn unpack(bundle: Bundle) -> Result<Bundled, BundleError> {
    bundle.catalog.check().map_err(BundleError::Catalog)?;
    let mut carried = BTreeMap::new();
    for (named, bytes) in bundle.blobs {
        let found = Digest::of(&bytes.0);
        if found != named {
            return Err(BundleError::Content { named, found });
        }
        carried.insert(named, bytes.0.into());
    }
    Ok(Bundled {
        catalog: bundle.catalog,
        content: Arc::new(Carried(carried)),
        omitted: bundle.omitted,
    })
}

/// The first key of a JSON object, if it holds no escapes. It tells a catalog from a bundle
/// without reading the document twice, so that errors name the line at fault.
fn first_key(bytes: &[u8]) -> Option<&[u8]> {
    let inside = bytes.trim_ascii_start().strip_prefix(b"{")?;
    let key = inside.trim_ascii_start().strip_prefix(b"\"")?;
    let end = key.iter().position(|&byte| byte == b'"')?;
    Some(&key[..end])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use holdfast_schemas::catalog::Bytes;

    use super::*;

    const CATALOG: &str = r#"{"format":1,"host":"a","resources":[]}"#;

    fn refusal(text: &str) -> BundleError {
        parse(text.as_bytes()).err().unwrap()
    }

    #[test]
    fn both_forms_are_read() {
        assert_eq!(
            parse(CATALOG.as_bytes()).unwrap().catalog.host.as_str(),
            "a"
        );
        let bundle = format!(" {{ \"catalog\": {CATALOG} }}");
        assert_eq!(parse(bundle.as_bytes()).unwrap().catalog.host.as_str(), "a");
    }

    #[test]
    fn what_is_neither_is_refused_with_its_reason() {
        assert!(matches!(refusal(" \n"), BundleError::Empty));
        assert!(matches!(refusal("[]"), BundleError::NotABundle(_)));
        assert!(matches!(refusal("{"), BundleError::NotABundle(_)));
        let later = CATALOG.replace('1', "2");
        assert!(matches!(refusal(&later), BundleError::NotACatalog(_)));
    }

    #[test]
    fn content_under_a_wrong_name_is_refused() {
        let bundle = Bundle {
            catalog: Catalog::parse(CATALOG.as_bytes()).unwrap(),
            blobs: BTreeMap::from([(Digest::of("a"), Bytes(b"b".to_vec()))]),
            omitted: BTreeMap::new(),
        };
        assert!(matches!(unpack(bundle), Err(BundleError::Content { .. })));
    }
}
