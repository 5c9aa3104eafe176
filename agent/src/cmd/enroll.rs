//! `enroll`: a one-time token for an identity.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use holdfast_client::{AgentClient, ClientError, enrol};
use holdfast_schemas::enrol::{EnrolRequest, EnrolToken};
use holdfast_schemas::{Digest, HostName, HostNameError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{OutputError, block_on};
use crate::cli::{Common, Failure};
use crate::durable;
use crate::identity::{Enrolled, Request};
use crate::life::Life;
use crate::place::Place;
use crate::sealing::OwnKey;
use crate::state::StateDir;

/// The code by which a server says that a token has done its work.
const TOKEN_USED: &str = "token_used";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Address of the server's agent listener, https://HOST:PORT
    #[arg(long, value_name = "URL")]
    server: String,
    /// The token that `holdfast token create` printed; - for standard input. On the command line
    /// every account of this machine can see it: rather use the variable or a file
    #[arg(
        long,
        value_name = "T",
        env = "HOLDFAST_TOKEN",
        hide_env_values = true,
        required_unless_present = "token_file"
    )]
    token: Option<String>,
    /// A file that holds the token; - for standard input
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
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

/// Longest token that is read, in bytes; one has about a hundred.
const MAX_TOKEN: u64 = 4096;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the token from {from}")]
struct TokenError {
    from: String,
    #[source]
    source: io::Error,
}

/// A try to enrol whose answer has not come: a certificate may exist for this key already, so a
/// second try with the token is for the same key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Enrolling {
    server: String,
    name: HostName,
    /// Digest of the token's secret.
    token: Digest,
    request: Request,
}

/// Whether a key was made for this try, or for one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Try {
    First,
    Again,
}

impl Enrolling {
    /// Goes on with the try that was broken off, if it was the same; else begins one, on disk
    /// before it is sent.
    fn begin(
        state: &StateDir,
        server: &str,
        name: &HostName,
        token: &EnrolToken,
    ) -> Result<(Self, Try), Failure> {
        let mark = Digest::of(&token.secret);
        let same = |one: &Self| one.server == server && one.name == *name && one.token == mark;
        // One that cannot be read is as good as none: nobody has a certificate for it.
        let known: Option<Self> = durable::read_json(&state.enrolling()).ok().flatten();
        if let Some(known) = known.filter(same) {
            return Ok((known, Try::Again));
        }
        let begun = Self {
            server: server.to_owned(),
            name: name.clone(),
            token: mark,
            request: Request::draw()?,
        };
        durable::write_json(&state.enrolling(), &begun)?;
        Ok((begun, Try::First))
    }
}

pub(crate) fn run(common: &Common, options: Options) -> Result<ExitCode, Failure> {
    let token = token(&options)?;
    let name = name(options.name)
        .map_err(|error| Failure::with_hint(error, "name it with --name, as the site names it"))?;
    let state = common.state(&Place::Machine)?;
    let _lock = state.lock()?;
    state.prepare()?;

    let (Enrolling { request, .. }, which) =
        Enrolling::begin(&state, &options.server, &name, &token)?;
    let sealing_key = OwnKey::of(&state)?.public();
    let asked = EnrolRequest {
        secret: token.secret.clone(),
        name,
        csr: request.csr,
        sealing_key,
    };
    let identity =
        block_on(enrol(&options.server, &token, asked))?.map_err(|error| refused(error, which))?;
    let enrolled = Enrolled {
        server: options.server,
        identity,
        key: request.key,
        since: Timestamp::now(),
        sealing_key: Some(sealing_key),
    };
    // What cannot be used is refused now, while somebody is watching.
    AgentClient::new(&enrolled.server, &enrolled.identity, &enrolled.key)?;
    // A copied state folder must not go on under the numbers of the host it was copied from.
    Life::begin(&state)?;
    enrolled.save(&state)?;
    durable::remove(&state.enrolling())?;
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

/// The token, from where it is least seen.
fn token(options: &Options) -> Result<EnrolToken, Failure> {
    let text = match (&options.token_file, &options.token) {
        (Some(file), _) if file.as_os_str() != "-" => {
            read(&file.display().to_string(), File::open(file))?
        }
        (None, Some(token)) if token != "-" => token.clone(),
        _ => read("standard input", Ok(io::stdin().lock()))?,
    };
    Ok(text.parse()?)
}

fn read(from: &str, source: io::Result<impl Read>) -> Result<String, TokenError> {
    let mut text = String::new();
    let read = source.and_then(|source| source.take(MAX_TOKEN).read_to_string(&mut text));
    let from = from.to_owned();
    read.map(|_| text)
        .map_err(|source| TokenError { from, source })
}

fn refused(error: ClientError, which: Try) -> Failure {
    let problem = error.problem();
    let used = problem.is_some_and(|problem| problem.code == TOKEN_USED);
    let hint = problem.and_then(|problem| problem.hint.clone());
    match (hint, which) {
        (_, Try::Again) if used => Failure::with_hint(
            error,
            "an earlier try with this token reached the server and its answer was lost; enrol with \
             a new token from `holdfast token create --host NAME`",
        ),
        (Some(hint), _) => Failure::with_hint(error, hint),
        (None, _) if problem.is_none() => Failure::with_hint(
            error,
            "the token may be tried again: the same key is offered until an answer comes",
        ),
        (None, _) => error.into(),
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
