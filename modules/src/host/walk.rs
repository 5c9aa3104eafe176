//! The one way from a path to a folder: component by component, from a root that is never left.
//!
//! Every component is opened relative to the one before it, without following it; a symbolic link
//! is read and walked by hand. So `..` and absolute links stay inside the root, and a link is
//! followed only if nobody but root or the agent's own account could have put it there. What comes
//! out is an open folder: whatever is renamed afterwards, nothing outside it is touched.
//!
//! Folders are remembered for a moment, for looking only: five thousand files of one folder are one
//! walk. A change on disk walks anew and makes everything remembered forgotten.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use holdfast_schemas::HostPath;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, fstat, fstatat};
use nix::unistd::{getegid, geteuid};

use super::stat::{file_type_of, is_symlink};
use super::{FileType, HostError};

/// How many links are followed on one path; the kernel's own limit (`path_resolution(7)`).
pub(super) const MAX_LINKS: usize = 40;

/// How long a folder once walked to is taken for the one at its path, when only looking: as short
/// as the time that passes between a look and the report of it anyway.
pub(super) const REMEMBERED: Duration = Duration::from_millis(10);

/// How many folders are remembered: the catalog's order keeps neighbours together, and several
/// threads look side by side.
const MAX_REMEMBERED: usize = 16;

/// How a folder is opened to be passed through: no permission to list it is needed.
const PASS: OFlag = OFlag::O_PATH
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// Whether a folder that was walked to a moment ago will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// For looking: yes.
    Remembered,
    /// For changing: no.
    Anew,
}

/// Where something is: the open folder that holds it, and its name there.
#[derive(Debug)]
pub(super) struct Place<'p> {
    pub(super) folder: Arc<OwnedFd>,
    pub(super) name: &'p str,
}

/// Where a walk ended.
#[derive(Debug)]
enum End {
    Folder(Arc<OwnedFd>),
    Other(FileType),
    Nothing,
}

/// Walks below one root.
#[derive(Debug)]
pub(super) struct Walker {
    root: Arc<OwnedFd>,
    remembered: Mutex<Vec<Remembered>>,
}

#[derive(Debug)]
struct Remembered {
    path: Box<str>,
    folder: Arc<OwnedFd>,
    walked: Instant,
}

impl Walker {
    /// Takes a folder as the root; links on the way to it are the operator's own.
    pub(super) fn new(root: &Path) -> Result<Self, HostError> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let opened = nix::fcntl::open(root, flags, Mode::empty());
        let root = opened.map_err(|errno| HostError::path("open", root.display(), errno))?;
        Ok(Self {
            root: Arc::new(root),
            remembered: Mutex::default(),
        })
    }

    /// A folder itself, links at its end followed like those on the way; `None` when there is none.
    pub(super) fn folder(&self, path: &HostPath) -> Result<Option<Arc<OwnedFd>>, HostError> {
        match Walk::new(self, path.as_str(), path.as_str()).go()? {
            End::Folder(folder) => Ok(Some(folder)),
            End::Other(_) | End::Nothing => Ok(None),
        }
    }

    /// The folder that holds a path, opened, and the name there; `None` when there is no such
    /// folder. The root is `.` in itself.
    pub(super) fn place<'p>(
        &self,
        path: &'p HostPath,
        way: Way,
    ) -> Result<Option<Place<'p>>, HostError> {
        let (parent, name) = path
            .as_str()
            .rsplit_once('/')
            .unwrap_or(("", path.as_str()));
        let name = if name.is_empty() { "." } else { name };
        if parent.is_empty() {
            let folder = Arc::clone(&self.root);
            return Ok(Some(Place { folder, name }));
        }
        if let (Way::Remembered, Some(folder)) = (way, self.recall(parent)) {
            return Ok(Some(Place { folder, name }));
        }
        let End::Folder(folder) = Walk::new(self, path.as_str(), parent).go()? else {
            return Ok(None);
        };
        match way {
            Way::Remembered => self.remember(parent, &folder),
            Way::Anew => self.forget(),
        }
        Ok(Some(Place { folder, name }))
    }

    /// As [`Self::place`], for something that is to be changed: its folder has to be there.
    pub(super) fn place_to_change<'p>(&self, path: &'p HostPath) -> Result<Place<'p>, HostError> {
        let missing = || HostError::MissingParent {
            path: path.to_string(),
            parent: path
                .parent()
                .map(|parent| parent.to_string())
                .unwrap_or_default(),
        };
        self.place(path, Way::Anew)?.ok_or_else(missing)
    }

    /// What a path leads to from a folder, links at the end followed too.
    pub(super) fn reach(
        &self,
        folder: &HostPath,
        target: &str,
    ) -> Result<Option<FileType>, HostError> {
        let path = match target.starts_with('/') {
            true => target.to_owned(),
            false => format!("{folder}/{target}"),
        };
        Ok(match Walk::new(self, &path, &path).go()? {
            End::Folder(_) => Some(FileType::Directory),
            End::Other(found) => Some(found),
            End::Nothing => None,
        })
    }

    /// Forgets every folder: something changed.
    pub(super) fn forget(&self) {
        self.memory().clear();
    }

    fn recall(&self, path: &str) -> Option<Arc<OwnedFd>> {
        let memory = self.memory();
        let known = memory.iter().find(|known| &*known.path == path)?;
        (known.walked.elapsed() < REMEMBERED).then(|| Arc::clone(&known.folder))
    }

    fn remember(&self, path: &str, folder: &Arc<OwnedFd>) {
        let mut memory = self.memory();
        memory.retain(|known| &*known.path != path && known.walked.elapsed() < REMEMBERED);
        if memory.len() < MAX_REMEMBERED {
            memory.push(Remembered {
                path: path.into(),
                folder: Arc::clone(folder),
                walked: Instant::now(),
            });
        }
    }

    /// What is remembered is whole whatever a thread did that held it: a panic spoils nothing.
    fn memory(&self) -> MutexGuard<'_, Vec<Remembered>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// One walk: where it has come to and what is left of the way.
