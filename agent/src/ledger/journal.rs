//! The file under the ledger: lines appended, and brought to disk when it matters.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::record::Record;
use crate::durable::{self, DiskError, PRIVATE_FILE};

/// Longest journal that is read, in bytes: the largest catalog (64 MiB) intended, done and told
/// several times over. A longer one was not written by this program and counts as damaged.
const MAX_JOURNAL: u64 = 512 * 1024 * 1024;

/// What reading a journal gave.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Whether there was one.
    pub(super) present: bool,
    /// The records up to the first line that is none.
    pub(super) records: Vec<Record>,
    /// Bytes that those records take.
    pub(super) good: u64,
    /// Whether it is damaged: good lines stand behind a bad one, which is more than a torn tail.
    pub(super) damage: Damage,
    /// The records behind the damage.
    pub(super) behind: Vec<Record>,
}

/// Whether a journal is damaged beyond a torn tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Damage {
    /// It is not.
    #[default]
    None,
    /// It is.
    Found,
}

/// Which journal a mark speaks of, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    inode: u64,
    length: u64,
}

impl Identity {
    /// The identity of the journal at a path; `None` when there is none.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        Some(Self {
            inode: found.ino(),
            length: found.len(),
        })
    }
}

/// Reads a journal, line by line.
pub(super) fn read(path: &Path) -> Result<Read, DiskError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Read::default()),
        opened => opened.map_err(DiskError::io("open", path))?,
    };
    let length = file.metadata().map_err(DiskError::io("look at", path))?;
    let mut read =
        parse(BufReader::new(file.take(MAX_JOURNAL))).map_err(DiskError::io("read", path))?;
    if length.len() > MAX_JOURNAL {
        read.damage = Damage::Found;
    }
    Ok(read)
}

/// Reads the lines of a journal up to the first bad one, and looks behind that.
pub(super) fn parse(mut journal: impl BufRead) -> io::Result<Read> {
    let mut read = Read {
        present: true,
        ..Read::default()
    };
    let mut intact = true;
    let mut line = Vec::new();
    while journal.read_until(b'\n', &mut line)? > 0 {
        match (record(&line), intact) {
            (Some(record), true) => {
                read.good += line.len() as u64;
                read.records.push(record);
            }
            (Some(record), false) => {
                read.damage = Damage::Found;
                read.behind.push(record);
            }
            (None, _) => intact = false,
        }
        line.clear();
    }
    Ok(read)
}

fn record(line: &[u8]) -> Option<Record> {
    let line = line.strip_suffix(b"\n")?;
    std::str::from_utf8(line).ok()?.parse().ok()
}

/// A journal open for appending.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
    synced: bool,
}

impl Journal {
    /// Opens a journal, or begins one, and cuts what stands behind `length`.
    pub(super) fn open(path: &Path, length: u64) -> Result<Self, DiskError> {
        let begun = !path.exists();
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(PRIVATE_FILE)
            .open(path)
            .map_err(DiskError::io("open", path))?;
        file.set_len(length).map_err(DiskError::io("cut", path))?;
        if begun {
            durable::sync_folder(path.parent().unwrap_or(Path::new("/")))?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            length,
            synced: true,
        })
    }

    /// Appends a line. A line that could not be written whole is taken back.
    pub(super) fn append(&mut self, line: &[u8]) -> Result<(), DiskError> {
        self.synced = false;
        if let Err(error) = self.file.write_all(line) {
            // If cutting fails too, the next start cuts it: the tail has no checksum that fits.
            let _ = self.file.set_len(self.length);
            return Err(DiskError::io("append to", &self.path)(error));
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Returns once everything appended is on disk.
    pub(super) fn sync(&mut self) -> Result<(), DiskError> {
        if !self.synced {
            self.file
                .sync_data()
                .map_err(DiskError::io("sync", &self.path))?;
            self.synced = true;
        }
        Ok(())
    }

    /// Bytes in it.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// What a mark says to speak of this journal as it is now.
    pub(super) fn identity(&self) -> Result<Identity, DiskError> {
        let found = self
            .file
            .metadata()
            .map_err(DiskError::io("look at", &self.path))?;
        Ok(Identity {
            inode: found.ino(),
            length: found.len(),
        })
    }
}
