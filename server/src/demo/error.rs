//! What can keep the demo from being what it says.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use holdfast_client::{ClientError, SetupError};

/// Why the demo ended before its story did.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    /// No event loop, no signals.
    #[error("this process cannot wait for others")]
    Runtime(#[source] io::Error),
    /// Something in the demo's folder.
    #[error("cannot {doing} {}", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The folder given is in use.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// There is no `git` on the PATH.
    #[error("the demo commits with the `git` program, and there is none on the PATH")]
    NoGit,
    /// Git refused.
    #[error("`git {command}` failed:\n{said}")]
    Git { command: String, said: String },
    /// The agent's program is not where it is looked for.
    #[error("there is no agent at {}", .0.display())]
    NoAgent(PathBuf),
    /// A program cannot be started.
    #[error("cannot start {program}")]
    Start {
        program: String,
        #[source]
        source: io::Error,
    },
    /// A program that was to stay up ended.
    #[error("{name} ended by itself: {status}")]
    Ended {
        name: String,
        status: ExitStatus,
        log: String,
    },
    /// A program that was to do one thing failed at it.
    #[error("{name} failed: {status}")]
    Failed {
        name: String,
        status: ExitStatus,
        log: String,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {} s", deadline.as_secs())]
    Late {
        what: String,
        deadline: Duration,
        log: String,
    },
    /// The server's credential cannot be used.
    #[error("the server's credential cannot be used")]
    Credential(#[from] SetupError),
    /// The server refused.
    #[error("the server cannot be asked")]
    Server(#[from] ClientError),
    /// A document that another program wrote has another form.
    #[error("{what} cannot be understood")]
    Document {
        what: String,
        #[source]
        source: serde_json::Error,
    },
    /// A step happened otherwise than it should have.
    #[error("{0}")]
    Otherwise(String),
}

impl DemoError {
    /// The end of the log of who failed.
    pub(super) fn log(&self) -> Option<&str> {
        match self {
            Self::Ended { log, .. } | Self::Failed { log, .. } | Self::Late { log, .. } => {
                Some(log)
            }
            _ => None,
        }
    }

    /// What to do about it.
    pub(super) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoGit => Some("install git (Debian: apt install git)"),
            Self::NoAgent(_) => {
                Some("build both programs, `cargo build --release`, and keep them in one folder")
            }
            Self::NotEmpty(_) => Some("name a new folder with --dir, or leave it out"),
            _ => None,
        }
    }
}
