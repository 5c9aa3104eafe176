//! A command that runs when its guards say so.
//!
//! Guards run in the command's folder, with its environment and as its account, in a no-op run
//! too; the command never does. What is looked at again after the command: `creates` and
//! `unless`, which say when it is done. `only_if` says when it makes sense, and need not turn.

#[cfg(test)]
mod tests;

use std::time::Duration;

use holdfast_schemas::resource::{Command, DEFAULT_EXEC_TIMEOUT_S, Exec};

use crate::Shown;
use crate::host::{
    Ends, Facility, FileType, Host, HostError, Invocation, Output, Probe, Query, Support,
};
use crate::module::{Module, Proof, Refreshed};
use crate::programs;

/// What the guards of a command say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// It is to run, because of this.
    Due(String),
    /// It is not to run.
    NotDue,
}

/// The one difference there is: the command is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run;

impl Module for Exec {
    type Observed = Observed;
    type Difference = Run;

    fn observe(&self, probe: &dyn Probe) -> Result<Observed, HostError> {
        if let Support::No(why) = probe.supports(Facility::Programs) {
            return Err(HostError::Unsupported(why));
        }
        match self.refresh_only {
            true => Ok(Observed::NotDue),
            false => guards(self, probe),
        }
    }

    fn diff(&self, observed: &Observed) -> Result<Vec<Run>, HostError> {
        Ok(match observed {
            Observed::Due(_) => vec![Run],
            Observed::NotDue => vec![],
        })
    }

    fn apply(&self, _: &Observed, _: &[Run], host: &dyn Host) -> Result<(), HostError> {
        run(self, host)
    }

    fn show(&self, observed: &Observed, _: &[Run]) -> Shown {
        let mut shown = Shown::default();
        if let Observed::Due(why) = observed {
            shown.push(
                "run",
                Some(why.clone()),
                Some(programs::name(&self.command)),
            );
        }
        shown
    }

    fn unknown(&self, _: &Observed, _: &[Run]) -> Option<String> {
        Some("what the command does is not known before it has run".to_owned())
    }

    fn proof(&self) -> Proof {
        match self.creates.is_some() || self.unless.is_some() {
            true => Proof::SecondLook,
            false => Proof::ItsWord,
        }
    }

    fn refresh(&self, host: &dyn Host) -> Result<Refreshed, HostError> {
        if !self.refresh_only {
            return Ok(Refreshed::NothingToDo);
        }
        if let Support::No(why) = host.supports(Facility::Programs) {
            return Err(HostError::Unsupported(why));
        }
        match guards(self, host.as_probe())? {
            Observed::NotDue => Ok(Refreshed::NothingToDo),
            Observed::Due(_) => run(self, host).map(|()| Refreshed::Done),
        }
    }
}

/// Asks the guards, the cheap one first; one that says no is enough.
fn guards(exec: &Exec, probe: &dyn Probe) -> Result<Observed, HostError> {
    let mut because = Vec::new();
    if let Some(pattern) = &exec.creates {
        if probe.any_matches(pattern)? {
            return Ok(Observed::NotDue);
        }
        because.push(format!("{pattern} is missing"));
    }
    check_folder(exec, probe)?;
    if let Some(unless) = &exec.unless {
        if guard(exec, "unless", unless, probe)?.success() {
            return Ok(Observed::NotDue);
        }
        because.push("`unless` fails".to_owned());
    }
    if let Some(only_if) = &exec.only_if {
        if !guard(exec, "only_if", only_if, probe)?.success() {
            return Ok(Observed::NotDue);
        }
        because.push("`only_if` succeeds".to_owned());
    }
    Ok(Observed::Due(match because.is_empty() {
        true if exec.refresh_only => "notified".to_owned(),
        true => "runs every time".to_owned(),
        false => because.join(", "),
    }))
}

/// Runs a guard. Any exit status is an answer; death by a signal is none.
fn guard(exec: &Exec, word: &str, guard: &Command, probe: &dyn Probe) -> Result<Output, HostError> {
    let output = probe.query(&Query::Guard(invocation(exec, guard)?))?;
    match output.code {
        Some(_) => Ok(output),
        None => Err(programs::failure(&format!("the guard `{word}`"), &output)),
    }
}

fn run(exec: &Exec, host: &dyn Host) -> Result<(), HostError> {
    check_folder(exec, host.as_probe())?;
    programs::run(host, &invocation(exec, &exec.command)?).map(drop)
}

/// The folder is looked at beforehand, because a failed start does not tell whether the
/// program or the folder is missing.
fn check_folder(exec: &Exec, probe: &dyn Probe) -> Result<(), HostError> {
    let Some(cwd) = &exec.cwd else { return Ok(()) };
    match probe.reach(cwd, ".")? {
        Some(FileType::Directory) => Ok(()),
        Some(other) => Err(HostError::WrongType {
            path: cwd.to_string(),
            found: other.as_str(),
            expected: "directory to run in",
        }),
        None => Err(HostError::refused(
            cwd,
            "the folder to run in (`cwd`) is missing",
        )),
    }
}

fn invocation(exec: &Exec, command: &Command) -> Result<Invocation, HostError> {
    let nothing = match command {
        Command::Shell(line) => line.trim().is_empty(),
        Command::Argv(argv) => argv.first().is_none_or(String::is_empty),
    };
    if nothing {
        return Err(HostError::refused(
            "exec",
            "a command names a program; this one is empty",
        ));
    }
    let seconds = exec.timeout_s.unwrap_or(DEFAULT_EXEC_TIMEOUT_S);
    Ok(Invocation {
        command: command.clone(),
        cwd: exec.cwd.clone(),
        env: exec.env.clone(),
        run_as: exec.run_as.clone(),
        deadline: Duration::from_secs(seconds.into()),
        ends: Ends::WithTheRun,
    })
}
