//! Something is to be made: is the folder there that is to hold it?

use holdfast_schemas::HostPath;

use crate::host::{FileType, HostError, Probe};

/// Refuses when the folder that is to hold `path` is missing or no folder.
pub(crate) fn parent_is_there(path: &HostPath, probe: &dyn Probe) -> Result<(), HostError> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    match probe.reach(&parent, ".")? {
        Some(FileType::Directory) => Ok(()),
        Some(found) => Err(HostError::WrongType {
            path: parent.to_string(),
            found: found.as_str(),
            expected: FileType::Directory.as_str(),
        }),
        None => Err(HostError::MissingParent {
            path: path.to_string(),
            parent: parent.to_string(),
        }),
    }
}
