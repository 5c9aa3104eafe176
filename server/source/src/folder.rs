//! A site in a plain folder, or in the working tree of a checkout.
//!
//! Whoever may write there may also plant links, pipes and devices, and swap a file for one while
//! it is looked at. So every step goes through the open folder, never follows a link, never opens
//! what is not a regular file, and looks again at what it opened.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use holdfast_catalog::site::{Entry, Snapshot, is_content, is_encrypted};
use holdfast_schemas::{Digest, Hasher};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};

use crate::intake::{Intake, MAX_DEPTH, entry_name, is_outside, joined};
use crate::{ContentSink, SourceError};

/// Bytes read at a time.
const PIECE: usize = 128 * 1024;

/// Bytes that show whether age encrypted a file.
const HEADER: usize = 256;

/// Reads the folder as it is now.
pub(crate) fn read(
    root: &Path,
    revision: String,
    sink: &mut dyn ContentSink,
) -> Result<Snapshot, SourceError> {
    let mut reader = Reader {
        intake: Intake::new(revision, sink),
        piece: vec![0; PIECE],
    };
    walk(root, &mut reader)?;
    Ok(reader.intake.finish())
}

/// Digest of what the folder's entries look like from outside: names, kinds, sizes, times.
pub(crate) fn fingerprint(root: &Path) -> Result<Digest, SourceError> {
    let mut nowhere = crate::Discard;
    let mut looker = Looker {
        seen: Intake::new(String::new(), &mut nowhere),
        rows: Vec::new(),
    };
    walk(root, &mut looker)?;
    looker.rows.sort_unstable();
    let mut hasher = Hasher::new();
    looker.rows.iter().for_each(|row| hasher.update(row));
    Ok(hasher.finish())
}

/// An entry that was come across.
struct Found<'a> {
    folder: &'a Dir,
    name: &'a CStr,
    /// Its path in the site; escaped where it is not UTF-8.
    path: String,
    /// Where it is.
    place: PathBuf,
    stat: FileStat,
    /// Whether its name is UTF-8.
    named: bool,
}

impl Found<'_> {
    fn kind(&self) -> SFlag {
        SFlag::from_bits_truncate(self.stat.st_mode) & SFlag::S_IFMT
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(Errno) -> SourceError + use<> {
        let place = self.place.clone();
        move |errno| SourceError::file(action, place)(errno.into())
    }
}

/// What is done with entries.
trait Visitor {
    fn visit(&mut self, found: &Found<'_>) -> Result<(), SourceError>;
}

/// Visits every entry below a folder, and enters the folders among them.
fn walk(root: &Path, visitor: &mut dyn Visitor) -> Result<(), SourceError> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    // The folder itself is the operator's word and may be a link.
    let dir = Dir::open(root, flags, Mode::empty())
        .map_err(|errno| SourceError::file("open the folder", root)(errno.into()))?;
    walk_into(dir, "", root, 0, visitor)
}

fn walk_into(
    mut dir: Dir,
    path: &str,
    place: &Path,
    depth: usize,
    visitor: &mut dyn Visitor,
) -> Result<(), SourceError> {
    let mut names = Vec::new();
    for entry in dir.iter() {
        let entry = entry.map_err(|errno| SourceError::file("list", place)(errno.into()))?;
        let name = entry.file_name().to_owned();
        let outside = match depth {
            0 => is_outside(name.to_bytes()),
            _ => matches!(name.to_bytes(), b"." | b".." | b".git"),
        };
        if !outside {
            names.push(name);
        }
    }
    for name in names {
        let named = entry_name(name.to_bytes());
        let shown: &str = match &named {
            Ok(name) => name,
            Err(escaped) => escaped,
        };
        let place = place.join(OsStr::from_bytes(name.to_bytes()));
        let stat = match fstatat(&dir, &*name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            // Gone since it was listed.
            Err(Errno::ENOENT) => continue,
            Err(errno) => return Err(SourceError::file("stat", place)(errno.into())),
        };
        let found = Found {
            folder: &dir,
            name: &name,
            path: joined(path, shown),
            place,
            stat,
            named: named.is_ok(),
        };
        visitor.visit(&found)?;
        if found.kind() == SFlag::S_IFDIR && found.named && depth < MAX_DEPTH {
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let inner = Dir::openat(&dir, &*name, flags, Mode::empty())
                .map_err(found.failed("open the folder"))?;
            walk_into(inner, &found.path, &found.place, depth + 1, visitor)?;
        }
    }
    Ok(())
}

/// Collects what tells that something changed.
struct Looker<'a> {
    seen: Intake<'a>,
    rows: Vec<Vec<u8>>,
}

