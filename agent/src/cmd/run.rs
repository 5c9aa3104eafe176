//! `run`: the agent as a service.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use super::block_on;
use super::once::not_enrolled;
use crate::agent::Agent;
use crate::cli::{Common, Failure};
use crate::daemon::{self, Begin, DaemonError};
use crate::place::Place;
use crate::schedule::Interval;

/// Shortest interval that can be asked for: below this the host does nothing else.
const SHORTEST: Duration = Duration::from_millis(100);

/// Longest: drift of what cannot be watched is found within a week.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Time between two runs, as in 5m or 90s [default: what the server asks for, else 5m]
    #[arg(long, value_name = "TIME", value_parser = interval)]
    interval: Option<Duration>,
    /// Manage a tree of files instead of this machine
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Go on where a process that took its own place left off: its interval, in seconds
    #[arg(long, hide = true, value_name = "SECONDS")]
    resumed: Option<u32>,
}

pub(crate) fn run(common: &Common, options: Options) -> Result<ExitCode, Failure> {
    let place = Place::from_option(options.root);
    place.check()?;
    let state = common.state(&place)?;
    let mut interval = options
        .interval
        .map_or(Interval::Asked(None), Interval::Fixed);
    let begin = match options.resumed {
        None => Begin::WithARun,
        Some(seconds) => {
            interval.hear(seconds);
            Begin::Waiting
        }
    };
    let agent = Agent::new(state, place, interval).map_err(not_enrolled)?;
    match block_on(daemon::serve(agent, begin))? {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(DaemonError::AtOnce(twice)) => Err(Failure::at_once(twice)),
        Err(error) => Err(error.into()),
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text
        .parse()
        .map_err(|error| format!("a time is a number and a unit, as in 5m or 90s: {error}"))?;
    let interval =
        Duration::try_from(parsed).map_err(|_| "a time cannot be negative".to_owned())?;
    match (SHORTEST..=LONGEST).contains(&interval) {
        true => Ok(interval),
        false => Err(format!("an interval lies between {SHORTEST:?} and 7 days")),
    }
}
