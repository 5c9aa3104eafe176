//! `facts`: what is found out about this host, as the catalog language sees it.

use std::process::ExitCode;

use clap::Args;
use holdfast_modules::inventory::{self, Tree};

use super::{OutputError, print_json};
use crate::cli::Failure;
use crate::show;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(options: Options) -> Result<ExitCode, Failure> {
    let facts = inventory::facts(&Tree::machine());
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