impl Visitor for Looker<'_> {
    fn visit(&mut self, found: &Found<'_>) -> Result<(), SourceError> {
        self.seen.count()?;
        let stat = &found.stat;
        let mut row = found.path.clone().into_bytes();
        row.push(0);
        for number in [
            i128::from(stat.st_mode),
            i128::from(stat.st_ino),
            i128::from(stat.st_size),
            i128::from(stat.st_mtime),
            i128::from(stat.st_mtime_nsec),
            i128::from(stat.st_ctime),
            i128::from(stat.st_ctime_nsec),
        ] {
            row.extend(number.to_le_bytes());
        }
        // A folder's own times tell nothing that its entries do not.
        if found.kind() == SFlag::S_IFDIR {
            row.truncate(found.path.len() + 1);
        }
        self.rows.push(row);
        Ok(())
    }
}

/// Reads entries into a snapshot.
struct Reader<'a> {
    intake: Intake<'a>,
    piece: Vec<u8>,
}

impl Visitor for Reader<'_> {
    fn visit(&mut self, found: &Found<'_>) -> Result<(), SourceError> {
        self.intake.count()?;
        let path = found.path.clone();
        if !found.named {
            self.intake.foreign(path, "a name that is not UTF-8");
            return Ok(());
        }
        match found.kind() {
            SFlag::S_IFREG => return self.file(found),
            SFlag::S_IFDIR if path.split('/').count() > MAX_DEPTH => self
                .intake
                .foreign(path, format!("a folder deeper than {MAX_DEPTH}")),
            SFlag::S_IFDIR => {}
            SFlag::S_IFLNK => {
                let target =
                    readlinkat(found.folder, found.name).map_err(found.failed("read the link"))?;
                let target = target.to_string_lossy().into_owned();
                self.intake.add(path, Entry::Link { target });
            }
            SFlag::S_IFIFO => self.intake.foreign(path, "a pipe"),
            SFlag::S_IFSOCK => self.intake.foreign(path, "a socket"),
            SFlag::S_IFCHR | SFlag::S_IFBLK => self.intake.foreign(path, "a device"),
            _ => self.intake.foreign(path, "something unknown"),
        }
        Ok(())
    }
}

impl Reader<'_> {
    fn file(&mut self, found: &Found<'_>) -> Result<(), SourceError> {
        // Should it have become a pipe meanwhile, O_NONBLOCK keeps the opening from waiting.
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let opened = openat(found.folder, found.name, flags, Mode::empty());
        let mut file = File::from(opened.map_err(found.failed("open"))?);
        let stat = fstat(file.as_fd()).map_err(found.failed("stat"))?;
        if stat.st_mode != found.stat.st_mode {
            return Err(changed(found));
        }
        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        if !self.intake.admits(&found.path, size)? {
            return Ok(());
        }
        if is_content(&found.path)
            && size > PIECE as u64
            && !self.begins_encrypted(found, &mut file)?
        {
            return self.stream(found, file, size);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        // One byte more than it had tells whether it grew.
        let read = file.take(size + 1).read_to_end(&mut bytes);
        read.map_err(SourceError::file("read", &found.place))?;
        if bytes.len() as u64 != size {
            return Err(changed(found));
        }
        self.intake.whole(found.path.clone(), bytes)
    }

    /// Whether content begins as what age encrypted, which is kept in memory.
    fn begins_encrypted(
        &mut self,
        found: &Found<'_>,
        file: &mut File,
    ) -> Result<bool, SourceError> {
        let begin = &mut self.piece[..HEADER];
        let read = file.read_exact(begin);
        let begins = read.map(|()| is_encrypted(begin));
        let begins = begins.map_err(SourceError::file("read", &found.place))?;
        let rewound = file.rewind();
        rewound.map_err(SourceError::file("read again", &found.place))?;
        Ok(begins)
    }

    /// Reads long content twice: for its digest, and for the sink if that has not got it.
    fn stream(&mut self, found: &Found<'_>, mut file: File, size: u64) -> Result<(), SourceError> {
        let mut hasher = Hasher::new();
        let mut total = 0u64;
        loop {
            let read = file.read(&mut self.piece);
            let read = read.map_err(SourceError::file("read", &found.place))?;
            if read == 0 {
                break;
            }
            total += read as u64;
            if total > size {
                return Err(changed(found));
            }
            hasher.update(&self.piece[..read]);
        }
        if total != size {
            return Err(changed(found));
        }
        let digest = hasher.finish();
        if self.intake.wants(&found.path, &digest, size)? {
            let rewound = file.rewind();
            rewound.map_err(SourceError::file("read again", &found.place))?;
            self.intake
                .keep(&found.path, &digest, size, &mut file.take(size))?;
        }
        let entry = Entry::Content {
            digest,
            size,
            inline: None,
        };
        self.intake.add(found.path.clone(), entry);
        Ok(())
    }
}

fn changed(found: &Found<'_>) -> SourceError {
    SourceError::Changed {
        path: found.path.clone(),
    }
}
