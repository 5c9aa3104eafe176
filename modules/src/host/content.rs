//! Where content that is not in the catalog itself comes from.

use std::io::{self, Cursor, Read};

use holdfast_schemas::resource::Content;
use holdfast_schemas::secret::{Commitment, SecretName};
use holdfast_schemas::{Digest, Hasher};
use zeroize::Zeroizing;

use super::HostError;

/// Bytes read at a time.
const PIECE: usize = 64 * 1024;

/// The store of blobs that the agent fetched.
pub trait ContentSource: Send + Sync {
    /// Opens a blob. What it gives is verified where it is used, so it may be anything.
    fn open(&self, digest: &Digest) -> io::Result<Box<dyn Read + Send>>;

    /// Opens what is sealed to this host. What it gives is what the commitment says.
    fn unseal(&self, commitment: &Commitment) -> io::Result<Zeroizing<Vec<u8>>>;
}

/// Why content cannot be opened that was compiled without the key.
pub const DRAFT: &str = "it was compiled without the key of its secrets, which only a server \
                         seals, to hosts that enrolled";

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

    fn unseal(&self, _commitment: &Commitment) -> io::Result<Zeroizing<Vec<u8>>> {
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            "nothing is sealed to this host, which has no key",
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
        Content::Sealed {
            secrets,
            commitment,
        } => match source.unseal(commitment) {
            Ok(content) => Ok(Box::new(Cursor::new(content))),
            Err(source) => Err(HostError::Sealed {
                secrets: named(secrets),
                source,
            }),
        },
    }
}

/// Secrets by their names, in one line.
pub(crate) fn named(secrets: &[SecretName]) -> String {
    let names: Vec<String> = secrets.iter().map(SecretName::to_string).collect();
    names.join(", ")
}

/// Digest and length of content that is already open.
pub(super) fn measure(content: &mut dyn Read) -> Result<(Digest, u64), HostError> {
    let mut hasher = Hasher::new();
    let mut size = 0;
    let mut piece = Zeroizing::new(vec![0; PIECE]);
    loop {
        match content.read(&mut piece) {
            Ok(0) => return Ok((hasher.finish(), size)),
            Ok(length) => {
                hasher.update(&piece[..length]);
                size += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => {
                let secrets = "secrets".to_owned();
                return Err(HostError::Sealed { secrets, source });
            }
        }
    }
}
