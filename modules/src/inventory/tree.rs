//! Where a host's files are read: `/`, a `--root` folder, or a recorded fixture.
//!
//! Reading is bounded, never blocks on a pipe that was put in a file's place, and in a rooted
//! tree never leaves the root through a link.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Longest file of the kernel or of the system's configuration that is read. Generous for every
/// one of them, and small enough that a planted giant costs nothing.
const MAX_SMALL: u64 = 256 * 1024;

/// Longest package database that is read. Ten thousand packages take about 10 MiB.
pub(super) const MAX_DATABASE: u64 = 64 * 1024 * 1024;

/// Whether a tree is the machine itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The running machine: services can be asked for.
    Machine,
    /// A folder: its programs do not run.
    Rooted,
}

/// A host's files: those of its own root, and those that its kernel shows.
#[derive(Debug, Clone)]
pub struct Tree {
    root: PathBuf,
    kernel: PathBuf,
    scope: Scope,
}

impl Tree {
    /// The running machine.
    pub fn machine() -> Self {
        Self {
            root: "/".into(),
            kernel: "/".into(),
            scope: Scope::Machine,
        }
    }

    /// A root folder on this machine: its own system and packages, the machine's kernel.
    pub fn rooted(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            kernel: "/".into(),
            scope: Scope::Rooted,
        }
    }

    /// A recording: `proc` and `sys` are folders of the fixture too.
    #[cfg(test)]
    pub(super) fn recorded(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self {
            kernel: root.clone(),
            root,
            scope: Scope::Rooted,
        }
    }

    /// Whether this is the machine itself.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// A small text file of the root, `etc/hostname`; `None` when it cannot be read.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.text_up_to(path, MAX_SMALL)
    }

    /// A text file of the root that may be longer.
    pub(super) fn text_up_to(&self, path: &str, limit: u64) -> Option<String> {
        read(&self.inside(path)?, limit)
    }

    /// Whether something is at a path of the root.
    pub(super) fn has(&self, path: &str) -> bool {
        self.inside(path).is_some()
    }

    /// A file that the kernel shows, `proc/meminfo`.
    pub(super) fn kernel_text(&self, path: &str) -> Option<String> {
        read(&self.kernel.join(path), MAX_SMALL)
    }

    /// Whether the kernel shows something at a path.
    pub(super) fn kernel_has(&self, path: &str) -> bool {
        self.kernel.join(path).exists()
    }

    /// The sorted names in a folder that the kernel shows.
    pub(super) fn kernel_names(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.kernel.join(path));
        let names = entries.into_iter().flatten().flatten();
        let mut names: Vec<String> = names
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    /// Whether the kernel's files are this machine's own.
    pub(super) fn kernel_is_live(&self) -> bool {
        self.kernel == Path::new("/")
    }

    /// The real place of a path of the root; `None` when nothing is there, or a link leads out.
    fn inside(&self, path: &str) -> Option<PathBuf> {
        let place = self.root.join(path).canonicalize().ok()?;
        if self.scope == Scope::Machine {
            return Some(place);
        }
        let root = self.root.canonicalize().ok()?;
        place.starts_with(&root).then_some(place)
    }
}

/// The text of a regular file. Opened without waiting, so that a pipe in its place cannot hang
/// the agent; longer than `limit` is as good as absent, for half a file would be half a truth.
fn read(path: &Path, limit: u64) -> Option<String> {
    let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY | nix::libc::O_CLOEXEC;
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(flags).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > limit {
        return None;
    }
    Some(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}
