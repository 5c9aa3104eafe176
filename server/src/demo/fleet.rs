//! The demo's server and its three hosts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::try_join_all;
use holdfast_client::OperatorClient;
use holdfast_schemas::HostName;
use holdfast_schemas::operator_api::{Credential, NewToken};
use serde::de::DeserializeOwned;

use super::error::DemoError;
use super::process::Process;
use super::stage::{Look, Serving, Stage, Wait, make};
use crate::credential::Endpoints;

/// The hosts that get an agent: the MongoDB set of the example site.
pub(super) const HOSTS: [&str; 3] = ["mongo-1.js", "mongo-2.js", "mongo-3.js"];

/// A file that the example site keeps on every host.
pub(super) const REGION_FILE: &str = "/etc/fleet/region.conf";

/// How often the agents run by their timer: often enough for an impatient reader. What happens
/// on a host between two runs is seen by its watch, at once.
const INTERVAL: &str = "2s";

/// The folder where the server keeps everything.
const SERVER: &str = "server";

/// Longest wait for a program that starts, on a machine with better things to do.
const START: Duration = Duration::from_secs(30);

/// How long the tokens are good: they are used at once.
const TOKEN_TTL_S: u64 = 600;

/// Accounts that a root directory begins with, as on a machine just installed.
const ACCOUNTS: [(&str, &str); 2] = [
    (
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    ("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
];

/// The root directory of a host.
pub(super) fn root(stage: &Stage, host: &str) -> PathBuf {
    stage.path("hosts").join(host).join("root")
}

fn state(stage: &Stage, host: &str) -> PathBuf {
    stage.path("hosts").join(host).join("state")
}

/// Where a path of a host is on this machine.
pub(super) fn in_root(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// Makes a host's root directory, with the little that a fresh machine has.
pub(super) fn furnish(stage: &Stage, host: &str) -> Result<(), DemoError> {
    let root = root(stage, host);
    make(&root.join("etc"))?;
    make(&state(stage, host))?;
    for (path, text) in ACCOUNTS {
        let path = root.join(path);
        std::fs::write(&path, text).map_err(|source| DemoError::File {
            doing: "write",
            path,
            source,
        })?;
    }
    Ok(())
}

/// This program, and the agent's beside it.
pub(super) fn programs() -> Result<(PathBuf, PathBuf), DemoError> {
    let server = std::env::current_exe().map_err(DemoError::Runtime)?;
    let agent = server.with_file_name("holdfast-agent");
    match agent.is_file() {
        true => Ok((server, agent)),
        false => Err(DemoError::NoAgent(agent)),
    }
}

/// Starts a server on the repo and waits until it can be asked.
pub(super) async fn serve(stage: &mut Stage, repo: &Path) -> Result<Serving, DemoError> {
    let (program, _) = programs()?;
    let data = stage.path(SERVER);
    let arguments = [
        "serve".as_ref(),
        "--site".as_ref(),
        repo.as_os_str(),
        "--data".as_ref(),
        data.as_os_str(),
        "--agents".as_ref(),
        "127.0.0.1:0".as_ref(),
        "--operators".as_ref(),
        "127.0.0.1:0".as_ref(),
    ];
    let process = Process::start("server", &program, arguments, &stage.path("logs"))?;
    stage.keep(process);
    let wait = Wait {
        what: "the server's start",
        by: "server",
        deadline: START,
    };
    let (endpoints, credential) = (data.join("endpoints.json"), data.join("admin.json"));
    stage
        .until(wait, async || {
            let Some(endpoints) = document::<Endpoints>(&endpoints)? else {
                return Ok(Look::NotYet("it has not said where it listens".to_owned()));
            };
            let Some(admin) = document::<Credential>(&credential)? else {
                return Ok(Look::NotYet("it has written no credential".to_owned()));
            };
            let client = OperatorClient::new(&admin)?;
            client.status().await?;
            Ok(Look::Here(Serving {
                endpoints,
                credential: credential.clone(),
                client,
            }))
        })
        .await
}

/// Reads a document that another process writes whole; `None` as long as it is not there.
fn document<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, DemoError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(DemoError::File {
                doing: "read",
                path: path.to_owned(),
                source,
            });
        }
    };
    let document = serde_json::from_slice(&text).map_err(|source| DemoError::Document {
        what: path.display().to_string(),
        source,
    })?;
    Ok(Some(document))
}

/// Enrols every host, side by side, each with a token that is good for its name alone.
pub(super) async fn enrol(stage: &Stage, serving: &Serving) -> Result<(), DemoError> {
    try_join_all(HOSTS.map(|host| enrol_one(stage, serving, host)))
        .await
        .map(drop)
}

async fn enrol_one(stage: &Stage, serving: &Serving, host: &str) -> Result<(), DemoError> {
    let wanted = NewToken {
        ttl_s: TOKEN_TTL_S,
        host: Some(name(host)?),
    };
    let token = serving
        .client
        .create_token(&wanted)
        .await?
        .token
        .to_string();
    let (_, agent) = programs()?;
    let state = state(stage, host);
    let arguments = [
        "enroll".as_ref(),
        "--server".as_ref(),
        serving.endpoints.agents.as_ref(),
        "--token".as_ref(),
        token.as_ref(),
        "--name".as_ref(),
        host.as_ref(),
        "--state-dir".as_ref(),
        state.as_os_str(),
    ];
    let what = format!("enrolment-of-{host}");
    let process = Process::start(&what, &agent, arguments, &stage.path("logs"))?;
    process.done(START).await
}

/// Starts an agent for every host.
pub(super) fn start_agents(stage: &mut Stage) -> Result<(), DemoError> {
    let (_, agent) = programs()?;
    for host in HOSTS {
        let (root, state) = (root(stage, host), state(stage, host));
        let arguments = [
            "run".as_ref(),
            "--root".as_ref(),
            root.as_os_str(),
            "--state-dir".as_ref(),
            state.as_os_str(),
            "--interval".as_ref(),
            INTERVAL.as_ref(),
        ];
        let process = Process::start(host, &agent, arguments, &stage.path("logs"))?;
        stage.keep(process);
    }
    Ok(())
}

pub(super) fn name(host: &str) -> Result<HostName, DemoError> {
    host.parse()
        .map_err(|error| DemoError::Otherwise(format!("{host} cannot be a host: {error}")))
}
