//! `apply`: a compiled catalog from a file or from standard input, without a server.
//!
//! Nobody signed it, so an enrolled host refuses it, unless it is for a tree of files. This is
//! also the hot path: no runtime, no TLS, no ledger read when there is nothing to do.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use holdfast_schemas::Digest;
use holdfast_schemas::catalog::Enforcement;
use holdfast_schemas::report::{Report, RunMode, RunStatus, Trigger};

use super::{print_json, print_report};
use crate::bundle::{self, BundleError, Bundled, MAX_BUNDLE};
use crate::cli::{Common, Failure, exit_code};
use crate::execute::{self, Stop, Task};
use crate::last_run::LastRun;
use crate::life::Life;
use crate::place::Place;
use crate::report::{self, Begun, Subject};
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
    let bundled = load(&options.file)?;
    let mode = match (options.no_op, bundled.catalog.enforcement) {
        (true, _) => RunMode::NoOp,
        (false, Enforcement::Audit) => RunMode::Audit,
        (false, Enforcement::Enforce) => RunMode::Enforce,
    };
    let report = apply(&state, &place, &bundled, mode, begun)?;
    let code = exit_code(&report);
    match options.json {
        true => print_json(&report::full(report, &bundled.catalog))?,
        false => print_report(&report)?,
    }
    Ok(code)
}

/// Applies; a no-op run makes nothing, not even the state folder.
fn apply(
    state: &StateDir,
    place: &Place,
    bundled: &Bundled,
    mode: RunMode,
    begun: Begun,
) -> Result<Report, Failure> {
    let digest = Digest::of(bundled.catalog.to_bytes());
    let content = Arc::clone(&bundled.content);
    let host = place.host(content)?;
    let (_lock, life) = match mode {
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
        missing: state.missing_ledger(),
        omitted: &bundled.omitted,
        stop: &Stop::default(),
    };
    let execution = execute::execute(&task, mode)?;
    let subject = Subject {
        host: bundled.catalog.host.clone(),
        generation: 0,
        catalog: digest,
        mode,
        trigger: Trigger::Manual,
    };
    let mut report = execution.into_report(life.unsent(), subject, begun);
    if mode != RunMode::NoOp
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
