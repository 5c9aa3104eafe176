//! Content by digest: what the server was asked for, verified as it came, kept while the catalog
//! names it.
//!
//! A blob arrives in a `.part` file that an interrupted fetch leaves and the next one goes on
//! with; it takes its name only when its bytes are the digest's and on disk. Every use verifies
//! it again; one that has rotted since is dropped, and fetched anew by the next run.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use futures_util::{TryStreamExt, stream};
use holdfast_client::{AgentClient, ClientError};
use holdfast_schemas::{Digest, Hasher};

use crate::durable::{self, DiskError, PRIVATE_FILE};

/// Blobs that are fetched at one time: enough to hide the way to the server, few enough to leave
/// its other hosts a share.
const AT_ONCE: usize = 4;

/// Times that one blob is asked for before the run gives up; each goes on where the last ended.
const TRIES: u32 = 4;

/// Bytes read at a time from a partial blob.
const CHUNK: usize = 64 * 1024;

/// Why a blob could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The server did not give it.
    #[error("the content {digest} cannot be fetched")]
    Server {
        /// Which.
        digest: Digest,
        /// Why not.
        #[source]
        source: ClientError,
    },
    /// It is not what was asked for.
    #[error("the server gave {size} bytes with digest {found} for the content {wanted}")]
    Other {
        /// What was asked for.
        wanted: Digest,
        /// What came.
        found: Digest,
        /// Bytes that came.
        size: u64,
    },
    /// More came than the catalog says there is.
    #[error("the server gave more than the {size} bytes that the content {wanted} has")]
    TooLong {
        /// What was asked for.
        wanted: Digest,
        /// How long it is.
        size: u64,
    },
    /// It could not be put on disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// The blobs of a state folder.
