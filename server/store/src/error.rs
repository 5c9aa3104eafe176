//! Why the store could not do what it was asked, and whether trying again may help.

use std::io;
use std::path::PathBuf;

use holdfast_schemas::HostName;

/// What a caller can do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It may go better later, without anybody touching the server (full disk, I/O).
    Transient,
    /// What is on disk is not what was written, or the disk failed; an operator has to act.
    Corrupt,
    /// The request does not fit what is stored.
    Conflict,
}

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder could not be opened as a store.
    #[error(
        "the store in {} does not open; restore the last backup into an empty folder", path.display()
    )]
    Open {
        /// The folder.
        path: PathBuf,
        /// What the database said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process has the folder.
    #[error("the store in {} is in use by another server; stop that one first", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, as in `write`.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Too little room is left on the disk to write safely.
    #[error(
        "{free} bytes are free under {}, a write needs {needed}; nothing was stored, free some space", path.display()
    )]
    DiskFull {
        /// The folder.
        path: PathBuf,
        /// Bytes free for us.
        free: u64,
        /// Bytes that have to be.
        needed: u64,
    },
    /// The database failed.
    #[error("the database failed to {action}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// What it said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A write failed for want of room, and the database is closed: nothing is read or written
    /// until it was opened again, which is tried every second.
    #[error(
        "the store is closed since a write failed ({reason}); \
         free some space, it opens again by itself"
    )]
    Closed {
        /// The failure.
        reason: String,
    },
    /// A write failed in a way after which the disk cannot be trusted: no more are taken.
    #[error(
        "the store takes no writes since one failed ({reason}); \
         look after the disk, then restart the server"
    )]
    Stopped {
        /// The failure.
        reason: String,
    },
    /// A record is not of the form it was written in.
    #[error("the record {key:?} in the store is damaged; restore the last backup")]
    Damaged {
        /// Its key.
        key: String,
        /// Why it cannot be read.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A blob's bytes are not those that its name promises.
    #[error("the blob should be {expected} but its bytes are {found}; nothing was stored")]
    WrongDigest {
        /// The name.
        expected: holdfast_schemas::Digest,
        /// The digest of the bytes.
        found: holdfast_schemas::Digest,
    },
    /// More bytes than were announced or are allowed.
    #[error("the blob has more than the {limit} bytes that are accepted; nothing was stored")]
    TooLarge {
        /// What is accepted.
        limit: u64,
    },
    /// A record could not be written as JSON.
    #[error("the record {key:?} cannot be written as JSON")]
    Encode {
        /// Its key.
        key: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// No such host.
    #[error("no host {0} is enrolled")]
    UnknownHost(HostName),
    /// The request does not fit the store's rules.
    #[error("{0}")]
    Refused(String),
    /// A backup could not be read.
    #[error("line {line} of the backup {problem}; nothing was imported")]
    Backup {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
}

impl StoreError {
    /// What a caller can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::File { .. }
            | Self::InUse { .. }
            | Self::DiskFull { .. }
            | Self::Closed { .. }
            | Self::Database { .. } => Kind::Transient,
            Self::Open { .. } | Self::Stopped { .. } | Self::Damaged { .. } => Kind::Corrupt,
            Self::WrongDigest { .. }
            | Self::TooLarge { .. }
            | Self::Encode { .. }
            | Self::UnknownHost(_)
            | Self::Refused(_)
            | Self::Backup { .. } => Kind::Conflict,
        }
    }

    /// Makes one of an I/O failure.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }

    /// Makes one of a record that cannot be read.
    pub(crate) fn damaged(
        key: impl Into<String>,
    ) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        let key = key.into();
        move |source| Self::Damaged { key, source }
    }
}
