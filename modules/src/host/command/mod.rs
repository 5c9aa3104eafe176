//! Runs programs: the one place that starts any.
//!
//! A program gets a process group of its own, a small fixed environment and no input; its output
//! is read to the end and the first and last of it kept; at its deadline it dies with its group,
//! and with the run if it is one that ends so. A child that it leaves behind may keep the pipes:
//! they are not waited for.
//!
//! An account's user, group and supplementary groups are set by `setpriv`, in a session that
//! `setsid` makes (util-linux, part of every Debian and Red Hat system): the standard library sets no supplementary groups, and doing
//! it between fork and exec is unsafe code.
#![allow(clippy::disallowed_types)] // This is the place.

mod capture;
#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command as Process, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use holdfast_schemas::resource::Command;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, geteuid};

use self::capture::Capture;
use super::accounts::Accounts;
use super::{Ends, HostError, Invocation, Output, Stop};

/// Where programs are looked up: the administrator's, then the system's.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Longest pause between looks at a program that prints nothing: what one that closed its output
/// and ended may be waited for too long.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// First such pause; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// How long a program that is asked to end may take for it: a script tidies up in less, and whoever
/// asked is waiting.
const GRACE: Duration = Duration::from_secs(5);

/// How much is read from a pipe at once: as much as it holds.
const PIECE: usize = 64 * 1024;

/// How much of what a failed program printed is told in an error, in bytes.
const MAX_EXPLAINED: usize = 2 * 1024;

/// Account that a program runs as.
struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

/// Runs a program to its end, its deadline, or the end of the run.
pub(super) fn run(
    invocation: &Invocation,
    accounts: &Accounts,
    stop: &Stop,
) -> Result<Output, HostError> {
    let program = program_of(&invocation.command);
    let failed = |source: io::Error| HostError::Start {
        program: program.clone(),
        source,
    };
    let account = invocation
        .run_as
        .as_deref()
        .map(|name| find(name, accounts))
        .transpose()?;
    let mut process = prepare(invocation, account.as_ref()).map_err(failed)?;
    let mut child = process.spawn().map_err(failed)?;
    let stop = match invocation.ends {
        Ends::WithTheRun => Some((stop, group_of(&child).map(|group| stop.running(group)))),
        Ends::ByItself => None,
    };
    let asked = || stop.as_ref().is_some_and(|(stop, _)| stop.asked());
    let ended = attend(&mut child, invocation.deadline, &asked);
    if let Ok(Attended::Asked) = ended {
        ask_to_end(&child);
    }
    if !matches!(ended, Ok(Attended::Ended(_))) {
        kill(&mut child);
    }
    let (status, stdout, stderr) = match ended.map_err(failed)? {
        Attended::Ended(ended) => ended,
        Attended::Asked => return Err(HostError::BrokenOff { program }),
        Attended::Late => {
            let deadline = invocation.deadline;
            return Err(HostError::Deadline { program, deadline });
        }
    };
    Ok(Output {
        code: status.code(),
        signal: status.signal(),
        truncated: stdout.is_cut() || stderr.is_cut(),
        stdout: stdout.into_text(),
        stderr: stderr.into_text(),
    })
}

/// What messages call a command: its program, or the line for the shell.
pub(super) fn program_of(command: &Command) -> String {
    match command {
        Command::Shell(line) => line.chars().take(200).collect(),
        Command::Argv(words) => words.first().cloned().unwrap_or_default(),
    }
}

/// A word as the shell takes it literally.
pub(super) fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The end of what a program printed, its errors before its output.
pub(super) fn explain(output: &Output) -> String {
    let said = match output.stderr.trim() {
        "" => output.stdout.trim(),
        errors => errors,
    };
    let cut = said.ceil_char_boundary(said.len().saturating_sub(MAX_EXPLAINED));
    said[cut..].to_owned()
}

fn find<'a>(name: &'a str, accounts: &'a Accounts) -> Result<Account<'a>, HostError> {
    let no_such_account = || HostError::NoSuchAccount {
        what: "user",
        name: name.to_owned(),
    };
    let user = accounts.users.get(name).ok_or_else(no_such_account)?;
    Ok(Account {
        name,
        uid: user.uid,
        gid: user.gid,
        home: &user.home,
    })
}

