//! The store in memory, for tests: all of the behaviour and none of the disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::keyed::{
    Direction, Engine, Job, KeyedStore, Overlay, PAGE_BYTES, Prepared, Scan, Txn, View, locked,
};
use crate::{Store, StoreError};

type Map = BTreeMap<String, Vec<u8>>;

/// Makes stores that live as long as the test.
#[derive(Debug)]
pub struct MemoryStore;

impl MemoryStore {
    /// An empty one.
    #[allow(clippy::new_ret_no_self)]
    pub fn new() -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(KeyedStore::open(Memory::default())?))
    }
}

#[derive(Default)]
struct Memory {
    map: Mutex<Map>,
}

/// The map while a job runs.
struct Held<'a>(&'a Map);

impl View for Held<'_> {
    fn raw(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(key).cloned())
    }

    fn resolve(&self, _: &str, raw: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(raw.to_vec())
    }

    fn prepare(&self, _: &str, value: Vec<u8>) -> Result<Prepared, StoreError> {
        Ok(Prepared::whole(value))
    }
}

impl View for Memory {
    fn raw(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Held(&locked(&self.map)).raw(key)
    }

    fn resolve(&self, _: &str, raw: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(raw.to_vec())
    }

    fn prepare(&self, _: &str, value: Vec<u8>) -> Result<Prepared, StoreError> {
        Ok(Prepared::whole(value))
    }
}

impl Engine for Memory {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.raw(key)
    }

    fn scan(&self, scan: &Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let (from, to) = scan.bounds();
        let map = locked(&self.map);
        let within = |key: &String| key.as_bytes() >= &*from && key.as_bytes() < &*to;
        let rows = map.iter().filter(|(key, _)| within(key));
        let rows: Box<dyn Iterator<Item = _>> = match scan.direction {
            Direction::Up => Box::new(rows),
            Direction::Down => Box::new(rows.rev()),
        };
        let mut bytes = 0;
        let fits = |(_, value): &(&String, &Vec<u8>)| {
            let fits = bytes < PAGE_BYTES;
            bytes += value.len();
            fits
        };
        let rows = rows.take(scan.limit).take_while(fits);
        Ok(rows
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    fn count(&self, prefix: &str) -> Result<u64, StoreError> {
        let map = locked(&self.map);
        let found = map.keys().filter(|key| key.starts_with(prefix));
        Ok(found.count() as u64)
    }

    fn commit(&self, job: Job) -> Result<(), StoreError> {
        let mut map = locked(&self.map);
        let written = {
            let (held, nothing) = (Held(&map), Overlay::new());
            let mut txn = Txn::begin(&held, &nothing);
            job(&mut txn)?;
            txn.finish()
        };
        for (key, value) in written {
            match value {
                Some(prepared) => map.insert(key, prepared.raw),
                None => map.remove(&key),
            };
        }
        Ok(())
    }

    fn sweep(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::MemoryStore;

    #[test]
    fn conforms() {
        crate::conformance::check(|| MemoryStore::new().unwrap());
    }
}
