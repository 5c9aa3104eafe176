//! The catalog repo of the demo: the example site, as a Git repository that commits are made in.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use rust_embed::RustEmbed;

use super::error::DemoError;

/// The example site, inside the program: the demo runs from anywhere.
#[derive(RustEmbed)]
#[folder = "../catalog/examples/fleet"]
struct Example;

/// The branch that is committed to and served.
const BRANCH: &str = "main";

/// Who commits.
const NAME: &str = "Demo Operator";
const EMAIL: &str = "operator@demo.example";

/// A Git repository with a working tree.
#[derive(Debug)]
pub(super) struct Repo {
    folder: PathBuf,
}

impl Repo {
    /// Makes one of the example site, with everything committed, and says as which commit.
    pub(super) fn of_example(folder: PathBuf) -> Result<(Self, String), DemoError> {
        for path in Example::iter() {
            let Some(file) = Example::get(&path) else {
                continue;
            };
            write(&folder.join(path.as_ref()), &file.data)?;
        }
        let repo = Self { folder };
        repo.git(&["init", "--quiet", "--initial-branch", BRANCH])?;
        // Whoever tries a commit of their own needs no identity either.
        repo.git(&["config", "user.name", NAME])?;
        repo.git(&["config", "user.email", EMAIL])?;
        let revision = repo.commit("fleet: three MongoDB members and their neighbours")?;
        Ok((repo, revision))
    }

    /// Replaces a piece of a file that stands in it exactly once.
    pub(super) fn replace(&self, file: &str, from: &str, to: &str) -> Result<(), DemoError> {
        let path = self.folder.join(file);
        let text = std::fs::read_to_string(&path).map_err(|source| DemoError::File {
            doing: "read",
            path: path.clone(),
            source,
        })?;
        match text.matches(from).count() {
            1 => write(&path, text.replace(from, to).as_bytes()),
            count => Err(DemoError::Otherwise(format!(
                "{file} of the example site has {from:?} {count} times, not once"
            ))),
        }
    }

    /// Commits everything, and says which commit that is.
    pub(super) fn commit(&self, message: &str) -> Result<String, DemoError> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])?;
        let revision = self.git(&["rev-parse", "HEAD"])?;
        Ok(revision.trim().to_owned())
    }

    /// Runs git without any settings of whoever runs the demo.
    fn git(&self, arguments: &[&str]) -> Result<String, DemoError> {
        let done = Command::new("git")
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("LC_ALL", "C")
            .env("HOME", &self.folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output();
        let done = done.map_err(|source| match source.kind() {
            ErrorKind::NotFound => DemoError::NoGit,
            _ => DemoError::Start {
                program: "git".to_owned(),
                source,
            },
        })?;
        match done.status.success() {
            true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
            false => Err(DemoError::Git {
                command: arguments.join(" "),
                said: String::from_utf8_lossy(&done.stderr).trim_end().to_owned(),
            }),
        }
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), DemoError> {
    let file = |source| DemoError::File {
        doing: "write",
        path: path.to_owned(),
        source,
    };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(file)?;
    }
    std::fs::write(path, content).map_err(file)
}
