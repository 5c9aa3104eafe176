//! A private file that an editor works on, in memory where the system has such a folder, and
//! wiped with whatever the editor left beside it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use holdfast_secrets::Plaintext;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use super::{SecretError, typed};

/// Folders whose files never reach a disk, as far as it can be helped.
const IN_MEMORY: [&str; 1] = ["/dev/shm"];

/// A folder with one file in it.
pub(crate) struct Scratch {
    folder: TempDir,
    file: PathBuf,
}

impl Scratch {
    /// Puts a secret into a file of this name, for its owner alone.
    pub(crate) fn new(name: &str, plaintext: &[u8]) -> Result<Self, SecretError> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let candidates = runtime.into_iter().chain(IN_MEMORY.map(PathBuf::from));
        let private = || {
            let mut builder = tempfile::Builder::new();
            builder.prefix("holdfast-secret-");
            builder.permissions(fs::Permissions::from_mode(0o700));
            builder
        };
        let mut folders = candidates.filter_map(|folder| private().tempdir_in(folder).ok());
        let folder = match folders.next() {
            Some(folder) => folder,
            None => {
                let made = private().tempdir();
                made.map_err(SecretError::file("write", "a temporary file"))?
            }
        };
        let file = folder.path().join(name);
        let scratch = Self { folder, file };
        let written = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&scratch.file)?;
            file.write_all(plaintext)
        };
        written().map_err(SecretError::file("write", &scratch.file))?;
        Ok(scratch)
    }

    /// Has it edited. Meanwhile Ctrl-C is the editor's: the file is wiped in any case.
    pub(crate) fn edit(&self, command: &str) -> Result<Plaintext, SecretError> {
        let failed = |source| SecretError::Editor {
            command: command.to_owned(),
            source,
        };
        let ended = holding_signals(|| {
            let script = format!("{command} \"$1\"");
            let mut shell = Command::new("sh");
            shell.args(["-c", &script, "sh"]).arg(&self.file).status()
        });
        match ended {
            Ok(status) if status.success() => {}
            Ok(_) => return Err(failed(None)),
            Err(error) => return Err(failed(Some(error))),
        }
        let read = || typed::bounded(File::open(&self.file)?);
        read().map_err(SecretError::file("read", &self.file))?
    }
}

/// Runs something during which no signal of a terminal ends this process.
fn holding_signals<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let _inside = runtime.enter();
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::quit(),
    ];
    let _held = kinds.map(signal);
    work()
}

impl Drop for Scratch {
    fn drop(&mut self) {
        wipe(self.folder.path());
    }
}

/// Overwrites every file of a folder: swap files and backups of the editor are in it too.
fn wipe(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            wipe(&path);
        } else if let Ok(mut file) = OpenOptions::new().write(true).open(&path) {
            // As well as it goes: the folder is removed next.
            let length = file.metadata().map_or(0, |found| found.len());
            let _ = io::copy(&mut io::Read::take(io::repeat(0), length), &mut file);
            let _ = file.sync_all();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_edited_is_private_and_gone_afterwards() {
        let scratch = Scratch::new("password", b"s3cret").unwrap();
        let folder = scratch.folder.path().to_owned();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&scratch.file)), (0o700, 0o600));
        let edited = scratch.edit("printf '2\\n' >>").unwrap();
        assert_eq!(edited.expose(), b"s3cret2\n");
        let refused = scratch.edit("false").unwrap_err();
        assert!(matches!(refused, SecretError::Editor { source: None, .. }));
        // A link keeps the bytes in sight after the folder is gone.
        let kept = tempfile::tempdir_in(folder.parent().unwrap()).unwrap();
        let link = kept.path().join("link");
        fs::hard_link(&scratch.file, &link).unwrap();
        drop(scratch);
        assert!(!folder.exists());
        assert_eq!(fs::read(&link).unwrap(), [0; 8]);
    }
}