struct Walk<'w> {
    path: &'w str,
    passed: Vec<Arc<OwnedFd>>,
    names: Vec<OsString>,
    ahead: VecDeque<OsString>,
    links: usize,
}

impl<'w> Walk<'w> {
    /// Sets out from the root for `way`; `path` is what messages call the goal.
    fn new(walker: &Walker, path: &'w str, way: &str) -> Self {
        Self {
            path,
            passed: vec![Arc::clone(&walker.root)],
            names: Vec::new(),
            ahead: way.split('/').map(OsString::from).collect(),
            links: 0,
        }
    }

    fn go(mut self) -> Result<End, HostError> {
        while let Some(name) = self.ahead.pop_front() {
            match name.as_bytes() {
                b"" | b"." => {}
                b".." => {
                    self.names.pop();
                    self.passed.truncate(self.passed.len().max(2) - 1);
                }
                _ => {
                    if let Some(end) = self.step(name)? {
                        return Ok(end);
                    }
                }
            }
        }
        Ok(self.passed.pop().map_or(End::Nothing, End::Folder))
    }

    /// Takes one component; an end when there is no going on.
    fn step(&mut self, name: OsString) -> Result<Option<End>, HostError> {
        let Some(here) = self.passed.last().map(Arc::clone) else {
            return Ok(Some(End::Nothing));
        };
        match openat(&here, name.as_os_str(), PASS, Mode::empty()) {
            Ok(folder) => {
                self.passed.push(Arc::new(folder));
                self.names.push(name);
                Ok(None)
            }
            Err(Errno::ENOENT) => Ok(Some(End::Nothing)),
            Err(Errno::ENOTDIR | Errno::ELOOP) => self.pass_link(&here, &name),
            Err(errno) => Err(HostError::path("pass through", self.at(&name), errno)),
        }
    }

    /// Something that is no folder: a link is followed, anything else is an end.
    fn pass_link(&mut self, here: &OwnedFd, name: &OsStr) -> Result<Option<End>, HostError> {
        let failed = |errno| HostError::path("look at", self.at(name), errno);
        let link = match fstatat(here, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(found) if is_symlink(&found) => found,
            Ok(_)
                if self
                    .ahead
                    .iter()
                    .any(|left| !left.is_empty() && left != ".") =>
            {
                return Ok(Some(End::Nothing));
            }
            Ok(found) => return Ok(Some(End::Other(file_type_of(&found)))),
            Err(Errno::ENOENT) => return Ok(Some(End::Nothing)),
            Err(errno) => return Err(failed(errno)),
        };
        let holder = fstat(here).map_err(failed)?;
        if let Some(planter) = planter(&link, &holder) {
            let link = self.at(name);
            return Err(HostError::PlantedLink { link, planter });
        }
        let target = readlinkat(here, name).map_err(failed)?;
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(HostError::LinkLoop {
                path: self.path.to_owned(),
                limit: MAX_LINKS,
            });
        }
        if target.as_bytes().starts_with(b"/") {
            self.passed.truncate(1);
            self.names.clear();
        }
        for component in target.as_bytes().split(|byte| *byte == b'/').rev() {
            self.ahead
                .push_front(OsStr::from_bytes(component).to_owned());
        }
        Ok(None)
    }

    /// The path of a name in the folder that was come to, for messages.
    fn at(&self, name: &OsStr) -> String {
        let mut path = String::new();
        for name in self.names.iter().map(OsString::as_os_str).chain([name]) {
            path.push('/');
            path.push_str(&name.to_string_lossy());
        }
        path
    }
}

/// Who could have planted a link: its owner, the owner of the folder that holds it, or others where
/// they may rename in that folder what is not theirs. `None` when that is nobody but root and the
/// agent's own account.
fn planter(link: &FileStat, holder: &FileStat) -> Option<String> {
    const STICKY: u32 = 0o1000;
    const OTHERS_WRITE: u32 = 0o002;
    const GROUP_WRITES: u32 = 0o020;
    let own = |uid: u32| uid == 0 || uid == geteuid().as_raw();
    let own_group = holder.st_gid == 0 || holder.st_gid == getegid().as_raw();
    let mode = holder.st_mode;
    let shared = mode & OTHERS_WRITE != 0 || (mode & GROUP_WRITES != 0 && !own_group);
    match () {
        () if !own(link.st_uid) => Some(format!("user {}", link.st_uid)),
        () if !own(holder.st_uid) => Some(format!("user {}", holder.st_uid)),
        () if shared && mode & STICKY == 0 => Some("whoever may write to its folder".to_owned()),
        () => None,
    }
}

/// Who else could have put a new name into a folder; `None` when that is nobody but root and the
/// agent's own account. A sticky bit keeps nobody from that.
pub(super) fn newcomer(holder: &FileStat) -> Option<String> {
    const WRITERS: u32 = 0o022;
    let own = holder.st_uid == 0 || holder.st_uid == geteuid().as_raw();
    let own_group = holder.st_gid == 0 || holder.st_gid == getegid().as_raw();
    let writers = holder.st_mode & WRITERS;
    match () {
        () if !own => Some(format!("user {}", holder.st_uid)),
        () if writers == 0 || (writers == 0o020 && own_group) => None,
        () => Some("whoever may write to its folder".to_owned()),
    }
}
