//! The store over an ordered map of keys: what memory and sled have in common.
//!
//! Records are JSON under textual keys ([`keys`]). Writes are jobs that an [`Engine`] runs one
//! after the other, each against what the ones before it left ([`Txn`]), and makes durable many
//! at a time; so every method is one serializable transaction without a lock in sight. A store
//! that has transactions of its own, such as PostgreSQL, implements [`crate::Store`] directly.

mod backup;
mod beats;
mod engine;
mod history;
mod hosts;
mod keys;
mod listing;
mod prune;
mod store;
mod txn;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;

use crate::StoreError;
use beats::Beats;
pub(crate) use engine::{Attached, Direction, Engine, Fate, Job, PAGE_BYTES, Prepared, Scan, View};
pub(crate) use txn::{Overlay, Txn};

/// A store over an engine.
pub(crate) struct KeyedStore<E> {
    engine: E,
    beats: Beats,
    /// The number of the newest report: reports are listed in this order.
    order: Arc<AtomicU64>,
}

impl<E: Engine> KeyedStore<E> {
    /// Takes up what the engine holds.
    pub(crate) fn open(engine: E) -> Result<Self, StoreError> {
        let store = Self {
            engine,
            beats: Beats::default(),
            order: Arc::default(),
        };
        store.find_order()?;
        Ok(store)
    }

    /// Finds the number of the newest report.
    fn find_order(&self) -> Result<(), StoreError> {
        let newest = Scan::newest_first(keys::NEWEST, None, 1);
        if let Some((key, _)) = self.engine.scan(&newest)?.pop() {
            let order = keys::order_of(&key)?;
            self.order.store(order, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Runs a transaction and gives its answer once what it wrote is durable.
    fn transact<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Txn<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let answer = Arc::new(Mutex::new(None));
        let fill = Arc::clone(&answer);
        self.engine.commit(Box::new(move |txn| {
            let worked = work(txn)?;
            *locked(&fill) = Some(worked);
            Ok(())
        }))?;
        let answer = locked(&answer).take();
        answer.ok_or_else(|| StoreError::Stopped {
            reason: "a transaction was acknowledged without having run".to_owned(),
        })
    }

    /// Reads a record.
    fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        self.engine
            .get(key)?
            .map(|bytes| parse(key, &bytes))
            .transpose()
    }
}

/// Reads a record's JSON.
fn parse<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::damaged(key)(error.into()))
}

/// Locks what no panic leaves half changed.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
