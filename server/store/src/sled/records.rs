//! The records as far as they are durable, and the database opened again after a failed write.
//!
//! sled shows a batch from the moment it is applied. Here nobody sees it before it would survive
//! a power cut: until then, readers are shown what its records were before. They never wait for
//! the disk, only while a batch is applied in memory.
//!
//! A write for which there was no room closes the database, since what sled holds in memory may
//! not be on disk; it is opened again as soon as that succeeds. After any other failure nothing
//! more is written, and readers go on with what was durable.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::durable::{Durable, check_lengths, lacked_room};
use crate::keyed::{Direction, Overlay, Scan};
use crate::{StoreError, files};

/// The folder of the database in that of the store.
const DATABASE: &str = "sled";

/// Records of a batch that is on its way, as they were before it.
type Before = BTreeMap<String, Option<Vec<u8>>>;

/// A record with its key.
type Row = (String, Vec<u8>);

/// A database that readers and one writer share.
pub(super) struct Records {
    folder: PathBuf,
    state: RwLock<State>,
    /// Keeps other processes out, also while the database is closed.
    _lock: File,
}

struct State {
    database: Database,
    before: Before,
}

/// Whether it can be read and written.
enum Database {
    /// Both.
    Open(Durable),
    /// Only read.
    Stopped(Durable, String),
    /// Neither, until it is opened again.
    Closed(String),
}

impl Records {
    /// Opens the database in a store's folder, or makes one.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        files::make_folder(folder)?;
        let Some(lock) = files::lock(folder)? else {
            let path = folder.to_owned();
            return Err(StoreError::InUse { path });
        };
        let folder = folder.join(DATABASE);
        let database = Database::Open(Durable::open(&folder)?);
        let before = Before::new();
        Ok(Self {
            folder,
            state: RwLock::new(State { database, before }),
            _lock: lock,
        })
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn shared(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn alone(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// One record.
    pub(super) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.look(|durable, state| match state.before.get(key) {
            Some(before) => Ok(before.clone()),
            None => durable.get(key),
        })
    }

    /// Reads, and closes the database where that shows that sled ran out of room: from then on it
    /// refuses everything.
    fn look<T>(
        &self,
        read: impl FnOnce(&Durable, &State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let found = {
            let state = self.shared();
            read(state.readable()?, &state)
        };
        match found {
            Err(error) if lacked_room(&error) => Err(self.alone().fail(&error)),
            found => found,
        }
    }

    /// Records in order.
    pub(super) fn scan(&self, scan: &Scan<'_>) -> Result<Vec<Row>, StoreError> {
        self.look(|durable, state| state.scan(durable, scan))
    }

    /// How many records there are whose key begins so.
    pub(super) fn count(&self, prefix: &str) -> Result<u64, StoreError> {
        self.look(|durable, state| state.count(durable, prefix))
    }

    /// Writes a batch, whole or not at all, and returns once it would survive a power cut. Only
    /// one thread may write.
    ///
    /// After [`StoreError::Closed`] and [`StoreError::Stopped`] the batch may be there or not.
    pub(super) fn write(&self, records: &Overlay) -> Result<(), StoreError> {
        check_lengths(records)?;
        let before = |key: &String| Ok((key.clone(), self.get(key)?));
        let before: Before = records
            .keys()
            .map(before)
            .collect::<Result<_, StoreError>>()?;
        self.apply(records, before)?
            .and_then(|()| self.shared().writable()?.sync())
            .map_err(|error| self.alone().fail(&error))?;
        self.alone().before.clear();
        Ok(())
    }

    /// Applies a batch in memory, and hides it. Refused before it began, or how that went.
    fn apply(
        &self,
        records: &Overlay,
        before: Before,
    ) -> Result<Result<(), StoreError>, StoreError> {
        let mut state = self.alone();
        let applied = state.writable()?.apply(records);
        state.before = before;
        Ok(applied)
    }

    /// Whether it waits to be opened again.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.shared().database, Database::Closed(_))
    }

    /// Opens the database again if it is closed and there is room.
    pub(super) fn open_again(&self) -> Result<(), StoreError> {
        if !self.is_closed() {
            return Ok(());
        }
        files::check_room(&self.folder, 0)?;
        let durable = Durable::open(&self.folder)?;
        self.alone().database = Database::Open(durable);
        tracing::info!("the store is open again");
        Ok(())
    }
}

impl State {
    fn readable(&self) -> Result<&Durable, StoreError> {
        match &self.database {
            Database::Open(durable) | Database::Stopped(durable, _) => Ok(durable),
            Database::Closed(reason) => Err(closed(reason)),
        }
    }

    fn writable(&self) -> Result<&Durable, StoreError> {
        match &self.database {
            Database::Open(durable) => Ok(durable),
            Database::Stopped(_, reason) => Err(stopped(reason)),
            Database::Closed(reason) => Err(closed(reason)),
        }
    }

    /// The rows of the batch on its way that a scan would come across.
    fn before_of(&self, scan: &Scan<'_>) -> Vec<(&String, &Option<Vec<u8>>)> {
        let (from, to) = scan.bounds();
        let within = |key: &str| key.as_bytes() >= &*from && key.as_bytes() < &*to;
        self.before.iter().filter(|(key, _)| within(key)).collect()
    }

    fn scan(&self, durable: &Durable, scan: &Scan<'_>) -> Result<Vec<Row>, StoreError> {
        let before = self.before_of(scan);
        if before.is_empty() {
            return durable.scan(scan);
        }
        // As many more as may have to be hidden.
        let more = Scan {
            limit: scan.limit.saturating_add(before.len()),
            ..scan.clone()
        };
        let mut rows: BTreeMap<String, Vec<u8>> = durable.scan(&more)?.into_iter().collect();
        for (key, value) in before {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        let rows = rows.into_iter();
        Ok(match scan.direction {
            Direction::Up => rows.take(scan.limit).collect(),
            Direction::Down => rows.rev().take(scan.limit).collect(),
        })
    }

    fn count(&self, durable: &Durable, prefix: &str) -> Result<u64, StoreError> {
        let mut count = durable.count(prefix)?;
        for (key, before) in self.before_of(&Scan::up(prefix, None, usize::MAX)) {
            match (before, durable.get(key)?) {
                (Some(_), None) => count += 1,
                (None, Some(_)) => count = count.saturating_sub(1),
                _ => {}
            }
        }
        Ok(count)
    }

    /// Closes or stops the database because of a failure, and says so.
    fn fail(&mut self, error: &StoreError) -> StoreError {
        let reason = reason(error);
        let now = Database::Closed(reason.clone());
        match std::mem::replace(&mut self.database, now) {
            Database::Open(durable) if lacked_room(error) => {
                durable.close();
                self.before.clear();
                closed(&reason)
            }
            Database::Open(durable) => {
                self.database = Database::Stopped(durable, reason.clone());
                stopped(&reason)
            }
            // Another found out first.
            earlier @ Database::Closed(_) | earlier @ Database::Stopped(..) => {
                self.database = earlier;
                self.writable().err().unwrap_or_else(|| stopped(&reason))
            }
        }
    }
}

/// An error with its causes on one line.
fn reason(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn closed(reason: &str) -> StoreError {
    StoreError::Closed {
        reason: reason.to_owned(),
    }
}

fn stopped(reason: &str) -> StoreError {
    StoreError::Stopped {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
