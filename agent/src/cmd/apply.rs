//! `apply`: a compiled catalog from a file or from standard input, without a server.
//!
//! Nobody signed it, so an enrolled host refuses it, unless it is for a tree of files. This is
//! also the hot path: no TLS, no ledger read when there is nothing to do.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use holdfast_modules::host::Stop;
use holdfast_schemas::Digest;
use holdfast_schemas::catalog::Enforcement;
use holdfast_schemas::report::{Report, RunMode, RunStatus, Trigger};

use super::once::{EndedEarly, could_not_run};
use super::{block_on, print_json, print_report};
use crate::agent::Executing;
use crate::bundle::{self, BundleError, Bundled, MAX_BUNDLE};
use crate::cli::{Common, Failure, exit_code};
use crate::daemon::DaemonError;
use crate::ends::{Ended, Ends};
use crate::execute::{self, Task};
use crate::last_run::LastRun;
use crate::life::Life;
use crate::place::Place;
use crate::report::{self, Begun, Subject};
use crate::run_once::RunError;
use crate::said::chain;
use crate::state::{StateDir, StateError};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A catalog or a bundle, as `holdfast compile HOST --json` prints it; - for standard input
    file: PathBuf,
    /// Manage a tree of files instead of this machine
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Compare everything, touch nothing
    #[arg(long)]
    no_op: bool,
    /// The whole report as JSON
    #[arg(long)]
    json: bool,
}

/// Why a catalog is not applied.
#[derive(Debug, thiserror::Error)]
enum ApplyError {
    #[error("this host is enrolled: it applies only what its server signed")]
    Enrolled,
    #[error("cannot read {name}")]
    Unreadable {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("{name} cannot be applied")]
    Bundle {
        name: String,
        #[source]
        source: BundleError,
    },
}

pub(crate) fn run(common: &Common, options: Options) -> Result<ExitCode, Failure> {
    let begun = Begun::now();
    let place = Place::from_option(options.root);
    place.check()?;
    let state = common.state(&place)?;
    if place == Place::Machine && state.identity().exists() {
        let hint = "`holdfast-agent once` applies the server's catalog; --root DIR applies this \
                    one to a tree of files";
        return Err(Failure::with_hint(ApplyError::Enrolled, hint));
    }
    let bundled = Arc::new(load(&options.file)?);
    let mode = match (options.no_op, bundled.catalog.enforcement) {
        (true, _) => RunMode::NoOp,
        (false, Enforcement::Audit) => RunMode::Audit,
        (false, Enforcement::Enforce) => RunMode::Enforce,
    };
    let run = Run {
        state,
        place,
        bundled: Arc::clone(&bundled),
        mode,
        begun,
        stop: Arc::default(),
    };
    let report = block_on(until_asked(run))??;
    let code = exit_code(&report);
    match options.json {
        true => print_json(&report::full(report, &bundled.catalog))?,
        false => print_report(&report)?,
    }
    Ok(code)
}

/// What is applied, and where.
struct Run {
    state: StateDir,
    place: Place,
    bundled: Arc<Bundled>,
    mode: RunMode,
    begun: Begun,
    stop: Arc<Stop>,
}

/// Applies on a thread of its own, so that somebody can ask for the end.
async fn until_asked(run: Run) -> Result<Report, Failure> {
    let mut ends = Ends::new().map_err(DaemonError::Signals)?;
    let (stop, executing) = (Arc::clone(&run.stop), Executing::default());
    executing.begin();
    let applied = tokio::task::spawn_blocking(move || apply(&run));
    match ends.over(applied, &stop, &executing).await {
        Ended::ByItself(applied) | Ended::Asked(Some(applied)) => applied
            .map_err(RunError::BrokenOff)
            .flatten()
            .map_err(could_not_run),
        Ended::Asked(None) => Err(EndedEarly.into()),
        Ended::AtOnce(twice) => Err(Failure::at_once(twice)),
    }
}

/// Applies; a no-op run makes nothing, not even the state folder.
fn apply(run: &Run) -> Result<Report, RunError> {
    let Run { state, bundled, .. } = run;
    let digest = Digest::of(bundled.catalog.to_bytes());
    let content = Arc::clone(&bundled.content);
    let host = run.place.host(content, &run.stop)?;
    let (_lock, life) = match run.mode {
        RunMode::NoOp => (None, Life::peek(state)),
        RunMode::Enforce | RunMode::Audit => {
            let lock = state.lock()?;
            state.prepare()?;
            (Some(lock), Life::peek(state))
        }
    };
    let task = Task {
        catalog: &bundled.catalog,
        digest,
        host: &*host,
        ledger: &state.ledger(),
        unwell: &state.unwell(),
        missing: state.missing_ledger(),
        omitted: &bundled.omitted,
        stop: &run.stop,
    };
    let execution = execute::execute(&task, run.mode)?;
    let subject = Subject {
        host: bundled.catalog.host.clone(),
        generation: 0,
        catalog: digest,
        mode: run.mode,
        trigger: Trigger::Manual,
    };
    let mut report = execution.into_report(life.unsent(), subject, run.begun);
    if run.mode != RunMode::NoOp
        && report.status != RunStatus::InSync
        && let Err(error) = remember(state, &report)
    {
        // What was done is told all the same.
        report::fail(&mut report, &chain(&error));
    }
    Ok(report)
}

fn remember(state: &StateDir, report: &Report) -> Result<(), StateError> {
    Life::of(state)?;
    let told = LastRun::load(state).and_then(|last| last.told);
    LastRun::of(report, told).save(state)
}

fn load(file: &Path) -> Result<Bundled, Failure> {
    let (name, read) = match file.as_os_str() == "-" {
        true => ("standard input".to_owned(), read_all(io::stdin().lock())),
        false => {
            let opened = File::open(file);
            (file.display().to_string(), opened.and_then(read_all))
        }
    };
    let bytes = read.map_err(|source| ApplyError::Unreadable {
        name: name.clone(),
        source,
    })?;
    let hint = "what `holdfast compile HOST --site DIR --json` prints can be applied";
    bundle::parse(&bytes)
        .map_err(|source| Failure::with_hint(ApplyError::Bundle { name, source }, hint))
}

fn read_all(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_BUNDLE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
