//! Enrolled hosts in memory: what the hot path reads instead of the store.
//!
//! A record here is never newer than the one on disk and is replaced right after every write, so
//! a check-in costs a read lock and a few loads. Memory grows with hosts that are enrolled and
//! with nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arc_swap::ArcSwap;
use holdfast_schemas::secret::SealingKey;
use holdfast_schemas::{Digest, HostName};
use holdfast_store::{HostRecord, MAX_PAGE, Store, StoreError};
use tokio::sync::watch;

/// All enrolled hosts.
#[derive(Debug, Default)]
pub struct HostTable(RwLock<HashMap<HostName, Arc<HostEntry>>>);

/// One enrolled host.
#[derive(Debug)]
pub struct HostEntry {
    name: HostName,
    record: ArcSwap<HostRecord>,
    /// The body it is to have; whoever polls for news waits on it.
    body: watch::Sender<Option<Digest>>,
    progress: Mutex<Progress>,
}

/// What only this process knows of a host; a restart finds it out again.
#[derive(Debug, Default)]
struct Progress {
    /// What the last attempt to compile it was made from.
    compiled: Option<CompiledFrom>,
    /// What it had before the present catalog: an agent may be in the middle of fetching it.
    previous: Option<Held>,
}

/// A catalog of a host, as far as it says what the host may fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its body.
    pub body: Digest,
    /// The blobs that only this host can open.
    pub sealed: Vec<Digest>,
}

impl Held {
    fn of(record: &HostRecord) -> Option<Self> {
        let assigned = record.assigned.as_ref()?;
        Some(Self {
            body: assigned.body,
            sealed: assigned.sealed(),
        })
    }
}

/// Everything that a catalog depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompiledFrom {
    /// The revision.
    pub revision: String,
    /// Digest of the host's facts.
    pub facts: Option<Digest>,
    /// The key that its secrets are sealed to.
    pub sealing_key: Option<SealingKey>,
}

impl HostEntry {
    fn new(record: HostRecord) -> Self {
        let body = record.assigned.as_ref().map(|assigned| assigned.body);
        Self {
            name: record.name.clone(),
            record: ArcSwap::from_pointee(record),
            body: watch::Sender::new(body),
            progress: Mutex::default(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &HostName {
        &self.name
    }

    /// Its record as it was last written.
    pub fn record(&self) -> Arc<HostRecord> {
        self.record.load_full()
    }

    /// Follows the body it is to have.
    pub fn follow(&self) -> watch::Receiver<Option<Digest>> {
        self.body.subscribe()
    }

    /// The catalogs that it may fetch, each with what it names.
    pub fn held(&self) -> [Option<Held>; 2] {
        let progress = self.progress();
        [Held::of(&self.record()), progress.previous.clone()]
    }

    /// Whether it still has to be compiled from this.
    pub fn is_due(&self, from: &CompiledFrom) -> bool {
        self.progress().compiled.as_ref() != Some(from)
    }

    /// Remembers what the last attempt was made from.
    pub fn mark_compiled(&self, from: CompiledFrom) {
        self.progress().compiled = Some(from);
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the record over from the store. Read and replaced under one lock, so that of two
    /// writers' records the newer one stays.
    fn refresh(&self, store: &dyn Store) -> Result<(), StoreError> {
        let mut progress = self.progress();
        let Some(record) = store.host(&self.name)? else {
            return Ok(());
        };
        let body = record.assigned.as_ref().map(|assigned| assigned.body);
        let (before, now) = (Held::of(&self.record()), Held::of(&record));
        self.record.store(Arc::new(record));
        if before != now {
            progress.previous = before.or_else(|| progress.previous.take());
        }
        if *self.body.borrow() != body {
            self.body.send_replace(body);
        }
        Ok(())
    }
}

impl HostTable {
    /// Reads every host from the store.
    pub fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let mut hosts = HashMap::new();
        let mut after = None;
        loop {
            let page = store.hosts(after.as_ref(), MAX_PAGE)?;
            let Some(last) = page.last() else {
                return Ok(Self(RwLock::new(hosts)));
            };
            after = Some(last.name.clone());
            for record in page {
                hosts.insert(record.name.clone(), Arc::new(HostEntry::new(record)));
            }
        }
    }

    /// One host.
    pub fn get(&self, name: &HostName) -> Option<Arc<HostEntry>> {
        let hosts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        hosts.get(name).cloned()
    }

    /// Every host, by name.
    pub fn all(&self) -> Vec<Arc<HostEntry>> {
        let hosts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = hosts.values().cloned().collect();
        drop(hosts);
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes a host's record over from the store, after it was written; wakes who waits for news.
    pub fn refresh(&self, store: &dyn Store, name: &HostName) -> Result<(), StoreError> {
        if let Some(entry) = self.get(name) {
            return entry.refresh(store);
        }
        let Some(record) = store.host(name)? else {
            return Ok(());
        };
        let mut hosts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let entry = hosts
            .entry(name.clone())
            .or_insert_with(|| Arc::new(HostEntry::new(record)))
            .clone();
        drop(hosts);
        // Another may have written between our read and the insertion.
        entry.refresh(store)
    }
}
