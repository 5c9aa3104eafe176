//! Between runs: the kernel tells when something managed is touched.
//!
//! Every folder on the way to a managed path is watched, for the names that matter in it, so that
//! a folder that is moved away and made anew is noticed as well as a file that is edited. What is
//! seen here decides nothing: it only makes the next run earlier. Where the kernel gives no more
//! watches the timer alone remains, and that is said.

mod interest;
mod names;
mod rhythm;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt;
use inotify::{EventMask, EventOwned, EventStream, Inotify, WatchDescriptor, WatchMask};
use tokio::time::timeout;

use interest::Care;
pub(crate) use interest::Interests;
use names::Names;
pub(crate) use rhythm::{DEBOUNCE, Rhythm};

/// Most folders watched: a host whose catalog names files in more has a tree to itself, and a
/// watch costs the kernel about a KiB.
const MAX_FOLDERS: usize = 4096;

/// Bytes of events read at a time: some dozens.
const BUFFER: usize = 4096;

/// No event for so long means that every one there was has been read.
const DRAINED: Duration = Duration::from_millis(2);

/// Watches the folders of managed paths.
#[derive(Debug)]
pub(crate) struct Watcher {
    events: EventStream<[u8; BUFFER]>,
    folders: HashMap<WatchDescriptor, (PathBuf, Names)>,
}

impl Watcher {
    /// A watcher of nothing yet. Lives in a runtime.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            events: Inotify::init()?.into_event_stream([0; BUFFER])?,
            folders: HashMap::new(),
        })
    }

    /// Watches these from now on, and nothing else. Folders are found by their paths again, so
    /// that one that was replaced is watched in its new place. What was touched in a folder
    /// before it was watched is not known: if there is such a one, something may have been.
    pub(crate) fn follow(&mut self, interests: Interests) -> io::Result<Touched> {
        let mut watches = self.events.watches();
        let mut folders = HashMap::with_capacity(self.folders.len());
        let mut refused = None;
        let mut touched = Touched::Nothing;
        for (path, names) in interests.into_folders() {
            if folders.len() >= MAX_FOLDERS {
                refused = Some(io::Error::other("more folders than are watched at most"));
                break;
            }
            match watches.add(&path, mask()) {
                Ok(watch) => {
                    if !self.folders.contains_key(&watch) {
                        touched = Touched::Managed;
                    }
                    folders.insert(watch, (path, names));
                }
                // What is not there is seen to be made by the folder above.
                Err(error) if is_absent(&error) => {}
                Err(error) => refused = Some(error),
            }
        }
        for watch in self.folders.keys() {
            if !folders.contains_key(watch) {
                // The kernel has dropped it already if the folder is gone.
                let _ = watches.remove(watch.clone());
            }
        }
        self.folders = folders;
        refused.map_or(Ok(touched), Err)
    }

    /// Puts what is kept where memory is free now: it was put down behind a catalog that is gone,
    /// and the allocator gives memory back to the system from its end only.
    pub(crate) fn settle(&mut self) {
        self.folders = self.folders.clone();
    }

    /// Waits until something managed was touched.
    pub(crate) async fn disturbed(&mut self) -> io::Result<()> {
        while self.next().await? == Touched::Nothing {}
        Ok(())
    }

    /// Reads every event there is, and says whether one was about something managed.
    pub(crate) async fn drain(&mut self) -> io::Result<Touched> {
        let mut touched = Touched::Nothing;
        while let Ok(next) = timeout(DRAINED, self.next()).await {
            touched = touched.max(next?);
        }
        Ok(touched)
    }

    async fn next(&mut self) -> io::Result<Touched> {
        let event = self.events.next().await.transpose()?;
        let event = event.ok_or_else(|| io::Error::other("the kernel tells no more"))?;
        Ok(match matters(&self.folders, &event) {
            true => Touched::Managed,
            false => Touched::Nothing,
        })
    }

    /// Whether anything is watched at all.
    pub(crate) fn is_idle(&self) -> bool {
        self.folders.is_empty()
    }
}

/// Whether events were about something managed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Touched {
    Nothing,
    Managed,
}

fn matters(folders: &HashMap<WatchDescriptor, (PathBuf, Names)>, event: &EventOwned) -> bool {
    if event.mask.contains(EventMask::Q_OVERFLOW) {
        return true;
    }
    let Some((_, names)) = folders.get(&event.wd) else {
        return false;
    };
    let Some(name) = &event.name else {
        // About the folder itself; other permission bits of it are told by the folder above.
        return event
            .mask
            .intersects(EventMask::MOVE_SELF | EventMask::DELETE_SELF);
    };
    match names.get(name) {
        None => false,
        Some(Care::Content) => true,
        Some(Care::Existence) => !event
            .mask
            .intersects(EventMask::MODIFY | EventMask::CLOSE_WRITE),
    }
}

fn mask() -> WatchMask {
    WatchMask::CREATE
        | WatchMask::DELETE
        | WatchMask::MOVED_FROM
        | WatchMask::MOVED_TO
        | WatchMask::MODIFY
        | WatchMask::CLOSE_WRITE
        | WatchMask::ATTRIB
        | WatchMask::DELETE_SELF
        | WatchMask::MOVE_SELF
        | WatchMask::ONLYDIR
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests;
