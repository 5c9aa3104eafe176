//! Repositories made with the `git` program, out of reach of the user's configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A repository with a working tree.
pub(crate) struct Repo {
    pub(crate) folder: TempDir,
    path: PathBuf,
}

impl Repo {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("site");
        fs::create_dir(&path).unwrap();
        git_in(&path, &["init", "-q", "-b", "main"]);
        Self { folder, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn git(&self, args: &[&str]) {
        git_in(&self.path, args);
    }

    pub(crate) fn output(&self, args: &[&str]) -> String {
        let output = run(&self.path, args);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        write(&self.path, path, text);
    }

    /// Commits everything, and says which commit that is.
    pub(crate) fn commit(&self) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a change"]);
        self.output(&["rev-parse", "HEAD"])
    }
}

pub(crate) fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(crate) fn git(args: &[&str]) {
    git_in(Path::new("/"), args);
}

pub(crate) fn git_in(folder: &Path, args: &[&str]) {
    run(folder, args);
}

fn run(folder: &Path, args: &[&str]) -> Output {
    let output = Command::new("git")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
        .args(["-c", "gc.auto=0"])
        .current_dir(folder)
        .args(args)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {said}");
    output
}
