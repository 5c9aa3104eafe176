//! What a host may fetch: the bodies of its own catalogs, the blobs that those name, and what is
//! sealed to it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_schemas::Digest;
use holdfast_schemas::catalog::{Catalog, MAX_CATALOG};
use holdfast_store::{BlobStore, StoreError};

use crate::fleet::{Held, HostEntry};

/// Catalogs whose blobs are remembered; beyond it all are forgotten and read again. Hosts that
/// run the same software mostly share no body, so this is about the hosts that fetch at a time.
const REMEMBERED: usize = 1024;

/// Which blobs a catalog's body names, for bodies that were asked about.
#[derive(Debug, Default)]
pub struct Granted(Mutex<HashMap<Digest, Arc<HashSet<Digest>>>>);

impl Granted {
    /// Whether a host may fetch a blob. Blocks on the first question about a body.
    pub fn may_fetch(
        &self,
        blobs: &BlobStore,
        host: &HostEntry,
        wanted: &Digest,
    ) -> Result<bool, StoreError> {
        let own: Vec<Held> = host.held().into_iter().flatten().collect();
        let is_own = |held: &Held| held.body == *wanted || held.sealed.contains(wanted);
        if own.iter().any(is_own) {
            return Ok(true);
        }
        for held in &own {
            if self.named_by(blobs, &held.body)?.contains(wanted) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn named_by(
        &self,
        blobs: &BlobStore,
        body: &Digest,
    ) -> Result<Arc<HashSet<Digest>>, StoreError> {
        let map = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(named) = map().get(body) {
            return Ok(named.clone());
        }
        let Some(named) = blobs_of(blobs, body)? else {
            // Not remembered: it may come back, from a backup or with the next commit.
            return Ok(Arc::default());
        };
        let named = Arc::new(named);
        let mut map = map();
        if map.len() >= REMEMBERED {
            map.clear();
        }
        map.insert(*body, named.clone());
        Ok(named)
    }
}

/// The blobs that a stored body names; none, said in the log, if it cannot be read.
pub fn blobs_of(blobs: &BlobStore, body: &Digest) -> Result<Option<HashSet<Digest>>, StoreError> {
    let Some(bytes) = blobs.read(body, MAX_CATALOG as u64)? else {
        tracing::error!(catalog.digest = %body, "a catalog's body is not in the store");
        return Ok(None);
    };
    match Catalog::parse(&bytes) {
        Ok(catalog) => Ok(Some(catalog.blobs().into_keys().collect())),
        Err(error) => {
            tracing::error!(catalog.digest = %body, %error, "a catalog in the store cannot be read");
            Ok(None)
        }
    }
}
