//! Private files: whole or absent, on disk when we say so, readable by their owner alone.

use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::PkiError;

/// Mode of folders that hold keys.
const PRIVATE_DIR: u32 = 0o700;

/// Makes a folder that only its owner may enter, or narrows the one that is there.
pub fn open_private_dir(path: &Path) -> Result<(), PkiError> {
    let failed = |doing| {
        move |source| PkiError::File {
            doing,
            path: path.to_owned(),
            source,
        }
    };
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_DIR)
        .create(path)
        .map_err(failed("make the folder"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(PRIVATE_DIR))
        .map_err(failed("set the mode of"))
}

/// Writes a file of mode 0600: a temporary one beside it, synced, renamed, the folder synced.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), PkiError> {
    let write = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|refused| refused.error)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|source| PkiError::File {
        doing: "write",
        path: path.to_owned(),
        source,
    })
}

/// Reads a file that may be missing; what is read leaves memory when it is dropped.
pub(crate) fn read_private(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, PkiError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PkiError::File {
            doing: "read",
            path: path.to_owned(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_written_is_private_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("pki");
        open_private_dir(&inner).unwrap();
        let path = inner.join("key.pem");
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(&**read_private(&path).unwrap().unwrap(), b"two");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inner), mode(&path)), (0o700, 0o600));
        assert_eq!(
            fs::read_dir(&inner).unwrap().count(),
            1,
            "nothing left beside it"
        );
    }
}
