//! Names of files that are on their way to becoming others, and what a killed run left of them.
//!
//! A temporary file is locked while it is written. The kernel drops the lock when its writer dies,
//! so one that can be locked is nobody's and is removed, whoever made it and whenever.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, fstat, fstatat};

use super::FileType;
use super::edit::{OPEN_FOLDER, remove_below};
use super::stat::file_type_of;
use super::walk::Place;

/// What marks a temporary file as ours.
const MARK: &str = ".holdfast-";

/// Random digits after the mark: nobody guesses the name before the file is there.
const DIGITS: usize = 16;

/// Longest part of the target's name that a temporary name repeats, in bytes, so that it fits
/// `NAME_MAX` (255).
const MAX_STEM: usize = 200;

/// A new name for a file that will be `target`: `.TARGET.holdfast-0123456789abcdef`.
pub(super) fn name(target: &str) -> io::Result<String> {
    let mut random = [0; DIGITS / 2];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let stem = &target[..target.floor_char_boundary(MAX_STEM)];
    let digits = u64::from_be_bytes(random);
    Ok(format!(".{stem}{MARK}{digits:016x}"))
}

/// Whether a name is one that [`name`] makes.
fn is_ours(name: &[u8]) -> bool {
    let Some((stem, digits)) = name.split_at_checked(name.len().saturating_sub(DIGITS)) else {
        return false;
    };
    stem.starts_with(b".")
        && stem.ends_with(MARK.as_bytes())
        && digits.len() == DIGITS
        && digits.iter().all(u8::is_ascii_hexdigit)
}

/// Folders that were swept. What a run leaves it leaves by being killed, so one sweep of a folder
/// in the life of a process is enough, and a thousand files in one folder cost one.
#[derive(Debug, Default)]
pub(super) struct Swept(Mutex<HashSet<(u64, u64)>>);

impl Swept {
    /// Removes what is abandoned in a folder that is about to be written to. A folder that cannot
    /// be read keeps what it has: that is no reason not to write to it.
    pub(super) fn sweep(&self, place: &Place<'_>) {
        let Ok(folder) = fstat(place.folder.as_fd()) else {
            return;
        };
        // Held until the sweep is done: whoever writes to the folder side by side waits for it, so
        // that no file is taken for abandoned between its making and its locking.
        let mut swept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if swept.insert((folder.st_dev, folder.st_ino)) {
            let _ = sweep(place);
        }
    }
}

fn sweep(place: &Place<'_>) -> Result<(), Errno> {
    let mut folder = Dir::openat(&place.folder, ".", OPEN_FOLDER, Mode::empty())?;
    let mut ours = Vec::new();
    for entry in folder.iter() {
        let entry = entry?;
        if is_ours(entry.file_name().to_bytes()) {
            ours.push(entry.file_name().to_owned());
        }
    }
    for name in ours {
        let found = fstatat(&place.folder, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW)?;
        let abandoned = match file_type_of(&found) {
            FileType::File => {
                let flags =
                    OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
                let file = File::from(openat(
                    &place.folder,
                    name.as_c_str(),
                    flags,
                    Mode::empty(),
                )?);
                file.try_lock().is_ok()
            }
            // A link on its way is there for an instant; a folder was put aside to be removed.
            FileType::Symlink | FileType::Directory => true,
            FileType::Special => false,
        };
        if abandoned {
            remove_below(&place.folder, &name)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_name_is_recognised_and_fits_whatever_it_is_for() {
        for target in ["motd", "x", &"é".repeat(127)] {
            let name = name(target).unwrap();
            assert!(is_ours(name.as_bytes()), "{name}");
            assert!(name.len() <= 255);
        }
    }

    #[test]
    fn other_names_are_left_alone() {
        for other in [
            ".motd",
            "motd.holdfast-0123456789abcdef",
            ".motd.holdfast-0123",
            "",
        ] {
            assert!(!is_ours(other.as_bytes()), "{other}");
        }
    }
}
