//! Looking at a host. Nothing that can be reached from here changes anything.

use std::io::Read;
use std::sync::Arc;

use holdfast_schemas::resource::{Content, Mode};
use holdfast_schemas::{Digest, HostPath};

use super::accounts::Accounts;
use super::{HostError, content};
use crate::package::Memo;

/// Looks at a host and cannot change it.
///
/// Paths are walked component by component; a symbolic link in a parent folder is followed only
/// if nobody but root (or the account the agent runs as) could have put it there, and the last
/// component is never followed.
pub trait Probe: Send + Sync {
    /// What is at a path, without following a link there; `None` when nothing is.
    fn stat(&self, path: &HostPath) -> Result<Option<Stat>, HostError>;

    /// What a path leads to from a folder, links at its end followed like those on the way:
    /// `target` is relative or absolute, as in a symbolic link, or `.` for the folder itself.
    /// `None` when it leads to nothing.
    fn reach(&self, folder: &HostPath, target: &str) -> Result<Option<FileType>, HostError>;

    /// The content of a regular file, refused when it is longer than `limit` bytes.
    fn read(&self, path: &HostPath, limit: usize) -> Result<Vec<u8>, HostError>;

    /// The BLAKE3 digest of a regular file, whatever its length, in constant memory.
    fn digest(&self, path: &HostPath) -> Result<Digest, HostError>;

    /// Whether the regular file at `path`, which `stat` describes, holds `wanted`. The cheapest
    /// way there is: by length, by a digest known to be fresh, else by reading.
    fn holds(&self, path: &HostPath, stat: &Stat, wanted: &Content) -> Result<bool, HostError>;

    /// What a symbolic link points to, as written in it.
    fn read_link(&self, path: &HostPath) -> Result<String, HostError>;

    /// The names in a folder, sorted, without `.` and `..`.
    fn list(&self, path: &HostPath) -> Result<Vec<String>, HostError>;

    /// Whether anything is at a path that may hold the shell's wildcards.
    fn any_matches(&self, pattern: &str) -> Result<bool, HostError>;

    /// Content that a catalog wants, to be read to its end and verified as it streams.
    fn content<'c>(&self, wanted: &'c Content) -> Result<Box<dyn Read + 'c>, HostError>;

    /// Digest and length of content that a catalog wants; what is sealed is opened for them.
    fn measure(&self, wanted: &Content) -> Result<(Digest, u64), HostError> {
        match wanted.plain() {
            Some(both) => Ok(both),
            None => content::measure(&mut *self.content(wanted)?),
        }
    }

    /// Names and numbers of the host's own users and groups.
    fn accounts(&self) -> Result<Arc<Accounts>, HostError>;

    /// Runs a program that only looks.
    fn query(&self, query: &Query) -> Result<Output, HostError>;

    /// Whether this host has a facility at all.
    fn supports(&self, facility: Facility) -> Support;

    /// What this host remembers of its packages, so that many looks are one reading; `None` for
    /// one that remembers nothing.
    fn memo(&self) -> Option<&Memo> {
        None
    }
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What sort of thing.
    pub file_type: FileType,
    /// Its permission bits.
    pub mode: Mode,
    /// Its owner's number.
    pub uid: u32,
    /// Its group's number.
    pub gid: u32,
    /// Its length in bytes.
    pub size: u64,
    /// Device, inode, modification and change time in nanoseconds: what tells a changed file.
    pub identity: (u64, u64, i128, i128),
}

/// What sort of thing is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A pipe, a socket or a device.
    Special,
}

impl FileType {
    /// The word for it in reports and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Symlink => "symlink",
            Self::Special => "special file",
        }
    }
}

/// Something that a host may lack as a whole: a rooted host has no programs to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facility {
    /// Programs can be run at all.
    Programs,
    /// Packages are managed with apt and dpkg.
    Apt,
    /// Services are managed by systemd.
    Systemd,
    /// The owner of a file can be set.
    Ownership,
}

/// Whether a facility is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// It is.
    Yes,
    /// It is not, and why.
    No(String),
}

/// A program run that only looks. What is not a constructor here cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// `systemctl show` of some properties of one unit.
    UnitProperties {
        /// The unit.
        unit: String,
        /// The properties.
        properties: &'static [&'static str],
    },
    /// `systemctl is-enabled`: for a template, which is no unit and has no properties.
    UnitFileState {
        /// The template.
        unit: String,
    },
    /// `apt-cache policy` of packages: installed and candidate versions.
    PackagePolicy {
        /// The packages.
        packages: Vec<String>,
    },
    /// `apt-get --simulate` of a transaction.
    SimulateApt {
        /// Arguments after `--simulate`.
        arguments: Vec<String>,
    },
    /// `getent` of one entry: a user or a group, wherever the host knows it from.
    NameService {
        /// Which sort of entry.
        database: Database,
        /// The name.
        name: String,
    },
    /// A guard that an operator wrote; that it only looks is the operator's word.
    Guard(super::write::Invocation),
}

/// A database of the name service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Database {
    /// Users.
    Passwd,
    /// Groups.
    Group,
}

/// What a program gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Exit status; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// Standard output, at most a stated number of bytes of it.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
    /// Whether output was cut.
    pub truncated: bool,
}

impl Output {
    /// Whether it exited with 0.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// How it ended, in words: `exit status 1`, `signal 9`.
    pub fn status(&self) -> String {
        match (self.code, self.signal) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "an unknown status".to_owned(),
        }
    }
}