fn prepare(invocation: &Invocation, account: Option<&Account<'_>>) -> io::Result<Process> {
    let shell = ["/bin/sh", "-c"].map(str::to_owned);
    let words = match &invocation.command {
        Command::Shell(line) => [&shell[..], std::slice::from_ref(line)].concat(),
        Command::Argv(words) => words.clone(),
    };
    let other = account.filter(|account| account.uid != geteuid().as_raw());
    let words = match other {
        Some(account) => become_first(account, words),
        None => words,
    };
    let no_program = || io::Error::new(ErrorKind::InvalidInput, "the command has no program");
    let (program, arguments) = words.split_first().ok_or_else(no_program)?;
    let mut process = Process::new(program);
    process
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", account.map_or("/root", |account| account.home))
        .current_dir(invocation.cwd.as_ref().map_or("/", |cwd| cwd.as_str()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if other.is_none() {
        // A session of its own brings a group of its own.
        process.process_group(0);
    }
    if let Some(account) = account {
        process
            .env("USER", account.name)
            .env("LOGNAME", account.name);
    }
    process.envs(&invocation.env);
    Ok(process)
}

/// The command behind `setpriv`, which takes on the account and is replaced by the program. Before
/// it `setsid` leaves the session: a program of a lesser account must not type into root's terminal.
fn become_first(account: &Account<'_>, words: Vec<String>) -> Vec<String> {
    let mut changed = vec![
        "/usr/bin/setsid".to_owned(),
        "/usr/bin/setpriv".to_owned(),
        format!("--reuid={}", account.name),
        format!("--regid={}", account.gid),
        "--init-groups".to_owned(),
        "--".to_owned(),
    ];
    changed.extend(words);
    changed
}

/// The process group of a program.
fn group_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().map(Pid::from_raw)
}

/// Kills a program with its group, and reaps it.
fn kill(child: &mut Child) {
    if let Some(group) = group_of(child) {
        let _ = killpg(group, Signal::SIGKILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Asks a program with its group to end, and waits until it does, but not for ever. It is not
/// reaped: while it is there, nobody else has its number.
fn ask_to_end(child: &Child) {
    let Some(group) = group_of(child) else {
        return;
    };
    let _ = killpg(group, Signal::SIGTERM);
    let begun = Instant::now();
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    let runs = || matches!(waitid(Id::Pid(group), flags), Ok(WaitStatus::StillAlive));
    while runs() && begun.elapsed() < GRACE {
        std::thread::sleep(LONGEST_PAUSE / 10);
    }
}

type Ended = (ExitStatus, Capture, Capture);

/// How it went on with a program.
enum Attended {
    /// It ended.
    Ended(Ended),
    /// It runs at its deadline.
    Late,
    /// It runs, and is asked to end.
    Asked,
}

/// Reads what a program prints until it ends.
fn attend(child: &mut Child, deadline: Duration, asked: &dyn Fn() -> bool) -> io::Result<Attended> {
    let begun = Instant::now();
    let mut out = Pipe::new(child.stdout.take())?;
    let mut err = Pipe::new(child.stderr.take())?;
    let mut pause = FIRST_PAUSE;
    loop {
        let status = child.try_wait()?;
        let progress = out.drain()? | err.drain()?;
        if let Some(status) = status {
            return Ok(Attended::Ended((status, out.capture, err.capture)));
        }
        if asked() {
            return Ok(Attended::Asked);
        }
        let Some(left) = deadline.checked_sub(begun.elapsed()) else {
            return Ok(Attended::Late);
        };
        pause = match progress {
            true => FIRST_PAUSE,
            false => (pause * 2).min(LONGEST_PAUSE),
        };
        wait(&[&out, &err], pause.min(left))?;
    }
}

/// Waits until a pipe has something, or for the time given.
fn wait(pipes: &[&Pipe], pause: Duration) -> io::Result<()> {
    let open = pipes.iter().filter_map(|pipe| pipe.fd());
    let mut open: Vec<PollFd<'_>> = open.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    let milliseconds = u16::try_from(pause.as_millis().max(1)).unwrap_or(u16::MAX);
    match poll(&mut open, PollTimeout::from(milliseconds)) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// One stream of a program's output.
struct Pipe {
    end: Option<Box<dyn ReadFd>>,
    capture: Capture,
}

trait ReadFd: Read + AsFd {}
impl<T: Read + AsFd> ReadFd for T {}

impl Pipe {
    fn new<T: Read + AsFd + 'static>(end: Option<T>) -> io::Result<Self> {
        if let Some(end) = &end {
            fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(Self {
            end: end.map(|end| Box::new(end) as Box<dyn ReadFd>),
            capture: Capture::default(),
        })
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.end.as_ref().map(|end| end.as_fd())
    }

    /// Takes what is in the pipe now; whether that was anything. A writer that is faster than the
    /// reader gets its turn at the deadline too: no more than one pipe's worth is taken at a time.
    fn drain(&mut self) -> io::Result<bool> {
        let Some(end) = &mut self.end else {
            return Ok(false);
        };
        let mut piece = vec![0; PIECE];
        match end.read(&mut piece) {
            Ok(0) => {
                self.end = None;
                Ok(false)
            }
            Ok(length) => {
                self.capture.take(&piece[..length]);
                Ok(true)
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
