//! A file system of a few megabytes, for tests that fill it.
//!
//! The test starts itself again in a mount namespace of its own, so that the mount is gone when it
//! ends, however that was. Only root may do so; for others the test is skipped, loudly.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::skip;

/// Says to the program that it runs within, and where the file system is mounted.
const WITHIN: &str = "HOLDFAST_TESTKIT_DISK";

/// Four times what a server keeps free.
const MOUNT: &str =
    r#"mount -t tmpfs -o size=32m,mode=700 holdfast "$1" && exec "$2" --exact "$3" --nocapture"#;

/// A small file system.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// The file system, for the test of this name; `None` if that is done: it ran within, or was
    /// skipped.
    pub fn within(test: &str) -> io::Result<Option<Self>> {
        if let Some(disk) = std::env::var_os(WITHIN) {
            return Ok(Some(Self(disk.into())));
        }
        if !may_mount() {
            skip(test, "only root may mount a small file system");
            return Ok(None);
        }
        let folder = tempfile::tempdir()?;
        let ran = Command::new("unshare")
            .args(["--mount", "sh", "-c", MOUNT, "sh"])
            .arg(folder.path())
            .arg(std::env::current_exe()?)
            .arg(test)
            .env(WITHIN, folder.path())
            .output()?;
        let said = String::from_utf8_lossy(&ran.stdout);
        let complained = String::from_utf8_lossy(&ran.stderr);
        match ran.status.success() && said.contains("1 passed") {
            true => Ok(None),
            false => Err(io::Error::other(format!("{test}: {said}{complained}"))),
        }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Takes every byte that is left.
    pub fn fill(&self) -> io::Result<()> {
        let mut filler = File::create(self.filler())?;
        for length in [1 << 16, 1] {
            loop {
                match filler.write(&[0x5a; 1 << 16][..length]) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Gives it back.
    pub fn free(&self) -> io::Result<()> {
        fs::remove_file(self.filler())
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

fn may_mount() -> bool {
    let tried = Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "holdfast", "/mnt"])
        .output();
    tried.is_ok_and(|tried| tried.status.success())
}
