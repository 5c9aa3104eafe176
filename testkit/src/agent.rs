//! A real `holdfast-agent` with a root and a state folder of its own: a host without a machine.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::{Server, program};

/// A host that is a folder.
#[derive(Debug)]
pub struct Agent {
    name: String,
    home: tempfile::TempDir,
    root: PathBuf,
}

/// What a verb gave back.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; absent when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// The agent as a service. It is killed when this is dropped.
#[derive(Debug)]
pub struct Running(Child);

impl Agent {
    /// A host that no server knows yet.
    pub fn new(name: &str) -> io::Result<Self> {
        let home = tempfile::tempdir()?;
        let root = home.path().join("root");
        Self::at(name, home, root)
    }

    /// A host whose root is a folder of the caller's: on a small disk, say.
    pub fn rooted_at(name: &str, root: &Path) -> io::Result<Self> {
        Self::at(name, tempfile::tempdir()?, root.to_owned())
    }

    /// A host that lies, with its state, in a folder of the caller's.
    pub fn new_in(name: &str, folder: &Path) -> io::Result<Self> {
        let home = tempfile::tempdir_in(folder)?;
        let root = home.path().join("root");
        Self::at(name, home, root)
    }

    /// A host that was enrolled with a token bound to its name.
    pub fn enrolled(server: &Server, name: &str) -> io::Result<Self> {
        let agent = Self::new(name)?;
        agent.enrol(server)?;
        Ok(agent)
    }

    fn at(name: &str, home: tempfile::TempDir, root: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(root.join("etc"))?;
        Ok(Self {
            name: name.to_owned(),
            home,
            root,
        })
    }

    /// Enrols it with a token bound to its name; that must succeed.
    pub fn enrol(&self, server: &Server) -> io::Result<()> {
        let token = server.ask(["token", "create", "--host", &self.name])?;
        let ran = self.enrol_with(&server.agents(), token.trim())?;
        match ran.code {
            Some(0) => Ok(()),
            _ => Err(io::Error::other(ran.stderr)),
        }
    }

    /// Tries to enrol it.
    pub fn enrol_with(&self, server: &str, token: &str) -> io::Result<Ran> {
        let name = ["--name", &self.name];
        let mut enroll = self.command("enroll")?;
        enroll.args(name).args(["--server", server]);
        // Not among the arguments, which every user of the machine can read.
        enroll.env("HOLDFAST_TOKEN", token);
        Ok(enroll.output()?.into())
    }

    /// Runs it once; `--json` gives the report.
    pub fn once(&self, more: &[&str]) -> io::Result<Ran> {
        let mut once = self.command("once")?;
        once.arg("--root").arg(&self.root).args(more);
        Ok(once.output()?.into())
    }

    /// Starts it as a service; what it logs is appended to [`Agent::log`].
    pub fn run(&self, more: &[&str]) -> io::Result<Running> {
        let log = File::options()
            .append(true)
            .create(true)
            .open(self.log_file())?;
        let mut run = self.command("run")?;
        run.arg("--root").arg(&self.root).args(more);
        run.stdout(Stdio::null()).stderr(log);
        Ok(Running(run.spawn()?))
    }

    /// A verb of the program, with this host's state folder.
    pub fn command(&self, verb: &str) -> io::Result<Command> {
        let mut command = Command::new(program("holdfast-agent")?);
        command
            .args([verb, "--state-dir"])
            .arg(self.state())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its state folder.
    pub fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    /// Where a path of the host is here.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// A file of the host.
    pub fn read(&self, path: &str) -> io::Result<String> {
        fs::read_to_string(self.path(path))
    }

    /// What the service has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.home.path().join("log")
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Running {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Kills it as a power cut would.
    pub fn kill(mut self) -> io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(|_| ())
    }

    /// Whether it is still there.
    pub fn lives(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing is left to be done about a process that cannot be killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
