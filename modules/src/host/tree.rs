//! A tree of files below one root, looked at: shared by the real host and the rooted one.
//!
//! Nothing but a regular file is ever opened for reading: what a path holds is looked at first,
//! and what was opened is compared with what was looked at. So a pipe cannot hang a run and a
//! device is never touched.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use holdfast_schemas::resource::Content;
use holdfast_schemas::{Digest, Hasher, HostPath};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{Mode, fstat, fstatat};
use zeroize::Zeroizing;

use super::content::{self, ContentSource};
use super::edit::OPEN_FOLDER;
use super::stat::file_type_of;
use super::synced::Synced;
use super::temporary::Swept;
use super::walk::{Place, Walker, Way};
use super::{FileType, HostError, Stat};

/// How much of a file is in memory while it is digested.
const PIECE: usize = 64 * 1024;

/// Reading, and nothing else: not through a link, not waiting for a pipe's other end, not becoming
/// a terminal's process.
pub(super) const READ: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOCTTY)
    .union(OFlag::O_CLOEXEC);

/// A tree of files.
pub(super) struct Tree {
    pub(super) walker: Walker,
    pub(super) content: Arc<dyn ContentSource>,
    pub(super) swept: Swept,
    pub(super) synced: Synced,
}

impl Tree {
    /// Takes a folder as the root.
    pub(super) fn new(root: &Path, content: Arc<dyn ContentSource>) -> Result<Self, HostError> {
        let walker = Walker::new(root)?;
        Ok(Self {
            walker,
            content,
            swept: Swept::default(),
            synced: Synced::default(),
        })
    }

    pub(super) fn stat(&self, path: &HostPath) -> Result<Option<Stat>, HostError> {
        match self.walker.place(path, Way::Remembered)? {
            Some(place) => stat_at(&place, path),
            None => Ok(None),
        }
    }

    pub(super) fn reach(
        &self,
        folder: &HostPath,
        target: &str,
    ) -> Result<Option<FileType>, HostError> {
        self.walker.reach(folder, target)
    }

    pub(super) fn read(&self, path: &HostPath, limit: usize) -> Result<Vec<u8>, HostError> {
        let (file, stat) = self.open(path, None)?;
        let too_long = || HostError::TooLong {
            path: path.to_string(),
            limit,
        };
        let longest = limit as u64 + 1;
        if stat.size >= longest {
            return Err(too_long());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(stat.size).unwrap_or_default() + 1);
        let read = file.take(longest).read_to_end(&mut bytes);
        read.map_err(|source| HostError::path("read", path, source))?;
        match bytes.len() > limit {
            true => Err(too_long()),
            false => Ok(bytes),
        }
    }

    pub(super) fn digest(&self, path: &HostPath) -> Result<Digest, HostError> {
        let (file, stat) = self.open(path, None)?;
        digest_of(file, stat.size).map_err(|source| HostError::path("read", path, source))
    }

    pub(super) fn holds(
        &self,
        path: &HostPath,
        stat: &Stat,
        wanted: &Content,
    ) -> Result<bool, HostError> {
        if wanted.plain().is_some_and(|(_, size)| size != stat.size) {
            return Ok(false);
        }
        let (file, _) = self.open(path, Some(stat))?;
        let same = match wanted {
            Content::Text(text) => is(file, text.as_bytes()),
            Content::Blob { digest, size } => digest_of(file, *size).map(|found| found == *digest),
            Content::Sealed { .. } => {
                let mut content = content::open(wanted, &*self.content)?;
                let (digest, size) = content::measure(&mut *content)?;
                match size == stat.size {
                    true => digest_of_secret(file, size).map(|found| found == digest),
                    false => Ok(false),
                }
            }
        };
        same.map_err(|source| HostError::path("read", path, source))
    }

    pub(super) fn read_link(&self, path: &HostPath) -> Result<String, HostError> {
        let failed = |errno: Errno| HostError::path("read the link", path, errno);
        let place = self.walker.place(path, Way::Remembered)?;
        let place = place.ok_or_else(|| failed(Errno::ENOENT))?;
        let target = readlinkat(&place.folder, place.name).map_err(failed)?;
        Ok(target.to_string_lossy().into_owned())
    }

