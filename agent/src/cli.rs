//! The command line: verbs, options, exit codes, and how a failure reads.
//!
//! Exit codes: 0 nothing to do, 2 changed (with `--no-op`: would change), 4 some resource failed,
//! 6 both, 1 could not run. A run that is asked to end (SIGTERM, SIGINT) tells what it did not come
//! to as skipped, so it ends with 4 or 6, or with 1 before anything was done; asked twice it ends
//! at once, with 143 or 130.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use holdfast_modules::displayable;
use holdfast_schemas::report::{Report, RunStatus};
use owo_colors::OwoColorize;
use tracing::level_filters::LevelFilter;

use crate::cmd;
use crate::ends::AskedTwice;
use crate::place::Place;
use crate::state::{DEFAULT_STATE, StateDir, StateError};

/// Exit code of a run that could not be carried out, wrong usage too.
const COULD_NOT_RUN: u8 = 1;
/// Set in the exit code when something changed, or would.
const CHANGED: u8 = 2;
/// Set in the exit code when some resource failed.
const FAILED: u8 = 4;

/// Keeps this host in the state that its catalog declares.
#[derive(Debug, Parser)]
#[command(
    name = "holdfast-agent",
    version,
    after_help = "Exit codes: 0 nothing to do, 2 changed (with --no-op: would change), \
                  4 some resource failed, 6 both, 1 could not run.\n\
                  Asked to end (SIGTERM, SIGINT), a run ends after the resource at hand: 4 or 6, \
                  for the rest\nis skipped; `run` with 0. Asked twice, at once: 143 or 130."
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

/// What every verb takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Where the agent keeps its own state [default: /var/lib/holdfast-agent; with --root DIR:
    /// the same path below DIR]
    #[arg(long, global = true, value_name = "DIR", env = "HOLDFAST_STATE_DIR")]
    state_dir: Option<PathBuf>,
    /// Log more (-v: what happens, -vv: everything)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Become known to a server, with a one-time token
    Enroll(cmd::enroll::Options),
    /// Run for ever: on a timer, on news, and when something managed is touched
    Run(cmd::run::Options),
    /// Run once: ask the server, apply, report
    Once(cmd::once::Options),
    /// Apply a compiled catalog from a file, without a server
    Apply(cmd::apply::Options),
    /// Show what is found out about this host
    Facts(cmd::facts::Options),
    /// Show who this host is and how its last run went
    Status(cmd::status::Options),
}

impl Common {
    /// The state folder: the one that was named, else the default of the place.
    pub(crate) fn state(&self, place: &Place) -> Result<StateDir, StateError> {
        match (&self.state_dir, place) {
            (Some(folder), _) => Ok(StateDir::at(folder)),
            (None, Place::Root(root)) => StateDir::below(root),
            (None, Place::Machine) => Ok(StateDir::at(DEFAULT_STATE)),
        }
    }
}

/// Why a verb could not be carried out, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Box<dyn Error>,
    hint: Option<String>,
    code: u8,
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            error: Box::new(error),
            hint: None,
            code: COULD_NOT_RUN,
        }
    }
}

impl Failure {
    /// A failure with advice.
    pub(crate) fn with_hint(error: impl Error + 'static, hint: impl Into<String>) -> Self {
        Self {
            error: Box::new(error),
            hint: Some(hint.into()),
            code: COULD_NOT_RUN,
        }
    }

    /// The end was asked for twice.
    pub(crate) fn at_once(twice: AskedTwice) -> Self {
        let hint = "every file is whole; the next run does what is left";
        Self {
            code: twice.exit_code(),
            ..Self::with_hint(twice, hint)
        }
    }

    fn tell(&self) {
        let mut err = anstream::stderr().lock();
        let mut told = displayable(&self.error.to_string());
        let _ = writeln!(err, "{} {told}", "error:".red().bold());
        let mut cause = self.error.source();
        while let Some(error) = cause {
            let text = displayable(&error.to_string());
            if !told.ends_with(&text) {
                let _ = writeln!(err, "  {} {text}", "caused by:".bold());
            }
            told = text;
            cause = error.source();
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(err, "{} {hint}", "hint:".cyan().bold());
        }
    }
}

/// The program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            let _ = usage.print();
            return match usage.use_stderr() {
                true => ExitCode::from(COULD_NOT_RUN),
                false => ExitCode::SUCCESS,
            };
        }
    };
    log_to_stderr(&cli);
    let done = match cli.verb {
        Verb::Enroll(options) => cmd::enroll::run(&cli.common, options),
        Verb::Run(options) => cmd::run::run(&cli.common, options),
        Verb::Once(options) => cmd::once::run(&cli.common, options),
        Verb::Apply(options) => cmd::apply::run(&cli.common, options),
        Verb::Facts(options) => cmd::facts::run(options),
        Verb::Status(options) => cmd::status::run(&cli.common, options),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            failure.tell();
            ExitCode::from(failure.code)
        }
    }
}

/// The exit code that a report stands for.
pub(crate) fn exit_code(report: &Report) -> ExitCode {
    let counts = &report.counts;
    if report.error.is_some() && report.status == RunStatus::NotRun {
        return ExitCode::from(COULD_NOT_RUN);
    }
    let mut code = 0;
    if counts.changed + counts.drifted > 0 {
        code |= CHANGED;
    }
    if report.status == RunStatus::Failed {
        code |= FAILED;
    }
    ExitCode::from(code)
}

/// The service tells what it does; the other verbs only what goes wrong.
fn log_to_stderr(cli: &Cli) {
    let usual = match cli.verb {
        Verb::Run(_) => LevelFilter::INFO,
        _ => LevelFilter::WARN,
    };
    let level = match (cli.common.verbose, usual) {
        (0, usual) => usual,
        (1, LevelFilter::WARN) => LevelFilter::INFO,
        (1, _) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .try_init();
    // Only a test that logs already has another.
    drop(log);
}
