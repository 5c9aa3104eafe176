//! Files that are whole or absent: temporary file, fsync, rename, fsync of the folder.
//!
//! Everything here is for the server's eyes only: files have mode 0600, folders 0700.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::StoreError;

/// What a temporary file's name begins with. Such files do not outlive a restart.
pub(crate) const TEMPORARY: &str = ".new-";

/// The file by which a process holds a folder.
const LOCK: &str = "lock";

/// Room that is left on the disk for the database to finish what it began, and to be opened
/// again: sixteen of sled's segments.
pub(crate) const RESERVE: u64 = 8 * 1024 * 1024;

/// Makes a folder and the ones above it; those that are made last like what is put into them.
pub(crate) fn make_folder(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    if let Some(above) = above {
        make_folder(above)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(StoreError::file("make the folder", path)(error));
        }
        _ => {}
    }
    sync_folder(above.unwrap_or(Path::new(".")))
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(StoreError::file("sync the folder", path))
}

/// Takes a folder for this process until the file is closed; `None` if another has it.
pub(crate) fn lock(folder: &Path) -> Result<Option<File>, StoreError> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(StoreError::file("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(StoreError::file("lock", path)(error)),
    }
}

/// Refuses to begin a write of `bytes` that would eat into the reserve.
pub(crate) fn check_room(folder: &Path, bytes: u64) -> Result<(), StoreError> {
    let stat = nix::sys::statvfs::statvfs(folder)
        .map_err(|errno| StoreError::file("ask for the free space of", folder)(errno.into()))?;
    // The field's width varies between platforms.
    #[allow(clippy::unnecessary_cast)]
    let free = (stat.blocks_available() as u64).saturating_mul(stat.fragment_size() as u64);
    let needed = bytes.saturating_add(RESERVE);
    if free < needed {
        return Err(StoreError::DiskFull {
            path: folder.to_owned(),
            free,
            needed,
        });
    }
    Ok(())
}

/// A file that is being written and is gone when dropped unless [`Draft::publish`]ed.
pub(crate) struct Draft {
    file: File,
    path: PathBuf,
    published: bool,
}

impl Draft {
    /// Begins a file somewhere in `folder`, which must be on the file system of its last place.
    pub(crate) fn begin(folder: &Path) -> Result<Self, StoreError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{TEMPORARY}{}-{number}", std::process::id()));
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let file = opened.map_err(StoreError::file("create", &path))?;
        Ok(Self {
            file,
            path,
            published: false,
        })
    }

    /// Appends.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        io::Write::write_all(&mut self.file, bytes).map_err(StoreError::file("write", &self.path))
    }

    /// Makes it durable under its last name. What stood there before is replaced.
    pub(crate) fn publish(mut self, to: &Path) -> Result<(), StoreError> {
        self.file
            .sync_all()
            .map_err(StoreError::file("sync", &self.path))?;
        fs::rename(&self.path, to).map_err(StoreError::file("put in place", to))?;
        self.published = true;
        let synced = sync_folder(to.parent().unwrap_or(Path::new(".")));
        if synced.is_err() {
            // A name that may not last is none; who asks for it again writes it again.
            let _ = fs::remove_file(to);
        }
        synced
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // Nothing more can be done about a file that cannot be removed; the next start tries.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes temporary files that a crash left in a folder.
pub(crate) fn remove_drafts(folder: &Path) -> Result<(), StoreError> {
    let entries = fs::read_dir(folder).map_err(StoreError::file("list", folder))?;
    for entry in entries {
        let entry = entry.map_err(StoreError::file("list", folder))?;
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(TEMPORARY.as_bytes())
        {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes a file; one that is not there is removed.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}
