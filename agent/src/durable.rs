//! Plain files of the state folder that are old or new, never half: a temporary file beside the
//! target reaches the disk, takes the name, and the folder reaches the disk too.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Permission bits of the files of the state folder: keys and catalogs are root's alone.
pub(crate) const PRIVATE_FILE: u32 = 0o600;

/// Permission bits of a file that others may read.
const OPEN_FILE: u32 = 0o644;

/// Longest JSON document of the state folder, in bytes; a report is the largest (schemas say 8
/// MiB). A longer one was not written by this program.
const MAX_DOCUMENT: u64 = 16 * 1024 * 1024;

/// Why a file of the state folder could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiskError {
    /// A system call failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as an infinitive.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The disk has no room; what was there before is untouched.
    #[error("the disk is full: cannot {action} {}", path.display())]
    Full {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the kernel says.
        #[source]
        source: io::Error,
    },
    /// A file that this program wrote does not read back.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

impl DiskError {
    /// Makes the error for a system call on a path.
    pub(crate) fn io<'a>(
        action: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| {
            let path = path.to_owned();
            match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full {
                    action,
                    path,
                    source,
                },
                _ => Self::Io {
                    action,
                    path,
                    source,
                },
            }
        }
    }
}

/// Puts bytes at a path, whole and on disk, or leaves what was there.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    write_with(path, bytes, PRIVATE_FILE)
}

fn write_with(path: &Path, bytes: &[u8], mode: u32) -> Result<(), DiskError> {
    let fresh = beside(path);
    let written = write_through(&fresh, bytes, mode)
        .map_err(DiskError::io("write", path))
        .and_then(|()| rename(&fresh, path));
    if written.is_err() {
        // Whatever is left of it would only fill a disk that may be full already.
        let _ = fs::remove_file(&fresh);
    }
    written
}

/// Puts a document at a path as JSON.
pub(crate) fn write_json<T: Serialize>(path: &Path, document: &T) -> Result<(), DiskError> {
    write(path, &to_json(path, document)?)
}

/// Puts a document without secrets at a path as JSON, for anybody to read.
pub(crate) fn write_open_json<T: Serialize>(path: &Path, document: &T) -> Result<(), DiskError> {
    write_with(path, &to_json(path, document)?, OPEN_FILE)
}

fn to_json<T: Serialize>(path: &Path, document: &T) -> Result<Vec<u8>, DiskError> {
    serde_json::to_vec(document)
        .map_err(io::Error::other)
        .map_err(DiskError::io("write", path))
}

/// Reads a JSON document; `None` when there is none.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, DiskError> {
    let Some(bytes) = read(path)? else {
        return Ok(None);
    };
    let document = serde_json::from_slice(&bytes).map_err(|source| DiskError::Damaged {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(document))
}

/// Reads a file; `None` when there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(DiskError::io("open", path))?,
    };
    read_bounded(file)
        .map_err(DiskError::io("read", path))
        .map(Some)
}

/// Gives a file its final name, durably.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), DiskError> {
    fs::rename(from, to).map_err(DiskError::io("replace", to))?;
    sync_folder(to.parent().unwrap_or(Path::new("/")))
}

/// Removes a file durably; that there is none is as good.
pub(crate) fn remove(path: &Path) -> Result<(), DiskError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => {
            removed.map_err(DiskError::io("remove", path))?;
            sync_folder(path.parent().unwrap_or(Path::new("/")))
        }
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), DiskError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(DiskError::io("sync", folder))
}

/// The temporary name beside a path.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn write_through(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(PRIVATE_FILE)
        .open(path)?;
    // Whatever the umask is, and whatever a run that was killed left.
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn read_bounded(file: File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    if length > MAX_DOCUMENT {
        let told = format!("it has {length} bytes, at most {MAX_DOCUMENT} are read");
        return Err(io::Error::other(told));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    io::Read::read_to_end(&mut io::Read::take(file, MAX_DOCUMENT), &mut bytes)?;
    Ok(bytes)
}
