//! `enroll`: a one-time token for an identity.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use holdfast_client::{AgentClient, enrol};
use holdfast_schemas::enrol::{EnrolRequest, EnrolToken};
use holdfast_schemas::{HostName, HostNameError};
use jiff::Timestamp;

use super::{OutputError, runtime};
use crate::cli::{Common, Failure};
use crate::identity::{Enrolled, Request};
use crate::life::Life;
use crate::place::Place;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Address of the server's agent listener, https://HOST:PORT
    #[arg(long, value_name = "URL")]
    server: String,
    /// The token that `holdfast token create` printed
    #[arg(long, value_name = "T", env = "HOLDFAST_TOKEN", hide_env_values = true)]
    token: String,
    /// The name to enrol under [default: this machine's host name]
    #[arg(long, value_name = "N")]
    name: Option<String>,
}

/// Why there is no name to enrol under.
#[derive(Debug, thiserror::Error)]
enum NameError {
    #[error("the host name of this machine cannot be read")]
    Unreadable(#[source] io::Error),
    #[error("{name:?} cannot be the name of a host")]
    Unusable {
        name: String,
        #[source]
        source: HostNameError,
    },
}

pub(crate) fn run(common: &Common, options: Options) -> Result<ExitCode, Failure> {
    let token: EnrolToken = options.token.parse()?;
    let name = name(options.name)
        .map_err(|error| Failure::with_hint(error, "name it with --name, as the site names it"))?;
    let state = common.state(&Place::Machine)?;
    let _lock = state.lock()?;
    state.prepare()?;

    let request = Request::draw()?;
    let asked = EnrolRequest {
        secret: token.secret.clone(),
        name,
        csr: request.csr,
    };
    let identity = runtime()?
        .block_on(enrol(&options.server, &token, asked))
        .map_err(refused)?;
    let enrolled = Enrolled {
        server: options.server,
        identity,
        key: request.key,
        since: Timestamp::now(),
    };
    // What cannot be used is refused now, while somebody is watching.
    AgentClient::new(&enrolled.server, &enrolled.identity, &enrolled.key)?;
    // A copied state folder must not go on under the numbers of the host it was copied from.
    Life::begin(&state)?;
    enrolled.save(&state)?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "enrolled as {} at {}; the certificate ends {}",
        enrolled.name(),
        enrolled.server,
        enrolled.identity.expires
    )
    .map_err(OutputError::from)?;
    Ok(ExitCode::SUCCESS)
}

fn refused(error: holdfast_client::ClientError) -> Failure {
    let hint = error.problem().and_then(|problem| problem.hint.clone());
    match hint {
        Some(hint) => Failure::with_hint(error, hint),
        None => error.into(),
    }
}

fn name(given: Option<String>) -> Result<HostName, NameError> {
    let name = match given {
        Some(name) => name,
        None => nix::unistd::gethostname()
            .map_err(|error| NameError::Unreadable(error.into()))?
            .to_string_lossy()
            .to_lowercase(),
    };
    name.parse()
        .map_err(|source| NameError::Unusable { name, source })
}
