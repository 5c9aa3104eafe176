//! The state folder: the only place on a host that belongs to the agent itself.
//!
//! ```text
//! lock            held while a run changes anything
//! identity.json   who this host is: server, key, certificate, keys that sign catalogs
//! accepted.json   the newest generation ever accepted
//! catalog.json    the last good envelope, as it was signed; its body is a blob
//! life.json       the incarnation and the next report's number
//! last-run.json   the last run in short, for monitoring
//! ledger/         what was enforced, what is owed
//! blobs/          catalog bodies and content, by digest
//! spool/          reports that the server has not acknowledged; spool/failed/ those it refused
//! ```
//!
//! Everything in it is root's alone: folders 0700, files 0600.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::durable::{DiskError, PRIVATE_FILE};
use crate::ledger::Knowledge;

/// Where the state folder is unless somebody says otherwise. Under `--root DIR` it is this path
/// below `DIR`: a tree that was managed carries its own ledger.
pub(crate) const DEFAULT_STATE: &str = "/var/lib/holdfast-agent";

/// Permission bits of every folder in it.
const PRIVATE_FOLDER: u32 = 0o700;

/// How long a second run waits for the first: longer than a run that has little to do, shorter
/// than a person's patience.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Pause between two tries to get the lock.
const LOCK_RETRY: Duration = Duration::from_millis(50);

/// Longest line that the holder of the lock leaves in it, in bytes.
const MAX_HOLDER: u64 = 256;

/// Why the state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// A file of it could not be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Another run holds it.
    #[error("another run holds {}: {holder}", path.display())]
    Busy {
        /// The lock.
        path: PathBuf,
        /// What the holder says of itself.
        holder: String,
    },
    /// A link inside the root leads out of it.
    #[error("{} leads out of the root {}", path.display(), root.display())]
    LeavesRoot {
        /// The state folder.
        path: PathBuf,
        /// The root.
        root: PathBuf,
    },
}

/// The state folder.
#[derive(Debug, Clone)]
pub(crate) struct StateDir {
    path: PathBuf,
}

/// The right to change the host and the state folder, until dropped.
#[derive(Debug)]
pub(crate) struct RunLock {
    _lock: Flock<File>,
}

impl StateDir {
    /// The state folder at a path; nothing is made or read yet.
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The state folder of a tree, refused when a link in the tree leads elsewhere.
    pub(crate) fn below(root: &Path) -> Result<Self, StateError> {
        let path = root.join(DEFAULT_STATE.trim_start_matches('/'));
        let own = root.canonicalize().map_err(DiskError::io("find", root))?;
        let existing = path.ancestors().find_map(|part| part.canonicalize().ok());
        match existing.is_some_and(|existing| existing.starts_with(&own)) {
            true => Ok(Self::at(path)),
            false => Err(StateError::LeavesRoot {
                path,
                root: root.to_owned(),
            }),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes what is missing of it.
    pub(crate) fn prepare(&self) -> Result<(), StateError> {
        let spool = self.path.join("spool");
        for folder in [self.ledger(), self.blobs(), spool.join("failed")] {
            private_folder(&folder)?;
        }
        Ok(())
    }

    /// Takes the lock, waiting a while for another run to end.
    pub(crate) fn lock(&self, doing: &str) -> Result<RunLock, StateError> {
        private_folder(&self.path)?;
        let path = self.path.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE_FILE)
            .open(&path)
            .map_err(DiskError::io("open", &path))?;
        let give_up = Instant::now() + LOCK_PATIENCE;
        loop {
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => return Ok(claim(lock, doing)),
                Err((held, Errno::EWOULDBLOCK)) if Instant::now() >= give_up => {
                    let holder = holder(&held);
                    return Err(StateError::Busy { path, holder });
                }
                Err((held, Errno::EWOULDBLOCK | Errno::EINTR)) => file = held,
                Err((_, error)) => {
                    return Err(DiskError::io("lock", &path)(io::Error::from(error)).into());
                }
            }
            std::thread::sleep(LOCK_RETRY);
        }
    }

    /// What it means if there is no ledger: the host is new, unless it already has a life.
    pub(crate) fn missing_ledger(&self) -> Knowledge {
        match self.life().exists() || self.identity().exists() {
            true => Knowledge::Lost,
            false => Knowledge::Whole,
        }
    }

    pub(crate) fn identity(&self) -> PathBuf {
        self.path.join("identity.json")
    }

    pub(crate) fn accepted(&self) -> PathBuf {
        self.path.join("accepted.json")
    }

    pub(crate) fn catalog(&self) -> PathBuf {
        self.path.join("catalog.json")
    }

    pub(crate) fn life(&self) -> PathBuf {
        self.path.join("life.json")
    }

    pub(crate) fn last_run(&self) -> PathBuf {
        self.path.join("last-run.json")
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.path.join("ledger")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.path.join("spool")
    }
}

fn private_folder(path: &Path) -> Result<(), DiskError> {
    if path.is_dir() {
        return Ok(());
    }
    // Folders above the state folder are ordinary ones.
    if let Some(above) = path.parent().filter(|above| !above.exists()) {
        private_folder(above)?;
    }
    match DirBuilder::new().mode(PRIVATE_FOLDER).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(DiskError::io("make", path)),
    }
}

/// Leaves word in the lock of who holds it. Only a courtesy: the kernel's lock is what counts.
fn claim(mut lock: Flock<File>, doing: &str) -> RunLock {
    let word = format!("process {} ({doing})\n", std::process::id());
    let written = lock
        .set_len(0)
        .and_then(|()| lock.seek(SeekFrom::Start(0)))
        .and_then(|_| lock.write_all(word.as_bytes()));
    if let Err(error) = written {
        tracing::debug!(%error, "the lock does not say who holds it");
    }
    RunLock { _lock: lock }
}

fn holder(mut file: &File) -> String {
    let mut word = String::new();
    let read = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.take(MAX_HOLDER).read_to_string(&mut word));
    match (read, word.trim()) {
        (Ok(_), word) if !word.is_empty() => word.to_owned(),
        _ => "a process that does not say which".to_owned(),
    }
}
