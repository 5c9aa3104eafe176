//! `facts`: what is found out about this host, as the catalog language sees it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use holdfast_modules::inventory;

use super::{OutputError, print_json};
use crate::cli::Failure;
use crate::place::Place;
use crate::show;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Look at a tree of files instead of this machine
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

pub(crate) fn run(options: Options) -> Result<ExitCode, Failure> {
    let place = Place::from_option(options.root);
    place.check()?;
    let facts = inventory::facts(&place.tree());
    match options.json {
        true => print_json(&facts)?,
        false => {
            let value = serde_json::to_value(&facts).map_err(std::io::Error::from)?;
            let mut out = anstream::stdout().lock();
            show::flat(&value, &mut out).map_err(OutputError::from)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
