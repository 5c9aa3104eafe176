//! One transaction: reads what was there and what it wrote itself, and collects what it writes.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;
use crate::keyed::{Prepared, View, parse};

/// Records to be put, or with `None` to be removed.
pub(crate) type Overlay = BTreeMap<String, Option<Prepared>>;

/// A transaction in the making.
pub(crate) struct Txn<'a> {
    view: &'a dyn View,
    /// What earlier transactions of the same group wrote.
    group: &'a Overlay,
    own: Overlay,
}

impl<'a> Txn<'a> {
    /// Begins one after those of the group.
    pub(crate) fn begin(view: &'a dyn View, group: &'a Overlay) -> Self {
        Self {
            view,
            group,
            own: Overlay::new(),
        }
    }

    /// What it wrote.
    pub(crate) fn finish(self) -> Overlay {
        self.own
    }

    /// Reads a record.
    pub(crate) fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        let written = self.own.get(key).or_else(|| self.group.get(key));
        let raw = match written {
            Some(Some(prepared)) => Some(prepared.raw.clone()),
            Some(None) => None,
            None => self.view.raw(key)?,
        };
        let Some(raw) = raw else { return Ok(None) };
        parse(key, &self.view.resolve(key, &raw)?).map(Some)
    }

    /// Writes a record.
    pub(crate) fn write<T: Serialize>(&mut self, key: &str, record: &T) -> Result<(), StoreError> {
        let prepared = self.view.prepare(key, encode(key, record)?)?;
        self.put(key, prepared);
        Ok(())
    }

    /// Writes a record that was prepared before.
    pub(crate) fn put(&mut self, key: &str, prepared: Prepared) {
        self.own.insert(key.to_owned(), Some(prepared));
    }

    /// Removes a record.
    pub(crate) fn remove(&mut self, key: &str) {
        self.own.insert(key.to_owned(), None);
    }
}

/// Writes a record as JSON.
pub(crate) fn encode<T: Serialize>(key: &str, record: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(record).map_err(|source| StoreError::Encode {
        key: key.to_owned(),
        source,
    })
}
