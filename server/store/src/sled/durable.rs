//! sled 0.34.7, made durable: the only code that touches it.
//!
//! Its `flush` calls `sync_file_range`, which syncs neither the length of the file nor the disk's
//! cache, though its documentation says fsync (spacejam/sled#1351, #1452). A power cut then loses
//! acknowledged records or the whole database. What is done about it, all of it necessary:
//!
//! - no flushing in the background: what is durable when is decided here;
//! - right after opening, every file, the folder and the one above are fsynced: sled does not;
//! - an own handle on sled's one data file; a batch counts once it was applied, flushed and that
//!   file was fdatasynced;
//! - values of at most [`MAX_VALUE`] bytes: longer ones sled would put into files that it never
//!   syncs;
//! - one tree, so that one batch is one transaction;
//! - a panic of sled is an error here, also while it opens a damaged file;
//! - a damaged file that sled takes for a new one is refused: a marker beside the database says
//!   that there was one, and a marker within that it is the same.
//!
//! Nobody else here may name a type of sled's: `clippy.toml` keeps it so.

#![expect(clippy::disallowed_types, reason = "the one place")]

use std::fs::{self, File, Permissions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::StoreError;
use crate::files::{self, Draft};
use crate::keyed::{Direction, Overlay, Prepared, Scan};

/// Longest value in the tree, in bytes. Several values share one of sled's pages, and a page over
/// 128 KiB becomes a file that is never synced; that begins at values of 16 KB.
pub(super) const MAX_VALUE: usize = 4096;

/// sled's page cache, in bytes; its default is a gigabyte. Measured, it takes twice this.
const CACHE: u64 = 64 * 1024 * 1024;

/// How long sled's threads may hold its file after it was closed; they need milliseconds.
const LETTING_GO: Duration = Duration::from_secs(2);

/// The file that is there once the database was made, and the tree within that says so too.
const MARKER: &str = "made";

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An open database.
pub(super) struct Durable {
    db: sled::Db,
    /// sled's data file, to be synced.
    file: File,
    folder: PathBuf,
}

impl Durable {
    /// Opens the database in a folder, or makes one.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        files::make_folder(folder)?;
        let refused = |source| StoreError::Open {
            path: folder.to_owned(),
            source,
        };
        wait_for_lock(folder)?;
        let config = sled::Config::new()
            .path(folder)
            .flush_every_ms(None)
            .cache_capacity(CACHE);
        let db = guarded(|| config.open()).map_err(refused)?;
        check_marker(&db, folder)?;
        sync_all(folder)?;
        if let Some(above) = folder.parent() {
            files::sync_folder(above)?;
        }
        let path = folder.join("db");
        let file = File::open(&path).map_err(StoreError::file("open", &path))?;
        Ok(Self {
            db,
            file,
            folder: folder.to_owned(),
        })
    }

    /// One record.
    pub(super) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let found = guarded(|| self.db.get(key)).map_err(failed("read a record"))?;
        Ok(found.map(|value| value.to_vec()))
    }

    /// Records in order.
    pub(super) fn scan(&self, scan: &Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let (from, to) = scan.bounds();
        if from >= to {
            return Ok(Vec::new());
        }
        let rows = guarded(|| {
            let range = self.db.range(from..to);
            match scan.direction {
                Direction::Up => range.take(scan.limit).collect::<sled::Result<Vec<_>>>(),
                Direction::Down => range.rev().take(scan.limit).collect(),
            }
        });
        let rows = rows.map_err(failed("list records"))?;
        let row = |(key, value): (sled::IVec, sled::IVec)| {
            let key = String::from_utf8(key.to_vec()).map_err(|error| {
                StoreError::damaged(String::from_utf8_lossy(&key))(error.into())
            })?;
            Ok((key, value.to_vec()))
        };
        rows.into_iter().map(row).collect()
    }

    /// How many records there are whose key begins so.
    pub(super) fn count(&self, prefix: &str) -> Result<u64, StoreError> {
        let counted = guarded(|| {
            let keys = self.db.scan_prefix(prefix).keys();
            keys.map(|key| key.map(|_| 1u64)).sum::<sled::Result<u64>>()
        });
        counted.map_err(failed("count records"))
    }

    /// Applies a batch, whole or not at all: [`Durable::sync`] makes it survive a power cut.
    ///
    /// After an error of either, what sled holds in memory may differ from what is on disk.
    pub(super) fn apply(&self, records: &Overlay) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, record) in records {
            match record {
                Some(record) => batch.insert(key.as_bytes(), &*record.raw),
                None => batch.remove(key.as_bytes()),
            }
        }
        guarded(|| self.db.apply_batch(batch)).map_err(failed("apply a batch"))
    }

    /// Returns once what was applied would survive a power cut.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        guarded(|| self.db.flush()).map_err(failed("flush"))?;
        let synced = self.file.sync_data();
        synced.map_err(StoreError::file("sync", self.folder.join("db")))
    }

    /// Lets go of the database and its files, in whatever state sled is.
    pub(super) fn close(self) {
        let Self { db, .. } = self;
        // What it says of a database that has failed is known.
        let _ = guarded(|| {
            drop(db);
            Ok(())
        });
    }
}

