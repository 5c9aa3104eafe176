//! Labels that a replaced file hands on to the one that takes its place: the SELinux context and
//! the access control list. A file without them has none to hand on.

use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::fcntl::openat;
use nix::sys::stat::Mode;
use xattr::FileExt;

use super::tree::READ;
use super::walk::Place;

/// The extended attributes that are handed on.
const LABELS: [&str; 2] = ["security.selinux", "system.posix_acl_access"];

/// Copies the labels of the file at a place to the one that will replace it.
pub(super) fn copy(place: &Place<'_>, to: &File) -> io::Result<()> {
    let from = match openat(&place.folder, place.name, READ, Mode::empty()) {
        Ok(from) => File::from(from),
        // What cannot be read by its owner's account has labels only root could have given it.
        Err(Errno::EACCES | Errno::ENOENT) => return Ok(()),
        Err(errno) => return Err(errno.into()),
    };
    for label in LABELS {
        if let Some(value) = supported(from.get_xattr(label))?.flatten() {
            supported(to.set_xattr(label, &value))?;
        }
    }
    Ok(())
}

/// A file system without labels has none.
fn supported<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(error),
    }
}
