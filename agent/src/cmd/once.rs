//! `once`: ask the server, apply, report, and exit with what came of it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use holdfast_schemas::report::{RunMode, Trigger};

use super::{block_on, print_json, print_report};
use crate::agent::{Agent, AgentError};
use crate::cli::{Common, Failure, exit_code};
use crate::daemon::{DaemonError, run_or_end};
use crate::ends::{Ended, Ends};
use crate::place::Place;
use crate::report;
use crate::run_once::{Ran, RunError, Wish};
use crate::schedule::Interval;
use crate::state::StateError;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Compare everything, touch nothing
    #[arg(long)]
    no_op: bool,
    /// The whole report as JSON
    #[arg(long)]
    json: bool,
    /// Manage a tree of files instead of this machine
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// The newest catalog was not the one that was applied.
#[derive(Debug, thiserror::Error)]
#[error("the last good catalog was applied, not the newest: {0}")]
struct NotTheNewest(String);

pub(crate) fn run(common: &Common, options: Options) -> Result<ExitCode, Failure> {
    let place = Place::from_option(options.root);
    place.check()?;
    let state = common.state(&place)?;
    let mut agent = Agent::new(state, place, Interval::Asked(None)).map_err(not_enrolled)?;
    let mode = match options.no_op {
        true => RunMode::NoOp,
        false => RunMode::Enforce,
    };
    let wish = Wish {
        trigger: Trigger::Manual,
        mode,
    };
    let Ran {
        report,
        catalog,
        trouble,
    } = block_on(once(&mut agent, wish))??;
    let code = exit_code(&report);
    match options.json {
        true => print_json(&report::full(report, catalog.catalog()))?,
        false => print_report(&report)?,
    }
    match trouble {
        None => Ok(code),
        Some(trouble) => Err(NotTheNewest(trouble).into()),
    }
}

/// Somebody asked for the end before anything was executed.
#[derive(Debug, thiserror::Error)]
#[error("ended, as asked, before anything was done")]
pub(crate) struct EndedEarly;

async fn once(agent: &mut Agent, wish: Wish) -> Result<Ran, Failure> {
    let mut ends = Ends::new().map_err(DaemonError::Signals)?;
    match run_or_end(agent, wish, &mut ends).await {
        Ended::ByItself(ran) | Ended::Asked(Some(ran)) => ran.map_err(could_not_run),
        Ended::Asked(None) => Err(EndedEarly.into()),
        Ended::AtOnce(twice) => Err(Failure::at_once(twice)),
    }
}

pub(crate) fn not_enrolled(error: AgentError) -> Failure {
    match error {
        AgentError::NotEnrolled(_) => Failure::with_hint(
            error,
            "`holdfast-agent enroll --server URL --token TOKEN` makes one, with the same \
             --state-dir; `apply FILE` needs none",
        ),
        error => error.into(),
    }
}

pub(crate) fn could_not_run(error: RunError) -> Failure {
    match error {
        RunError::State(StateError::Busy { .. }) => {
            Failure::with_hint(error, "wait until it has ended, and try again")
        }
        error => error.into(),
    }
}
