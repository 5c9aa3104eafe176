//! A site at a Git URL: fetched by the `git` program into a bare repository of our own.
//!
//! `git` brings credentials, ssh and proxies; it gets a deadline, no terminal, no hooks, and only
//! the protocols of [`PROTOCOLS`]. What cannot be fetched changes nothing: what was fetched
//! before is still there to be read.

use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use holdfast_schemas::Digest;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::git::{Repository, checked_branch};
use crate::location::{Location, PROTOCOLS};
use crate::{Revision, SourceError};

/// How often a running `git` is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// What is kept of the output of `git`, in bytes.
const MAX_OUTPUT: u64 = 64 * 1024;

/// What is shown of it in an error, in characters.
const MAX_SAID: usize = 1000;

/// The branch in our repository that holds what was fetched.
const FETCHED: &str = "site";

/// What says to `git` which repository or configuration it is to use; none of ours.
const FOREIGN_SETTINGS: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_TRACE",
    "GIT_EXTERNAL_DIFF",
];

/// A repository elsewhere, and our copy of it.
#[derive(Debug)]
pub(crate) struct Remote {
    location: Location,
    url: String,
    branch: Option<String>,
    copy: PathBuf,
    deadline: Duration,
}

impl Remote {
    /// Prepares the copy below `cache`; fetches nothing yet.
    pub(crate) fn open(
        url: String,
        branch: Option<String>,
        cache: &Path,
        deadline: Duration,
    ) -> Result<Self, SourceError> {
        if let Some(branch) = &branch {
            checked_branch(branch)?;
        }
        let name = Digest::of(format!("{url}\n{}", branch.as_deref().unwrap_or_default()));
        let copy = cache.join(format!("{name:.16}.git"));
        let remote = Self {
            location: Location::Url(url.clone()),
            url,
            branch,
            copy,
            deadline,
        };
        let made = fs::create_dir_all(cache);
        made.map_err(SourceError::file("make the folder", cache))?;
        if remote.copy.join("HEAD").is_file() {
            remove_locks(&remote.copy)?;
        } else {
            let mut init = remote.git();
            init.args([
                "init",
                "--quiet",
                "--bare",
                "--initial-branch",
                FETCHED,
                "--",
            ]);
            remote.run("init", init.arg(&remote.copy))?;
        }
        Ok(remote)
    }

    /// Our copy, for reading.
    pub(crate) fn copy(&self) -> Repository {
        Repository::new(self.copy.clone(), Some(FETCHED.to_owned()))
    }

    /// The tip of what was fetched last.
    pub(crate) fn head(&self) -> Result<Revision, SourceError> {
        self.copy().head()
    }

    /// Fetches the branch: the one asked for, else that of the other side's HEAD.
    pub(crate) fn fetch(&self) -> Result<(), SourceError> {
        let from = match &self.branch {
            Some(branch) => format!("refs/heads/{branch}"),
            None => "HEAD".to_owned(),
        };
        let mut fetch = self.git();
        fetch.arg("--git-dir").arg(&self.copy);
        fetch.args(["fetch", "--quiet", "--no-tags", "--no-recurse-submodules"]);
        fetch.args(["--no-write-fetch-head", "--force", "--", &self.url]);
        fetch.arg(format!("+{from}:refs/heads/{FETCHED}"));
        self.run("fetch", &mut fetch)
    }

    fn git(&self) -> Command {
        let mut git = Command::new("git");
        for name in FOREIGN_SETTINGS {
            git.env_remove(name);
        }
        git.env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", PROTOCOLS.join(":"))
            .env("GIT_PROTOCOL_FROM_USER", "0")
            .env("LC_ALL", "C");
        if std::env::var_os("GIT_SSH_COMMAND").is_none() {
            // ssh must not ask either.
            git.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        }
        // No hooks, and no housekeeping that outlives the command.
        git.args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "gc.autoDetach=false",
        ])
        .args(["-c", "maintenance.autoDetach=false"])
        .args(["-c", "transfer.bundleURI=false"])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Its children (ssh, helpers) end with it.
        .process_group(0);
        git
    }

    fn run(&self, action: &'static str, command: &mut Command) -> Result<(), SourceError> {
        let mut child = command.spawn().map_err(SourceError::NoGit)?;
        let said = listen(&mut child);
        let ended = self.wait(action, &mut child);
        let said = said.map(|said| said.join().unwrap_or_default());
        let status = ended?;
        if status.success() {
            return Ok(());
        }
        let said = said.unwrap_or_default();
        Err(SourceError::Git {
            action,
            url: self.location.to_string(),
            said: self.redacted(said.trim()),
        })
    }

    /// What `git` said, its end, without the credentials that may stand in the URL.
    fn redacted(&self, said: &str) -> String {
        let said = said.replace(&self.url, &self.location.to_string());
        let skip = said.chars().count().saturating_sub(MAX_SAID);
        said.chars().skip(skip).collect()
    }

    fn wait(&self, action: &'static str, child: &mut Child) -> Result<ExitStatus, SourceError> {
        let began = Instant::now();
        loop {
            let ended = child.try_wait();
            if let Some(status) = ended.map_err(SourceError::NoGit)? {
                return Ok(status);
            }
            if began.elapsed() > self.deadline {
                stop(child);
                return Err(SourceError::Deadline {
                    action,
                    url: self.location.to_string(),
                    deadline: self.deadline,
                });
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Kills a command with its process group.
fn stop(child: &mut Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        // It fails when the group has just ended, which is what is wanted.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    let _ = child.wait();
}

/// Reads what a command says beside it, so that it never waits for us.
fn listen(child: &mut Child) -> Option<JoinHandle<String>> {
    let mut stderr = child.stderr.take()?;
    Some(std::thread::spawn(move || {
        let mut said = Vec::new();
        let _ = stderr.by_ref().take(MAX_OUTPUT).read_to_end(&mut said);
        let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        String::from_utf8_lossy(&said).into_owned()
    }))
}

/// Removes locks that a killed `git` left in our copy, which nobody else writes to.
fn remove_locks(folder: &Path) -> Result<(), SourceError> {
    let listed = fs::read_dir(folder).map_err(SourceError::file("list", folder))?;
    for entry in listed {
        let path = entry.map_err(SourceError::file("list", folder))?.path();
        if path.is_dir() && !path.ends_with("objects") {
            remove_locks(&path)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "lock")
        {
            fs::remove_file(&path).map_err(SourceError::file("remove", &path))?;
        }
    }
    Ok(())
}
