//! A tree of files below one root, changed: everything but writing a file.
//!
//! Every change walks to its folder anew and acts relative to that open folder; nothing here
//! follows a link at the end of a path.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::Mode;
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{self, FchmodatFlags, fchmod, fchmodat, fstat, fstatat, mkdirat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, fchownat, symlinkat, unlinkat};

use super::stat::file_type_of;
use super::temporary;
use super::tree::{Tree, stat_at};
use super::walk::newcomer;
use super::{FileType, HostError, Owner};

/// How a folder is opened to be changed itself, or to be emptied.
pub(super) const OPEN_FOLDER: OFlag = OFlag::O_RDONLY
    .union(OFlag::O_DIRECTORY)
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// How something is held on to without being read.
const HOLD: OFlag = OFlag::O_PATH
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// How deep a tree is removed: deeper than any path could name, so only a tree that was built to
/// exhaust something is refused.
const MAX_DEPTH: usize = 2048;

impl Tree {
    /// The folder has its owner before it has its mode: nobody else ever gets in.
    pub(super) fn make_directory(
        &self,
        path: &HostPath,
        mode: Mode,
        owner: Owner,
    ) -> Result<(), HostError> {
        let failed = |errno: Errno| HostError::path("make the folder", path, errno);
        let place = self.walker.place_to_change(path)?;
        mkdirat(&place.folder, place.name, stat::Mode::S_IRWXU).map_err(failed)?;
        let finish = || -> Result<(), Errno> {
            let made = openat(&place.folder, place.name, OPEN_FOLDER, stat::Mode::empty())?;
            own(&made, owner)?;
            fchmod(&made, stat::Mode::from_bits_truncate(mode.bits()))?;
            self.synced.changed(&place)
        };
        finish().map_err(|errno| {
            // Half a folder would be taken for the operator's own by the next run.
            let _ = unlinkat(&place.folder, place.name, UnlinkatFlags::RemoveDir);
            failed(errno)
        })
    }

    /// A link that is there is replaced by a rename, so that there always is one.
    pub(super) fn make_symlink(&self, path: &HostPath, target: &str) -> Result<(), HostError> {
        let failed = |errno: Errno| HostError::path("make the link", path, errno);
        let place = self.walker.place_to_change(path)?;
        if let Some(found) = stat_at(&place, path)?
            && found.file_type != FileType::Symlink
        {
            return Err(HostError::WrongType {
                path: path.to_string(),
                found: found.file_type.as_str(),
                expected: FileType::Symlink.as_str(),
            });
        }
        self.swept.sweep(&place);
        let name =
            temporary::name(place.name).map_err(|e| HostError::path("make the link", path, e))?;
        symlinkat(target, &place.folder, name.as_str()).map_err(failed)?;
        let renamed = renameat(&place.folder, name.as_str(), &place.folder, place.name);
        if let Err(errno) = renamed {
            let _ = unlinkat(&place.folder, name.as_str(), UnlinkatFlags::NoRemoveDir);
            return Err(failed(errno));
        }
        self.synced.changed(&place).map_err(failed)
    }

    /// Through the open file: what was looked at is what is changed, whatever takes its name
    /// meanwhile. The kernel has no such call of its own before Linux 6.6; its file system of open
    /// files is what the C library uses too.
    pub(super) fn set_mode(&self, path: &HostPath, mode: Mode) -> Result<(), HostError> {
        let found = self.hold(path)?;
        let bits = stat::Mode::from_bits_truncate(mode.bits());
        let name = format!("/proc/self/fd/{}", found.as_raw_fd());
        fchmodat(AT_FDCWD, name.as_str(), bits, FchmodatFlags::FollowSymlink)
            .map_err(|errno| HostError::path("set the mode of", path, errno))
    }

    pub(super) fn set_owner(&self, path: &HostPath, owner: Owner) -> Result<(), HostError> {
        let found = self.hold(path)?;
        let (uid, gid) = (owner.uid.map(Uid::from_raw), owner.gid.map(Gid::from_raw));
        fchownat(&found, "", uid, gid, AtFlags::AT_EMPTY_PATH)
            .map_err(|errno| HostError::path("set the owner of", path, errno))
    }

