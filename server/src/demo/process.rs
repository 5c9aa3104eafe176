//! The processes the demo starts: each with a log of its own, and none that outlives it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};

use super::error::DemoError;

/// How much of a log is shown when its process failed, in bytes.
const LOG_TAIL: u64 = 4 * 1024;

/// A process and its log.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program; what it says goes into `LOGS/NAME.log`.
    pub(super) fn start<A: AsRef<OsStr>>(
        name: &str,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        logs: &Path,
    ) -> Result<Self, DemoError> {
        let log = logs.join(format!("{name}.log"));
        let file = |source| DemoError::File {
            doing: "write",
            path: log.clone(),
            source,
        };
        let stdout = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(file)?;
        let stderr = stdout.try_clone().map_err(file)?;
        let child = Command::new(program)
            .args(arguments)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            // Ctrl-C reaches the demo alone, which then ends the others in its own order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| DemoError::Start {
                program: program.display().to_string(),
                source,
            })?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// An error if it ended, although it was to stay up.
    pub(super) fn check(&mut self) -> Result<(), DemoError> {
        match self.child.try_wait() {
            Ok(Some(status)) => Err(self.ended(status)),
            // Whether it lives cannot be told: whatever waits for it has its own deadline.
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// Waits until it ends by itself, although it was to stay up.
    pub(super) async fn end(&mut self) -> DemoError {
        match self.child.wait().await {
            Ok(status) => self.ended(status),
            Err(source) => DemoError::Runtime(source),
        }
    }

    fn ended(&self, status: ExitStatus) -> DemoError {
        DemoError::Ended {
            name: self.name.clone(),
            status,
            log: self.log_tail(),
        }
    }

    /// Waits until it is done.
    pub(super) async fn done(mut self, deadline: Duration) -> Result<(), DemoError> {
        let Ok(ended) = tokio::time::timeout(deadline, self.child.wait()).await else {
            let error = DemoError::Late {
                what: format!("the end of {}", self.name),
                deadline,
                log: self.log_tail(),
            };
            self.kill().await;
            return Err(error);
        };
        let status = ended.map_err(DemoError::Runtime)?;
        match status.success() {
            true => Ok(()),
            false => Err(DemoError::Failed {
                name: self.name.clone(),
                status,
                log: self.log_tail(),
            }),
        }
    }

    /// Kills it and reaps it. Both programs are made to be killed at any instant.
    pub(super) async fn kill(&mut self) {
        // Fails only where it ended already, and then it is reaped all the same.
        let _ = self.child.kill().await;
    }

    /// The end of what it said.
    pub(super) fn log_tail(&self) -> String {
        tail(&self.log).unwrap_or_default()
    }
}

fn tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(LOG_TAIL)))?;
    let mut bytes = Vec::new();
    file.take(LOG_TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first line of a longer log is most likely cut.
    Ok(match size > LOG_TAIL {
        true => text
            .split_once('\n')
            .map_or("", |(_, rest)| rest)
            .to_owned(),
        false => text.into_owned(),
    })
}
