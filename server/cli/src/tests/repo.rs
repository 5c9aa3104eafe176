//! A site in a Git repository, out of reach of the user's configuration.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A repository with a working tree.
pub(super) struct Repo {
    folder: TempDir,
}

impl Repo {
    /// One with these files, committed.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let repo = Self {
            folder: TempDir::new().unwrap(),
        };
        repo.git(&["init", "-q", "-b", "main"]);
        repo.write(files);
        repo.commit();
        repo
    }

    pub(super) fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    pub(super) fn write(&self, files: &[(&str, &str)]) {
        write(self.folder.path(), files);
    }

    pub(super) fn remove(&self, path: &str) {
        std::fs::remove_file(self.folder.path().join(path)).unwrap();
    }

    pub(super) fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "a change"]);
    }

    fn git(&self, args: &[&str]) {
        let output = Command::new("git")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .current_dir(self.folder.path())
            .args(args)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {said}");
    }
}

/// Writes files into a folder.
pub(super) fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}