#[derive(Debug, Clone)]
pub(crate) struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    /// The blobs in a folder.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(digest.to_string())
    }

    /// Reads a small one whole; `None` when it is not there.
    pub(crate) fn read(&self, digest: &Digest, limit: usize) -> Result<Option<Vec<u8>>, DiskError> {
        let path = self.path(digest);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(DiskError::io("open", &path))?,
        };
        let mut bytes = Vec::new();
        // One byte beyond the limit is enough to fail every later check of length and digest.
        file.take(limit as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(DiskError::io("read", &path))?;
        Ok(Some(bytes))
    }

    /// Drops one that is not what its name says.
    pub(crate) fn drop_rotten(&self, digest: &Digest) {
        let path = self.path(digest);
        tracing::error!(blob.path = %path.display(), "content has rotted and is fetched anew");
        let _ = fs::remove_file(path);
    }

    /// Whether one is there, as long as it is to be.
    fn holds(&self, digest: &Digest, size: u64) -> bool {
        fs::metadata(self.path(digest)).is_ok_and(|found| found.len() == size)
    }

    /// Whether all of these are there.
    pub(crate) fn hold_all(&self, wanted: &BTreeMap<Digest, u64>) -> bool {
        wanted
            .iter()
            .all(|(digest, size)| self.holds(digest, *size))
    }

    /// Fetches every blob that is not there yet.
    pub(crate) async fn fetch(
        &self,
        client: &AgentClient,
        wanted: &BTreeMap<Digest, u64>,
    ) -> Result<(), FetchError> {
        let missing = wanted
            .iter()
            .filter(|(digest, size)| !self.holds(digest, **size));
        stream::iter(missing.map(Ok))
            .map_ok(|(digest, size)| self.fetch_one(client, *digest, *size))
            .try_buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn fetch_one(
        &self,
        client: &AgentClient,
        digest: Digest,
        size: u64,
    ) -> Result<(), FetchError> {
        let path = self.path(&digest);
        let part = path.with_extension("part");
        let mut tries = 1;
        loop {
            match self.receive(client, digest, size, &part).await {
                Ok(()) => return Ok(durable::rename(&part, &path)?),
                Err(FetchError::Server { source, .. })
                    if source.is_transient() && tries < TRIES =>
                {
                    tracing::debug!(blob = %digest, error = %source, "a fetch was interrupted");
                    tries += 1;
                }
                Err(error) => {
                    // What is wrong, or has no room, must not be gone on with.
                    if !matches!(error, FetchError::Server { .. }) {
                        let _ = fs::remove_file(&part);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Receives what is still missing of a blob, and proves the whole.
    async fn receive(
        &self,
        client: &AgentClient,
        digest: Digest,
        size: u64,
        part: &Path,
    ) -> Result<(), FetchError> {
        let failed = |source| FetchError::Server { digest, source };
        let mut arriving = Arriving::resume(part)?;
        if arriving.length < size {
            let mut blob = client
                .blob(&digest, arriving.length)
                .await
                .map_err(failed)?;
            while let Some(piece) = blob.chunk().await.map_err(failed)? {
                if arriving.length + piece.len() as u64 > size {
                    return Err(FetchError::TooLong {
                        wanted: digest,
                        size,
                    });
                }
                arriving.take(&piece)?;
            }
        }
        let found = arriving.hasher.finish();
        if found != digest || arriving.length != size {
            return Err(FetchError::Other {
                wanted: digest,
                found,
                size: arriving.length,
            });
        }
        Ok(arriving.sync()?)
    }

    /// Drops every blob but these.
    pub(crate) fn keep_only(&self, named: impl Fn(&Digest) -> bool) -> Result<(), DiskError> {
        let listed = fs::read_dir(&self.folder).map_err(DiskError::io("list", &self.folder))?;
        for entry in listed {
            let path = entry.map_err(DiskError::io("list", &self.folder))?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let digest = stem.and_then(|stem| stem.parse().ok());
            if !digest.is_some_and(|digest| named(&digest)) {
                fs::remove_file(&path).map_err(DiskError::io("remove", &path))?;
            }
        }
        Ok(())
    }
}

impl Blobs {
    /// Opens one to be read; read to its end, it is dropped if it is not what its name says.
    pub(crate) fn open(&self, digest: &Digest) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Proven {
            file: File::open(self.path(digest))?,
            hasher: Some(Hasher::new()),
            digest: *digest,
            blobs: self.clone(),
        }))
    }
}

/// A blob that is read: at its end it is known whether it was what its name says.
struct Proven {
    file: File,
    hasher: Option<Hasher>,
    digest: Digest,
    blobs: Blobs,
}

impl Read for Proven {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(piece)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&piece[..length]);
        }
        let ended = length == 0 && !piece.is_empty();
        if let Some(hasher) = self.hasher.take_if(|_| ended)
            && hasher.finish() != self.digest
        {
            self.blobs.drop_rotten(&self.digest);
        }
        Ok(length)
    }
}

/// A blob of which a part is on disk.
struct Arriving {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    length: u64,
}

impl Arriving {
    /// Goes on with what an earlier fetch left, read again so that the whole is proven.
    fn resume(path: &Path) -> Result<Self, DiskError> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(PRIVATE_FILE)
            .open(path)
            .map_err(DiskError::io("open", path))?;
        let mut hasher = Hasher::new();
        let mut length = 0;
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = file.read(&mut chunk).map_err(DiskError::io("read", path))?;
            if read == 0 {
                break;
            }
            hasher.update(&chunk[..read]);
            length += read as u64;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            hasher,
            length,
        })
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), DiskError> {
        self.file
            .write_all(piece)
            .map_err(DiskError::io("write", &self.path))?;
        self.hasher.update(piece);
        self.length += piece.len() as u64;
        Ok(())
    }

    fn sync(&self) -> Result<(), DiskError> {
        self.file
            .sync_all()
            .map_err(DiskError::io("sync", &self.path))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn what_has_rotted_is_dropped_when_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(folder.path().to_owned());
        let (good, bad) = (Digest::of("good"), Digest::of("was good"));
        for digest in [good, bad] {
            fs::write(blobs.path(&digest), "good").unwrap();
        }
        let wanted = BTreeMap::from([(good, 4), (bad, 4)]);
        assert!(blobs.hold_all(&wanted));
        for digest in [good, bad] {
            let mut bytes = Vec::new();
            let mut blob = blobs.open(&digest).unwrap();
            blob.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, b"good");
        }
        assert!(blobs.holds(&good, 4) && !blobs.path(&bad).exists());
        // One that was cut short is not there either.
        assert!(!blobs.holds(&good, 5));
    }
}
