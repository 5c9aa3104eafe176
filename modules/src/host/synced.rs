//! When a folder whose names changed reaches the disk: at once, or once for a whole group.
//!
//! A file that took its name is there for good only when its folder is on disk too. Files that are
//! written side by side mostly share their folders, and one wait then does for all of them: what is
//! told done is told after it.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::fcntl::openat;
use nix::sys::stat::{Mode, fstat};
use nix::unistd::fsync;

use super::edit::OPEN_FOLDER;
use super::walk::Place;

/// Folders kept open at most: a process may have 1024 files open, and has other uses for them.
/// Folders beyond these reach the disk at once.
const MAX_HELD: usize = 128;

/// Device and inode.
type Identity = (u64, u64);

/// Folders that are still to be brought to the disk, while a group is under way.
#[derive(Debug, Default)]
pub(super) struct Synced(Mutex<Option<HashMap<Identity, Arc<OwnedFd>>>>);

impl Synced {
    /// The names in a folder changed.
    pub(super) fn changed(&self, place: &Place<'_>) -> Result<(), Errno> {
        if let Some(held) = self.group().as_mut() {
            let found = fstat(place.folder.as_fd())?;
            let identity = (found.st_dev, found.st_ino);
            if held.contains_key(&identity) || held.len() < MAX_HELD {
                held.insert(identity, Arc::clone(&place.folder));
                return Ok(());
            }
        }
        sync(&place.folder)
    }

    /// From now on folders wait for the end of the group.
    pub(super) fn begin(&self) {
        self.group().get_or_insert_default();
    }

    /// Brings the folders of the group to the disk, each once.
    pub(super) fn end(&self) -> Result<(), Errno> {
        let held = self.group().take().unwrap_or_default();
        // One that fails keeps no other from the disk.
        let synced: Vec<Result<(), Errno>> = held.values().map(|folder| sync(folder)).collect();
        synced.into_iter().collect()
    }

    fn group(&self) -> MutexGuard<'_, Option<HashMap<Identity, Arc<OwnedFd>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sync(folder: &OwnedFd) -> Result<(), Errno> {
    fsync(openat(folder, ".", OPEN_FOLDER, Mode::empty())?)
}