    /// Opens a file or folder whose owner or mode is to be set, without reading it. A file of
    /// several names is refused where somebody else could have given it this one: its other name
    /// may be `/etc/shadow`.
    fn hold(&self, path: &HostPath) -> Result<OwnedFd, HostError> {
        let failed = |errno: Errno| HostError::path("open", path, errno);
        let place = self.walker.place_to_change(path)?;
        let held = openat(&place.folder, place.name, HOLD, stat::Mode::empty()).map_err(failed)?;
        let found = fstat(&held).map_err(failed)?;
        match file_type_of(&found) {
            FileType::Directory => Ok(held),
            FileType::File => {
                let holder = fstat(&place.folder).map_err(failed)?;
                match newcomer(&holder).filter(|_| found.st_nlink > 1) {
                    None => Ok(held),
                    Some(planter) => Err(HostError::PlantedName {
                        path: path.to_string(),
                        planter,
                    }),
                }
            }
            other => Err(HostError::WrongType {
                path: path.to_string(),
                found: other.as_str(),
                expected: "file or folder",
            }),
        }
    }

    pub(super) fn remove(&self, path: &HostPath) -> Result<(), HostError> {
        let failed = |errno: Errno| HostError::path("remove", path, errno);
        let place = self.walker.place_to_change(path)?;
        let found = stat_at(&place, path)?;
        let flag = match found.map(|found| found.file_type) {
            Some(FileType::Directory) => UnlinkatFlags::RemoveDir,
            _ => UnlinkatFlags::NoRemoveDir,
        };
        unlinkat(&place.folder, place.name, flag).map_err(failed)?;
        self.synced.changed(&place).map_err(failed)
    }

    pub(super) fn remove_tree(&self, path: &HostPath) -> Result<(), HostError> {
        let failed = |errno: Errno| HostError::path("remove what is below", path, errno);
        if path.parent().is_none() {
            return Err(HostError::refused(
                path,
                "is the root, which is never removed",
            ));
        }
        let place = self.walker.place_to_change(path)?;
        let name = CString::new(place.name).map_err(|_| failed(Errno::EINVAL))?;
        remove_below(&place.folder, &name).map_err(failed)?;
        self.synced.changed(&place).map_err(failed)
    }
}

/// Sets whatever is given of owner and group, where it is not so already: an account without
/// privileges may not even set what is.
pub(super) fn own(file: impl AsFd, owner: Owner) -> Result<(), Errno> {
    let found = fstat(file.as_fd())?;
    let uid = owner.uid.filter(|uid| *uid != found.st_uid);
    let gid = owner.gid.filter(|gid| *gid != found.st_gid);
    match (uid, gid) {
        (None, None) => Ok(()),
        (uid, gid) => fchown(file, uid.map(Uid::from_raw), gid.map(Gid::from_raw)),
    }
}

/// One folder on the way down, and what is left to be removed of it.
struct Level {
    folder: Dir,
    name: CString,
    left: Vec<CString>,
}

/// Removes a folder with all that is in it. Follows no link and stays on its file system: what is
/// mounted below is somebody else's, and stops the removal before anything of it is touched.
pub(super) fn remove_below(holder: impl AsFd, name: &CStr) -> Result<(), Errno> {
    let found = fstatat(holder.as_fd(), name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
    if file_type_of(&found) != FileType::Directory {
        return unlinkat(holder, name, UnlinkatFlags::NoRemoveDir);
    }
    let device = found.st_dev;
    let mut levels = vec![enter(holder.as_fd(), name, device)?];
    while let Some(level) = levels.last_mut() {
        let Some(next) = level.left.pop() else {
            let Some(empty) = levels.pop() else { break };
            match levels.last() {
                Some(above) => {
                    unlinkat(
                        &above.folder,
                        empty.name.as_c_str(),
                        UnlinkatFlags::RemoveDir,
                    )?;
                }
                None => unlinkat(holder.as_fd(), name, UnlinkatFlags::RemoveDir)?,
            }
            continue;
        };
        let below = enter_or_remove(level, &next, device)?;
        levels.extend(below);
        if levels.len() > MAX_DEPTH {
            return Err(Errno::ENAMETOOLONG);
        }
    }
    Ok(())
}

/// Removes one entry, or opens it when it is a folder.
fn enter_or_remove(level: &Level, name: &CStr, device: u64) -> Result<Option<Level>, Errno> {
    match unlinkat(&level.folder, name, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(None),
        Err(Errno::EISDIR) => enter(level.folder.as_fd(), name, device).map(Some),
        Err(errno) => Err(errno),
    }
}

fn enter(holder: impl AsFd, name: &CStr, device: u64) -> Result<Level, Errno> {
    let mut folder = Dir::openat(holder, name, OPEN_FOLDER, stat::Mode::empty())?;
    if fstat(folder.as_fd())?.st_dev != device {
        return Err(Errno::EXDEV);
    }
    let mut left = Vec::new();
    for entry in folder.iter() {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            left.push(entry.file_name().to_owned());
        }
    }
    let name = name.to_owned();
    Ok(Level { folder, name, left })
}
