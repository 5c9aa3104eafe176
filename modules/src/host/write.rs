//! Changing a host.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::{Command, Content, Mode};

use super::{HostError, Output, Probe};

/// A host that can be changed.
pub trait Host: Probe {
    /// Puts a file at a path, whole or not at all: a temporary file beside it gets content,
    /// owner, mode and labels, passes its validation, reaches the disk, and takes the name.
    fn write_file(&self, path: &HostPath, file: &NewFile<'_>) -> Result<(), HostError>;

    /// Makes a folder whose parent exists.
    fn make_directory(&self, path: &HostPath, mode: Mode, owner: Owner) -> Result<(), HostError>;

    /// Puts a symbolic link at a path, replacing a link that is there in one step.
    fn make_symlink(&self, path: &HostPath, target: &str) -> Result<(), HostError>;

    /// Sets permission bits; never through a link, nor of a file that somebody else could have given
    /// this second name.
    fn set_mode(&self, path: &HostPath, mode: Mode) -> Result<(), HostError>;

    /// Sets owner and group; of the same things.
    fn set_owner(&self, path: &HostPath, owner: Owner) -> Result<(), HostError>;

    /// Removes a file, a link, or an empty folder.
    fn remove(&self, path: &HostPath) -> Result<(), HostError>;

    /// Removes a folder and all that is in it, on its own file system, following nothing.
    fn remove_tree(&self, path: &HostPath) -> Result<(), HostError>;

    /// Runs a program that changes the host. What was remembered of packages, services and
    /// accounts is forgotten.
    fn run(&self, invocation: &Invocation) -> Result<Output, HostError>;

    /// Does work that changes several paths. Each is whole at any instant, as ever; that their
    /// names last is waited for at the end, once for every folder. When this returns they do.
    fn together(&self, work: &mut dyn FnMut()) -> Result<(), HostError> {
        work();
        Ok(())
    }

    /// The same host, for looking only.
    fn as_probe(&self) -> &dyn Probe;
}

/// A file to be put at a path.
#[derive(Debug, Clone)]
pub struct NewFile<'a> {
    /// What it holds.
    pub content: NewContent<'a>,
    /// Its permission bits.
    pub mode: Mode,
    /// Its owner.
    pub owner: Owner,
    /// What the new content must pass; `%s` stands for the temporary file.
    pub validate: Option<&'a Command>,
    /// What may have to make room.
    pub displace: Displace,
}

/// What a new file may take the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Displace {
    /// A regular file, or nothing.
    #[default]
    File,
    /// Whatever is there: a link, a pipe, a folder with all that is in it.
    Anything,
}

/// What a new file holds.
#[derive(Debug, Clone)]
pub enum NewContent<'a> {
    /// Content of the catalog.
    Wanted(&'a Content),
    /// Bytes made on the host (an account database, say).
    Bytes(&'a [u8]),
}

/// Who is to own something; what is absent is left as it is (for something new: as the agent's).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owner {
    /// The user's number.
    pub uid: Option<u32>,
    /// The group's number.
    pub gid: Option<u32>,
}

/// A program to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The program and its arguments, or a line for the shell.
    pub command: Command,
    /// Folder it runs in; `/` if absent.
    pub cwd: Option<HostPath>,
    /// Variables added to a small fixed environment (`PATH`, `LC_ALL=C.UTF-8`, `HOME`).
    pub env: BTreeMap<String, String>,
    /// Account it runs as, with its uid, gid and groups.
    pub run_as: Option<String>,
    /// When it is killed with its process group.
    pub deadline: Duration,
    /// What becomes of it when the run is asked to end.
    pub ends: Ends,
}

/// When a program ends of which the run is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// With the run: its process group is asked to end, and killed if it does not.
    WithTheRun,
    /// By itself: breaking it off would leave the host worse than waiting (a package half
    /// installed).
    ByItself,
}
