//! Where content that is not in the catalog itself comes from.

use std::io::{self, Cursor, Read};

use holdfast_schemas::Digest;
use holdfast_schemas::resource::Content;

use super::HostError;

/// The store of blobs that the agent fetched.
pub trait ContentSource: Send + Sync {
    /// Opens a blob. What it gives is verified where it is used, so it may be anything.
    fn open(&self, digest: &Digest) -> io::Result<Box<dyn Read + Send>>;
}

/// A source that has nothing: for a host that is only looked at, or a catalog without blobs.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoContent;

impl ContentSource for NoContent {
    fn open(&self, _digest: &Digest) -> io::Result<Box<dyn Read + Send>> {
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the catalog does not carry it and there is no server to fetch it from",
        ))
    }
}

/// Opens content of either sort.
pub(super) fn open<'c>(
    wanted: &'c Content,
    source: &dyn ContentSource,
) -> Result<Box<dyn Read + 'c>, HostError> {
    match wanted {
        Content::Text(text) => Ok(Box::new(Cursor::new(text.as_bytes()))),
        Content::Blob { digest, .. } => match source.open(digest) {
            Ok(blob) => Ok(blob),
            Err(source) => Err(HostError::Content {
                digest: *digest,
                source,
            }),
        },
    }
}
