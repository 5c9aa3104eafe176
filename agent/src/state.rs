//! The state folder: the only place on a host that belongs to the agent itself.
//!
//! ```text
//! lock            held while a run changes anything
//! identity.json   who this host is: server, key, certificate, keys that sign catalogs
//! accepted.json   the newest generation ever accepted
//! catalog.json    the last good envelope, as it was signed; its body is a blob
//! life.json       the incarnation and the next report's number
//! last-run.json   the last run in short, for monitoring: anybody may read it
//! told.json       what the last report said, to know whether the next says anything new
//! sealing.key     what opens the secrets that are sealed to this host; made once
//! enrolling.json  the key of an enrolment whose answer has not come
//! ledger/         what was enforced, what is owed
//! blobs/          catalog bodies and content, by digest
//! spool/          reports that the server has not acknowledged; spool/failed/ those it refused
//! ```
//!
//! The folder itself may be entered by anybody (0755), so that `last-run.json` (0644) can be read.
//! Everything else in it is root's alone: folders 0700, files 0600.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::durable::{DiskError, PRIVATE_FILE};
use crate::ledger::{self, Knowledge};

/// Where the state folder is unless somebody says otherwise. Under `--root DIR` it is this path
/// below `DIR`: a tree that was managed carries its own ledger.
pub(crate) const DEFAULT_STATE: &str = "/var/lib/holdfast-agent";

/// Permission bits of every folder in it.
const PRIVATE_FOLDER: u32 = 0o700;

/// Permission bits of the folder, and of those above it, where they are missing.
const ORDINARY_FOLDER: u32 = 0o755;

/// How long a second run waits for the first: longer than a run that has little to do, shorter
/// than a person's patience.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Pause between two tries to get the lock.
const LOCK_RETRY: Duration = Duration::from_millis(50);

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
        /// Who that is.
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
        make_folder(&self.path, ORDINARY_FOLDER)?;
        for folder in [
            self.ledger(),
            self.blobs(),
            spool.clone(),
            spool.join("failed"),
        ] {
            private_folder(&folder)?;
        }
        // A ledger that is missing later, in a folder that has a life, was lost.
        if !self.life().exists() {
            ledger::begin(&self.ledger())?;
        }
        Ok(())
    }

    /// Takes the lock, waiting a while for another run to end.
    pub(crate) fn lock(&self) -> Result<RunLock, StateError> {
        make_folder(&self.path, ORDINARY_FOLDER)?;
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
                Ok(lock) => return Ok(RunLock { _lock: lock }),
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
        match self.life().exists() {
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

    pub(crate) fn told(&self) -> PathBuf {
        self.path.join("told.json")
    }

    pub(crate) fn enrolling(&self) -> PathBuf {
        self.path.join("enrolling.json")
    }

    pub(crate) fn sealing_key(&self) -> PathBuf {
        self.path.join("sealing.key")
    }

    pub(crate) fn unwell(&self) -> PathBuf {
        self.path.join("unwell.json")
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

/// Makes a folder of the state folder, and ordinary ones above that.
fn private_folder(path: &Path) -> Result<(), DiskError> {
    make_folder(path, PRIVATE_FOLDER)
}

fn make_folder(path: &Path, mode: u32) -> Result<(), DiskError> {
    if path.is_dir() {
        return Ok(());
    }
    // The parent of a relative path of one component is empty, and there: it is the working folder.
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_folder(above, ORDINARY_FOLDER)?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(DiskError::io("make", path)),
    }
}

/// Who holds a lock, as far as the kernel tells (proc_locks(5)): nothing is written for it, so
/// that a run with nothing to do leaves no trace.
fn holder(file: &File) -> String {
    let process = || {
        let inode = format!(":{}", file.metadata().ok()?.ino());
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        locks.lines().find_map(|line| {
            let mut words = line.split_whitespace().filter(|word| *word != "->").skip(4);
            let (process, place) = (words.next()?, words.next()?);
            place.ends_with(&inode).then(|| process.to_owned())
        })
    };
    match process() {
        Some(process) => format!("process {process}"),
        None => "a process that cannot be told".to_owned(),
    }
}
