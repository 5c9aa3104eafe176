//! A file system of a few megabytes, for tests that fill it.
//!
//! The test starts itself again in a mount namespace of its own, so that the mount is gone when
//! it ends, however that was. Only root may do so; for others the test is skipped, loudly.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says to the program that it runs within, and where the file system is mounted.
const WITHIN: &str = "HOLDFAST_TEST_DISK";

/// Four times the reserve.
const MOUNT: &str =
    r#"mount -t tmpfs -o size=32m,mode=700 holdfast "$1" && exec "$2" --exact "$3" --nocapture"#;

/// Where the small file system is; `None` if the test is done: it ran within, or was skipped.
pub(crate) fn within(test: &str) -> Option<PathBuf> {
    if let Some(disk) = std::env::var_os(WITHIN) {
        return Some(disk.into());
    }
    if !may_mount() {
        holdfast_testkit::skip(test, "only root may mount a small file system");
        return None;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let ran = Command::new("unshare")
        .args(["--mount", "sh", "-c", MOUNT, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(WITHIN, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let complained = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}{complained}");
    assert!(said.contains("1 passed"), "{test} is not the test's name");
    None
}

fn may_mount() -> bool {
    let tried = Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "holdfast", "/mnt"])
        .output();
    tried.is_ok_and(|tried| tried.status.success())
}

/// Takes every byte that is left.
pub(crate) fn fill(disk: &Path) {
    let mut filler = File::create(disk.join("filler")).unwrap();
    for length in [1 << 16, 1] {
        loop {
            match filler.write(&[0x5a; 1 << 16][..length]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Takes what is left but so many bytes.
pub(crate) fn fill_but(disk: &Path, left: u64) {
    fill(disk);
    let filler = File::options()
        .write(true)
        .open(disk.join("filler"))
        .unwrap();
    let length = filler.metadata().unwrap().len();
    filler.set_len(length - left).unwrap();
}

/// Gives it back.
pub(crate) fn free(disk: &Path) {
    fs::remove_file(disk.join("filler")).unwrap();
}