    /// Forgets which folder is where: something changed.
    pub(super) fn forget(&self) {
        self.walker.forget();
    }

    /// A name that is not UTF-8 is given with replacement characters, so it names nothing.
    pub(super) fn list(&self, path: &HostPath) -> Result<Vec<String>, HostError> {
        let failed = |errno: Errno| HostError::path("list", path, errno);
        let folder = self
            .walker
            .folder(path)?
            .ok_or_else(|| failed(Errno::ENOTDIR))?;
        let mut folder = Dir::openat(&folder, ".", OPEN_FOLDER, Mode::empty()).map_err(failed)?;
        let mut names = Vec::new();
        for entry in folder.iter() {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy();
            if !matches!(&*name, "." | "..") {
                names.push(name.into_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Opens a regular file; `looked` is what a look at it found, if there was one.
    fn open(&self, path: &HostPath, looked: Option<&Stat>) -> Result<(File, Stat), HostError> {
        let failed = |errno: Errno| HostError::path("read", path, errno);
        let place = self.walker.place(path, Way::Remembered)?;
        let place = place.ok_or_else(|| failed(Errno::ENOENT))?;
        let looked = match looked {
            Some(looked) => *looked,
            None => stat_at(&place, path)?.ok_or_else(|| failed(Errno::ENOENT))?,
        };
        if looked.file_type != FileType::File {
            return Err(HostError::WrongType {
                path: path.to_string(),
                found: looked.file_type.as_str(),
                expected: FileType::File.as_str(),
            });
        }
        let replaced = || HostError::Replaced {
            path: path.to_string(),
        };
        let opened = match openat(&place.folder, place.name, READ, Mode::empty()) {
            Err(Errno::ELOOP | Errno::ENOENT) => return Err(replaced()),
            opened => opened.map_err(failed)?,
        };
        let stat = fstat(opened.as_fd()).map_err(failed)?;
        let (device, inode, ..) = looked.identity;
        let same =
            file_type_of(&stat) == FileType::File && (stat.st_dev, stat.st_ino) == (device, inode);
        match same {
            true => Ok((File::from(opened), Stat::from(&stat))),
            false => Err(replaced()),
        }
    }
}

/// What is at a place, not following a link there.
pub(super) fn stat_at(place: &Place<'_>, path: &HostPath) -> Result<Option<Stat>, HostError> {
    match fstatat(&place.folder, place.name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(Stat::from(&stat))),
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(HostError::path("look at", path, errno)),
    }
}

/// Whether a file holds these bytes and no more.
fn is(mut file: impl Read, wanted: &[u8]) -> io::Result<bool> {
    let mut piece = vec![0; PIECE.min(wanted.len() + 1)];
    let mut rest = wanted;
    loop {
        let length = read_some(&mut file, &mut piece)?;
        if length == 0 {
            return Ok(rest.is_empty());
        }
        match rest.strip_prefix(&piece[..length]) {
            // A regular file gives all it has: less than was asked for is its end.
            Some([]) if length < piece.len() => return Ok(true),
            Some(left) => rest = left,
            None => return Ok(false),
        }
    }
}

/// The digest of a file of an expected length. A file that is longer, perhaps because somebody
/// appends to it without end, has another digest whatever else it holds.
fn digest_of(file: impl Read, expected: u64) -> io::Result<Digest> {
    digest_in(&mut piece_for(expected), file, expected)
}

/// The same of a file that may hold a secret, which leaves memory.
fn digest_of_secret(file: impl Read, expected: u64) -> io::Result<Digest> {
    let mut piece = Zeroizing::new(piece_for(expected));
    digest_in(&mut piece, file, expected)
}

fn piece_for(expected: u64) -> Vec<u8> {
    let longest = usize::try_from(expected.saturating_add(1));
    vec![0; PIECE.min(longest.unwrap_or(PIECE))]
}

fn digest_in(piece: &mut [u8], file: impl Read, expected: u64) -> io::Result<Digest> {
    let mut file = file.take(expected.saturating_add(1));
    let mut hasher = Hasher::new();
    loop {
        match read_some(&mut file, piece)? {
            0 => return Ok(hasher.finish()),
            length => hasher.update(&piece[..length]),
        }
    }
}

fn read_some(file: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
