//! Why a host could not be booted or reached.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

/// Why a host could not be booted or reached.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// A file of the machine.
    #[error("cannot {action} {}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A program could not be started or talked to.
    #[error("cannot run {program}")]
    Start {
        /// Which.
        program: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A program failed.
    #[error("{program} failed with {status}:\n{output}")]
    Program {
        /// Which.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        output: String,
    },
    /// A host did not come up.
    #[error("{name} did not boot within {} s; its console says:\n{console}", .within.as_secs())]
    Boot {
        /// Its name.
        name: String,
        /// How long it had.
        within: Duration,
        /// What it said.
        console: String,
    },
}

impl LiveError {
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }

    pub(super) fn start(command: &Command) -> impl FnOnce(io::Error) -> Self + use<> {
        let program = super::root::program_of(command.get_program());
        move |source| Self::Start { program, source }
    }
}

/// The end of what a program printed, enough to see why it failed.
pub(super) fn tail(stdout: &[u8], stderr: &[u8]) -> String {
    let text = [stdout, stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(30);
    lines[from..].join("\n")
}
