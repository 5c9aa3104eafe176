//! Whether something is at the path, and whether it may be removed.

use holdfast_schemas::resource::File;

use super::Difference;
use crate::host::{FileType, HostError, Stat};

/// What differs where nothing is to be. A folder, a pipe or a device is no file that somebody
/// forgot: it goes only by force.
pub(super) fn absent(file: &File, found: Option<&Stat>) -> Result<Vec<Difference>, HostError> {
    let Some(found) = found.map(|stat| stat.file_type) else {
        return Ok(Vec::new());
    };
    match (found, file.force) {
        (FileType::File | FileType::Symlink, _) | (_, true) => Ok(vec![Difference::Remove(found)]),
        (_, false) => Err(HostError::refused(
            &file.path,
            format!(
                "is a {}, not a file, and is not removed; `force: true` is needed for that",
                found.as_str()
            ),
        )),
    }
}

/// Refuses to put a file in the place of something else, unless by force.
pub(super) fn may_create(file: &File, obstacle: Option<FileType>) -> Result<(), HostError> {
    match (obstacle, file.force) {
        (None, _) | (_, true) => Ok(()),
        (Some(found), false) => Err(HostError::refused(
            &file.path,
            format!(
                "is a {}, not a file, and is left as it is; `force: true` would replace it",
                found.as_str()
            ),
        )),
    }
}
