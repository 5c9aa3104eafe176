//! A catalog repo of a test: a working Git repository that takes commits.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A working Git repository in a folder that goes away with it.
#[derive(Debug)]
pub struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// An empty repository on branch `main`.
    pub fn new() -> io::Result<Self> {
        let site = Self {
            folder: tempfile::tempdir()?,
        };
        site.git(&["init", "--quiet", "--initial-branch=main"])?;
        Ok(site)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of the working tree, its folders included.
    pub fn write(&self, path: &str, text: &str) -> io::Result<()> {
        let path: PathBuf = self.path().join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)
    }

    /// Commits everything, and gives the commit's name.
    pub fn commit(&self, message: &str) -> io::Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message])?;
        Ok(self.git(&["rev-parse", "HEAD"])?.trim().to_owned())
    }

    /// Runs git as somebody who has configured nothing.
    fn git(&self, words: &[&str]) -> io::Result<String> {
        let mut git = Command::new("git");
        git.arg("-C")
            .arg(self.path())
            .args([
                "-c",
                "user.name=Operator",
                "-c",
                "user.email=operator@example.org",
            ])
            // A large file is committed in seconds.
            .args(["-c", "core.compression=1"])
            .args([
                "-c",
                "commit.gpgSign=false",
                "-c",
                "core.hooksPath=/dev/null",
            ])
            .args(words)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        let output = git.output()?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(io::Error::other(format!(
                "git {words:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            ))),
        }
    }
}
