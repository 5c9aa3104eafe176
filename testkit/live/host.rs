//! One booted host: reached into, and gone when it is dropped.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::error::{LiveError, tail};
use super::requirements::Machine;
use super::{root, sweep};

/// How long a host may take to come up; it takes about a second on an idle machine.
const BOOT: Duration = Duration::from_secs(60);

/// How long between two looks at a host that is coming up.
const GLANCE: Duration = Duration::from_millis(50);

/// What keeps the host alive and cleans up after it.
const SUPERVISOR: &str = include_str!("supervise.sh");

/// A Debian host, booted with systemd as process 1 in a throw-away copy of the prepared root. It
/// shares the machine's network. Dropping it stops it; so does the end of the test program.
#[derive(Debug)]
pub struct Host {
    name: String,
    folder: PathBuf,
    /// Process 1 of the host, as the machine counts.
    init: i32,
    supervisor: Child,
    /// Closing it takes the host down.
    lifeline: Option<ChildStdin>,
}

/// What a program on a host gave back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

impl Host {
    /// Boots a host of this name, made unique on the machine by the caller's process.
    pub fn boot(machine: &Machine, name: &str) -> Result<Self, LiveError> {
        sweep::stale_hosts()?;
        let root = root::prepared(machine)?;
        let folder = sweep::claim(&unique(name))?;
        let supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "supervise.sh", name_of(&folder)])
            .args([&root, &folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        let sh = Command::new("sh");
        let mut supervisor = supervisor.map_err(LiveError::start(&sh))?;
        let lifeline = supervisor.stdin.take();
        let mut host = Self {
            name: name_of(&folder).to_owned(),
            folder,
            init: 0,
            supervisor,
            lifeline,
        };
        host.wait_until_up()?;
        Ok(host)
    }

    /// Its name: the host name that it was booted with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs a program on the host, to its end.
    pub fn exec<const N: usize>(&self, words: [&str; N]) -> Result<Answer, LiveError> {
        self.exec_with_input(&words, b"")
    }

    /// Runs a program on the host and gives it something to read.
    pub fn exec_with_input(&self, words: &[&str], input: &[u8]) -> Result<Answer, LiveError> {
        let mut command = self.enter(words);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(LiveError::start(&command))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read its input has its reasons, and its status.
            let input = input.to_owned();
            thread::spawn(move || stdin.write_all(&input));
        }
        let output = child
            .wait_with_output()
            .map_err(LiveError::start(&command))?;
        Ok(Answer {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a program that must succeed, and gives what it printed.
    pub fn succeed<const N: usize>(&self, words: [&str; N]) -> Result<String, LiveError> {
        let answer = self.exec(words)?;
        self.must(&words, answer)
    }

    /// What a file on the host holds.
    pub fn read(&self, path: &str) -> Result<String, LiveError> {
        self.succeed(["cat", "--", path])
    }

    /// Writes a file on the host as a person with an editor would.
    pub fn write(&self, path: &str, content: &[u8]) -> Result<(), LiveError> {
        let words = ["sh", "-c", "cat >\"$1\"", "sh", path];
        let answer = self.exec_with_input(&words, content)?;
        self.must(&words, answer).map(|_| ())
    }

    /// Puts a program of the machine onto the host.
    pub fn install(&self, program: &Path, path: &str) -> Result<(), LiveError> {
        let bytes = fs::read(program).map_err(LiveError::file("read", program))?;
        self.write(path, &bytes)?;
        self.succeed(["chmod", "0755", path]).map(|_| ())
    }

    fn must(&self, words: &[&str], answer: Answer) -> Result<String, LiveError> {
        match answer.status.success() {
            true => Ok(answer.stdout),
            false => Err(LiveError::Program {
                program: format!("{} on {}", words.join(" "), self.name),
                status: answer.status,
                output: tail(answer.stdout.as_bytes(), answer.stderr.as_bytes()),
            }),
        }
    }

    /// A command in all namespaces of the host, with the environment of a fresh root shell.
    fn enter(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--target={}", self.init))
            .args(["--all", "--wd=/", "--"])
            .args(["env", "-i", "HOME=/root", "LC_ALL=C.UTF-8", "TERM=dumb"])
            .arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .args(words);
        command
    }

    fn wait_until_up(&mut self) -> Result<(), LiveError> {
        let begin = Instant::now();
        while begin.elapsed() < BOOT {
            if self.init == 0 {
                self.init = self.find_init().unwrap_or_default();
            }
            if self.init != 0 && self.is_up()? {
                return Ok(());
            }
            if self.has_ended() {
                break;
            }
            thread::sleep(GLANCE);
        }
        Err(LiveError::Boot {
            name: self.name.clone(),
            within: BOOT,
            console: fs::read_to_string(self.folder.join("console")).unwrap_or_default(),
        })
    }

    /// The one child of systemd-nspawn whose own name is `systemd`.
    fn find_init(&self) -> Option<i32> {
        let nspawn = self.nspawn()?;
        let path = format!("/proc/{nspawn}/task/{nspawn}/children");
        let children = fs::read_to_string(path).ok()?;
        let mut pids = children.split_ascii_whitespace();
        let init = pids.find(|pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm"));
            name.is_ok_and(|name| name.trim() == "systemd")
        });
        init?.parse().ok()
    }

    fn nspawn(&self) -> Option<i32> {
        let text = fs::read_to_string(self.folder.join("nspawn")).ok()?;
        text.trim().parse().ok()
    }

    fn has_ended(&self) -> bool {
        let started = self.nspawn();
        started.is_some_and(|pid| !Path::new(&format!("/proc/{pid}/ns")).exists())
    }

    /// `degraded` is up too: some unit of a container always dislikes its surroundings.
    fn is_up(&self) -> Result<bool, LiveError> {
        let answer = self.exec(["systemctl", "is-system-running"])?;
        Ok(matches!(answer.stdout.trim(), "running" | "degraded"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // The supervisor ends by itself once the host is down; nothing is left to do if not.
        let _ = self.supervisor.wait();
    }
}

/// Hosts of one machine share its control groups and its list of machines.
fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{name}-{}-{count}", std::process::id())
}

fn name_of(folder: &Path) -> &str {
    let name = folder.file_name().and_then(|name| name.to_str());
    name.unwrap_or_default()
}