/// Whether a failure is of a write for which there was no room. The kernel refused it, and took
/// nothing of what it had accepted before, so the file can be trusted when opened again. Of a
/// failed sync the same is not true: the kernel forgets what it could not write, and says so once.
pub(super) fn lacked_room(error: &StoreError) -> bool {
    let StoreError::Database { source, .. } = error else {
        return false;
    };
    let Some(sled::Error::Io(error)) = source.downcast_ref::<sled::Error>() else {
        return false;
    };
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// Refuses what is too long to be safe with sled.
pub(super) fn check_lengths(records: &Overlay) -> Result<(), StoreError> {
    let length = |record: &Option<Prepared>| record.as_ref().map_or(0, |record| record.raw.len());
    match records
        .iter()
        .find(|(_, record)| length(record) > MAX_VALUE)
    {
        Some((key, record)) => Err(StoreError::Refused(format!(
            "the record {key:?} has {} bytes, at most {MAX_VALUE} are safe with sled",
            length(record)
        ))),
        None => Ok(()),
    }
}

/// Calls sled; its panics are errors.
fn guarded<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, Cause> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(called) => called.map_err(Into::into),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("sled panicked: {}", text.unwrap_or("no reason given")).into())
        }
    }
}

fn failed(action: &'static str) -> impl FnOnce(Cause) -> StoreError {
    move |source| StoreError::Database { action, source }
}

/// Waits until sled's threads of an earlier database here have ended. Other processes are kept out
/// before this is asked, so there is nothing else to wait for; a server of before that was so is
/// refused.
fn wait_for_lock(folder: &Path) -> Result<(), StoreError> {
    let path = folder.join("db");
    let began = Instant::now();
    loop {
        let tried = match File::open(&path) {
            Ok(file) => file.try_lock(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(StoreError::file("open", path)(error)),
        };
        match tried {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(StoreError::file("lock", path)(error)),
            Err(TryLockError::WouldBlock) if began.elapsed() < LETTING_GO => {
                std::thread::sleep(LETTING_GO / 100);
            }
            Err(TryLockError::WouldBlock) => {
                let path = folder.to_owned();
                return Err(StoreError::InUse { path });
            }
        }
    }
}

/// Refuses a database that came up empty where there was one; marks one that is new.
fn check_marker(db: &sled::Db, folder: &Path) -> Result<(), StoreError> {
    let refused = |source| StoreError::Open {
        path: folder.to_owned(),
        source,
    };
    let path = folder.join(MARKER);
    let made = path
        .try_exists()
        .map_err(StoreError::file("look for", &path))?;
    let marked = guarded(|| Ok(db.tree_names().contains(&MARKER.into()))).map_err(refused)?;
    if made && !marked {
        return Err(refused(
            "its records are gone: the file is damaged, or another was put there".into(),
        ));
    }
    // Within first: a crash in between leaves a marked database without the file, which is fine.
    guarded(|| {
        db.open_tree(MARKER)?;
        db.flush()
    })
    .map_err(refused)?;
    sync_all(folder)?;
    if !made {
        Draft::begin(folder)?.publish(&path)?;
    }
    Ok(())
}

/// Syncs every file below a folder, then the folder; and keeps others from reading them.
fn sync_all(folder: &Path) -> Result<(), StoreError> {
    fs::set_permissions(folder, Permissions::from_mode(0o700))
        .map_err(StoreError::file("close to others", folder))?;
    for entry in fs::read_dir(folder).map_err(StoreError::file("list", folder))? {
        let path = entry.map_err(StoreError::file("list", folder))?.path();
        if path.is_dir() {
            sync_all(&path)?;
            continue;
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600))
            .map_err(StoreError::file("close to others", &path))?;
        File::open(&path)
            .and_then(|file| file.sync_all())
            .map_err(StoreError::file("sync", &path))?;
    }
    files::sync_folder(folder)
}
