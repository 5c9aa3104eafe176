//! The store on disk: sled for records, files for long documents.
//!
//! sled alone is not durable; [`durable`] is the only place that touches it and says what is done
//! about that. [`records`] shows only what is durable, [`committer`] is the only one who writes.

mod committer;
mod documents;
mod durable;
#[cfg(test)]
mod full;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod power;
mod records;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use crate::keyed::{Engine, Job, KeyedStore, PAGE_BYTES, Prepared, Scan, View};
use crate::{Store, StoreError};
use committer::Committer;
use documents::Documents;
use durable::MAX_VALUE;
use records::Records;

/// Opens stores on disk.
#[derive(Debug)]
pub struct SledStore;

impl SledStore {
    /// Opens the store in a folder, or makes one. A folder that is damaged, or in use by another
    /// process, is refused.
    pub fn open(folder: &Path) -> Result<Arc<dyn Store>, StoreError> {
        let disk = Disk {
            records: Records::open(folder)?,
            documents: Documents::open(&folder.join("documents"))?,
        };
        let disk = Arc::new(disk);
        let committer = Committer::start(Arc::clone(&disk))?;
        let engine = SledEngine { disk, committer };
        Ok(Arc::new(KeyedStore::open(engine)?))
    }
}

/// A record begins with a byte that says where the value is.
const INLINE: u8 = 0;
/// The digest of the file that holds the value follows.
const DOCUMENT: u8 = 1;

/// Records and documents.
struct Disk {
    records: Records,
    documents: Documents,
}

/// The name of the file that a record points to, if it does.
fn document_of(raw: &[u8]) -> Option<holdfast_schemas::Digest> {
    let (&DOCUMENT, digest) = raw.split_first()? else {
        return None;
    };
    let digest = digest.try_into().ok()?;
    Some(holdfast_schemas::Digest::from_bytes(digest))
}

impl View for Disk {
    fn raw(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.records.get(key)
    }

    fn resolve(&self, key: &str, raw: &[u8]) -> Result<Vec<u8>, StoreError> {
        if let Some((&INLINE, value)) = raw.split_first() {
            return Ok(value.to_vec());
        }
        let damaged = StoreError::damaged(key);
        let Some(digest) = document_of(raw) else {
            return Err(damaged("it is neither a value nor the name of one".into()));
        };
        let found = self.documents.read(&digest)?;
        found.ok_or_else(|| damaged(format!("its document {digest} is missing").into()))
    }

    fn prepare(&self, key: &str, value: Vec<u8>) -> Result<Prepared, StoreError> {
        if value.len() < MAX_VALUE {
            let mut raw = Vec::with_capacity(value.len() + 1);
            raw.push(INLINE);
            raw.extend(value);
            return Ok(Prepared::whole(raw));
        }
        let document = self.documents.write(key, &value)?;
        let mut raw = vec![DOCUMENT];
        raw.extend(document.digest.as_bytes());
        Ok(Prepared {
            raw,
            file: Some(Box::new(document)),
        })
    }
}

impl Disk {
    /// A value, also while the committer replaces it: a document that is gone because the
    /// record names another by now is looked for again.
    fn value(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(mut raw) = self.raw(key)? else {
            return Ok(None);
        };
        loop {
            match self.resolve(key, &raw) {
                Err(error @ StoreError::Damaged { .. }) => match self.raw(key)? {
                    Some(now) if now != raw => raw = now,
                    Some(_) => return Err(error),
                    None => return Ok(None),
                },
                value => return value.map(Some),
            }
        }
    }
}

struct SledEngine {
    disk: Arc<Disk>,
    committer: Committer,
}

impl View for SledEngine {
    fn raw(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.disk.raw(key)
    }

    fn resolve(&self, key: &str, raw: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.disk.resolve(key, raw)
    }

    fn prepare(&self, key: &str, value: Vec<u8>) -> Result<Prepared, StoreError> {
        self.disk.prepare(key, value)
    }
}

impl Engine for SledEngine {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.disk.value(key)
    }

    fn scan(&self, scan: &Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let mut rows = Vec::new();
        let mut bytes = 0;
        for (key, raw) in self.disk.records.scan(scan)? {
            let value = match document_of(&raw) {
                Some(_) => self.disk.value(&key)?,
                None => self.disk.resolve(&key, &raw).map(Some)?,
            };
            let Some(value) = value else { continue };
            bytes += value.len();
            rows.push((key, value));
            if bytes > PAGE_BYTES {
                break;
            }
        }
        Ok(rows)
    }

    fn count(&self, prefix: &str) -> Result<u64, StoreError> {
        self.disk.records.count(prefix)
    }

    fn commit(&self, job: Job) -> Result<(), StoreError> {
        self.committer.commit(job)
    }

    fn sweep(&self) -> Result<u64, StoreError> {
        let names = |key: &str| {
            let raw = self.disk.raw(key)?;
            Ok(raw.as_deref().and_then(document_of))
        };
        self.disk.documents.sweep(names)
    }
}
