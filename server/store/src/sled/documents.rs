//! Values too long for sled: a file each, named by the BLAKE3 digest of all of it.
//!
//! A file begins with a line that names the record it belongs to and a number that makes it
//! unlike every other, so that each has one owner and may be removed with it. A document whose
//! transaction fails goes with it ([`Written`]); one that a crash or a failed write left between
//! file and record is swept.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use holdfast_schemas::{Digest, Hasher};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::files::{self, Draft};
use crate::keyed::{Attached, Fate, locked};

/// The folder of documents.
pub(super) struct Documents {
    folder: PathBuf,
    /// What may be without a record, until it is swept: what was there at the start and what a
    /// failed write left; nothing that is being written now.
    leftover: Arc<Mutex<Vec<Digest>>>,
    /// Tells this start from others in the documents' first lines.
    start: u128,
    number: AtomicU64,
}

/// A document whose record is not written yet; it is removed when this is dropped before.
pub(super) struct Written {
    pub(super) digest: Digest,
    path: PathBuf,
    leftover: Arc<Mutex<Vec<Digest>>>,
    fate: Option<Fate>,
}

impl Attached for Written {
    fn settle(&mut self, fate: Fate) {
        self.fate = Some(fate);
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let gone = match self.fate {
            Some(Fate::Stored) => return,
            Some(Fate::Unsure) => false,
            None => files::remove(&self.path).is_ok(),
        };
        if !gone {
            locked(&self.leftover).push(self.digest);
        }
    }
}

/// The first line of a document.
#[derive(Serialize, Deserialize)]
struct Owner {
    record: String,
    start: u128,
    number: u64,
}

impl Documents {
    /// Opens the folder, or makes it, and clears what a crash left half written.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        files::make_folder(folder)?;
        files::remove_drafts(folder)?;
        // A crash may have left folders in it that are not durable.
        files::sync_folder(folder)?;
        let start = SystemTime::now().duration_since(UNIX_EPOCH);
        Ok(Self {
            folder: folder.to_owned(),
            leftover: Arc::new(Mutex::new(list(folder)?)),
            start: start.map_or(0, |since| since.as_nanos()),
            number: AtomicU64::new(0),
        })
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.folder.join(&name[..2]).join(name)
    }

    /// Writes a record's value, durably.
    pub(super) fn write(&self, record: &str, value: &[u8]) -> Result<Written, StoreError> {
        files::check_room(&self.folder, value.len() as u64)?;
        let owner = Owner {
            record: record.to_owned(),
            start: self.start,
            number: self.number.fetch_add(1, Ordering::Relaxed),
        };
        let mut first = serde_json::to_vec(&owner).map_err(|source| StoreError::Encode {
            key: owner.record,
            source,
        })?;
        first.push(b'\n');
        let mut hasher = Hasher::new();
        hasher.update(&first);
        hasher.update(value);
        let digest = hasher.finish();
        let path = self.path(&digest);
        if let Some(folder) = path.parent() {
            files::make_folder(folder)?;
        }
        let mut draft = Draft::begin(&self.folder)?;
        draft.write(&first)?;
        draft.write(value)?;
        draft.publish(&path)?;
        Ok(Written {
            digest,
            path,
            leftover: Arc::clone(&self.leftover),
            fate: None,
        })
    }

    /// Reads a value; `None` if there is no such document.
    pub(super) fn read(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(digest);
        let mut bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file("read", path)(error)),
        };
        let found = Digest::of(&bytes);
        let first = bytes.iter().position(|&byte| byte == b'\n');
        let Some(first) = first.filter(|_| found == *digest) else {
            let name = format!("document {digest}");
            return Err(StoreError::damaged(name)(
                format!("its bytes are {found}").into(),
            ));
        };
        bytes.drain(..=first);
        Ok(Some(bytes))
    }

    /// Removes a document that no record names any more.
    pub(super) fn remove(&self, digest: &Digest) -> Result<(), StoreError> {
        files::remove(&self.path(digest))
    }

    /// Removes what is left over: documents that their record does not name, as `names` tells.
    pub(super) fn sweep(
        &self,
        names: impl Fn(&str) -> Result<Option<Digest>, StoreError>,
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            // One at a time, so that a failure forgets only that one, until the next start.
            let Some(digest) = locked(&self.leftover).pop() else {
                return Ok(removed);
            };
            let Some(owner) = self.owner(&digest)? else {
                continue;
            };
            if names(&owner.record)? != Some(digest) {
                self.remove(&digest)?;
                removed += 1;
            }
        }
    }

    /// Whose document it is; `None` if it is gone or damaged, which is for a reader to say.
    fn owner(&self, digest: &Digest) -> Result<Option<Owner>, StoreError> {
        let path = self.path(digest);
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file("open", path)(error)),
        };
        let mut first = Vec::new();
        BufReader::with_capacity(1024, io::Read::take(file, 4096))
            .read_until(b'\n', &mut first)
            .map_err(StoreError::file("read", path))?;
        Ok(serde_json::from_slice(&first).ok())
    }
}

/// The documents in a folder.
fn list(folder: &Path) -> Result<Vec<Digest>, StoreError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(StoreError::file("list", folder))? {
        let path = entry.map_err(StoreError::file("list", folder))?.path();
        if !path.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&path).map_err(StoreError::file("list", &path))? {
            let name = entry.map_err(StoreError::file("list", &path))?.file_name();
            found.extend(name.to_str().and_then(|name| name.parse::<Digest>().ok()));
        }
    }
    Ok(found)
}
