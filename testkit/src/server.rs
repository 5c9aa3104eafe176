//! A real `holdfast serve` on the loopback, and the operator's commands against it.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::{program, wait_until};

/// How long a server may take until it listens. It takes a fraction of a second.
const START: Duration = Duration::from_secs(30);

/// A server process with a data folder and addresses of its own, which outlive the process: a
/// server that was killed is started again as the same one.
#[derive(Debug)]
pub struct Server {
    site: PathBuf,
    data: PathBuf,
    home: tempfile::TempDir,
    agents: u16,
    operators: u16,
    process: Option<Child>,
}

impl Server {
    /// Starts a server for a site.
    pub fn start(site: &Path) -> io::Result<Self> {
        let home = tempfile::tempdir()?;
        let data = home.path().join("server");
        Self::start_with(site, home, data)
    }

    /// Starts a server for a site that keeps its data in a folder of the caller's: on a small
    /// disk, say. Its log lies elsewhere.
    pub fn start_in(site: &Path, data: &Path) -> io::Result<Self> {
        Self::start_with(site, tempfile::tempdir()?, data.to_owned())
    }

    fn start_with(site: &Path, home: tempfile::TempDir, data: PathBuf) -> io::Result<Self> {
        let mut server = Self {
            site: site.to_owned(),
            data,
            home,
            agents: free_port()?,
            operators: free_port()?,
            process: None,
        };
        server.start_again()?;
        Ok(server)
    }

    /// Starts it again where it was.
    pub fn start_again(&mut self) -> io::Result<()> {
        let endpoints = self.folder().join("endpoints.json");
        let _ = fs::remove_file(&endpoints);
        let log = File::options()
            .append(true)
            .create(true)
            .open(self.home.path().join("log"))?;
        let mut serve = Command::new(program("holdfast")?);
        serve
            .arg("serve")
            .arg("--site")
            .arg(&self.site)
            .arg("--data")
            .arg(&self.data)
            .arg(format!("--agents=127.0.0.1:{}", self.agents))
            .arg(format!("--operators=127.0.0.1:{}", self.operators))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.process = Some(serve.spawn()?);
        let listens = wait_until(START, || endpoints.exists() || self.has_ended());
        match listens && !self.has_ended() {
            true => Ok(()),
            false => Err(io::Error::other(format!("holdfast serve: {}", self.log()))),
        }
    }

    /// Kills it as a power cut would: no signal that it could catch.
    pub fn kill(&mut self) -> io::Result<()> {
        match self.process.take() {
            Some(mut process) => {
                process.kill()?;
                process.wait().map(|_| ())
            }
            None => Ok(()),
        }
    }

    /// Where agents reach it.
    pub fn agents(&self) -> String {
        format!("https://127.0.0.1:{}", self.agents)
    }

    /// Where operators reach it.
    pub fn operators(&self) -> String {
        format!("https://127.0.0.1:{}", self.operators)
    }

    /// The administrator's credential.
    pub fn credential(&self) -> PathBuf {
        self.folder().join("admin.json")
    }

    /// Runs an operator's command against it, which must succeed, and gives what it printed.
    pub fn ask<const N: usize>(&self, words: [&str; N]) -> io::Result<String> {
        let mut command = Command::new(program("holdfast")?);
        command
            .args(words)
            .env("HOLDFAST_CREDENTIAL", self.credential());
        let output = command.stdin(Stdio::null()).output()?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(io::Error::other(format!(
                "holdfast {words:?}: {}\nthe server's log:\n{}",
                String::from_utf8_lossy(&output.stderr),
                self.log()
            ))),
        }
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// Where it keeps what it must not lose.
    pub fn folder(&self) -> &Path {
        &self.data
    }

    fn has_ended(&mut self) -> bool {
        let ended = self.process.as_mut().map(Child::try_wait);
        !matches!(ended, Some(Ok(None)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing is left to be done about a process that cannot be killed.
        let _ = self.kill();
    }
}

/// A port that nobody listens on at this moment.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
