//! `status`: who this host is, what it holds, and how its last run went. Reads, and asks nobody.

use std::process::ExitCode;

use clap::Args;
use holdfast_schemas::HostName;
use jiff::Timestamp;
use serde::Serialize;

use super::{OutputError, print_json};
use crate::cli::{Common, Failure};
use crate::durable;
use crate::identity::Enrolled;
use crate::last_run::LastRun;
use crate::place::Place;
use crate::show;
use crate::spool::{Bounds, Spool};
use crate::trust::Accepted;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// As JSON
    #[arg(long)]
    json: bool,
    /// The tree of files that the state belongs to
    #[arg(long, value_name = "DIR")]
    root: Option<std::path::PathBuf>,
}

/// What `status` tells.
#[derive(Debug, Serialize)]
struct Status {
    state_dir: std::path::PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    enrolled: Option<Enrolment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<Accepted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_run: Option<LastRun>,
    unsent_reports: usize,
}

/// The part of the identity that is no secret.
#[derive(Debug, Serialize)]
struct Enrolment {
    name: HostName,
    server: String,
    expires: Timestamp,
}

pub(crate) fn run(common: &Common, options: Options) -> Result<ExitCode, Failure> {
    let state = common.state(&Place::from_option(options.root))?;
    let enrolled = Enrolled::load(&state)?.map(|enrolled| Enrolment {
        name: enrolled.identity.name,
        server: enrolled.server,
        expires: enrolled.identity.expires,
    });
    let spool = state.spool();
    let unsent_reports = match spool.is_dir() {
        true => Spool::new(spool, Bounds::default()).waiting()?.len(),
        false => 0,
    };
    let status = Status {
        enrolled,
        accepted: durable::read_json(&state.accepted())?,
        last_run: LastRun::load(&state),
        unsent_reports,
        state_dir: state.path().to_owned(),
    };
    match options.json {
        true => print_json(&status)?,
        false => {
            let value = serde_json::to_value(&status).map_err(std::io::Error::from)?;
            let mut out = anstream::stdout().lock();
            if status.enrolled.is_none() {
                show::note("this host is not enrolled", &mut out).map_err(OutputError::from)?;
            }
            show::flat(&value, &mut out).map_err(OutputError::from)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
