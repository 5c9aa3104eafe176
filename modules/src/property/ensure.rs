//! What a path holds instead of what it is to hold, and whether that may be done away with.
//!
//! Files, folders and links ask the same two questions of something in their way: may it go where
//! nothing is to be, and may it go to make room. What somebody else may have put there (a full
//! folder, a device, another type) goes only by `force`.

use holdfast_schemas::HostPath;

use crate::host::{FileType, Host, HostError};
use crate::shown::Shown;

/// A path, the type of what it is to hold, and whether something else there may be removed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) path: &'a HostPath,
    pub(crate) holds: FileType,
    pub(crate) force: bool,
}

impl Place<'_> {
    /// What is to be removed where nothing is to be.
    pub(crate) fn emptied(self, found: Option<FileType>) -> Result<Option<FileType>, HostError> {
        match found {
            Some(found) if !self.force && !goes_unforced(self.holds, found) => {
                Err(self.refused(found, "is not removed; `force: true` is needed for that"))
            }
            found => Ok(found),
        }
    }

    /// Refuses to make something where another thing is, unless by force.
    pub(crate) fn may_be_taken(self, obstacle: Option<FileType>) -> Result<(), HostError> {
        match obstacle {
            Some(found) if !self.force => {
                Err(self.refused(found, "is left as it is; `force: true` would replace it"))
            }
            _ => Ok(()),
        }
    }

    fn refused(self, found: FileType, outcome: &str) -> HostError {
        let [named, holds] = [found, self.holds].map(FileType::as_str);
        let reason = match found == self.holds {
            true => format!("is a {named} that may hold what nobody declared, and {outcome}"),
            false => format!("is a {named}, not a {holds}, and {outcome}"),
        };
        HostError::refused(self.path, reason)
    }
}

/// Whether something found goes without force where nothing is to be: what the resource would
/// have made, but never a folder, which may hold what nobody declared. A link that took the place
/// of a file is as easily made again.
fn goes_unforced(holds: FileType, found: FileType) -> bool {
    match holds {
        FileType::File => matches!(found, FileType::File | FileType::Symlink),
        FileType::Symlink => found == FileType::Symlink,
        _ => false,
    }
}

/// Removes what is at a path, with all that is in it.
pub(crate) fn clear(path: &HostPath, found: FileType, host: &dyn Host) -> Result<(), HostError> {
    match found {
        FileType::Directory => host.remove_tree(path),
        _ => host.remove(path),
    }
}

/// Shows that one type of thing, or nothing, is there in place of another, or of nothing.
pub(crate) fn show(shown: &mut Shown, found: Option<FileType>, wanted: Option<FileType>) {
    let name = |there: Option<FileType>| there.map_or("absent", FileType::as_str).to_owned();
    shown.push("ensure", Some(name(found)), Some(name(wanted)));
}
