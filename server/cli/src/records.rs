//! What a server knows of its hosts, in a file: for verbs that work without one.
//!
//! `holdfast hosts --export` writes such a file, `--records FILE` reads it. Hosts that only the
//! server knows (they enrolled, and the repo does not declare them) are among them, and are
//! compiled as the server would compile them.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdfast_catalog::HostInput;
use holdfast_schemas::HostName;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::CliError;

/// The form of the file; another one is refused.
const FORMAT: u32 = 1;

/// Largest file that is read, in bytes: a hundred thousand hosts with 4 KiB of facts each.
const MAX_RECORDS: u64 = 512 * 1024 * 1024;

/// How a verb is told what a server knows.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct RecordsArgs {
    /// What a server knows of its hosts, facts included (`holdfast hosts --export`)
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Records {
    format: u32,
    hosts: Vec<Record>,
}

/// What a server knows of a host.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) name: HostName,
    /// What its agent found; absent where none reported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) facts: Option<Arc<Map<String, Value>>>,
}

/// What is known of hosts besides the repo.
#[derive(Debug, Default)]
pub(crate) struct Known {
    hosts: BTreeMap<HostName, Option<Arc<Map<String, Value>>>>,
}

impl Records {
    /// The file of these hosts.
    pub(crate) fn new(hosts: Vec<Record>) -> Self {
        Self {
            format: FORMAT,
            hosts,
        }
    }
}

impl RecordsArgs {
    /// Reads the file; nothing is known where none is named.
    pub(crate) fn read(&self) -> Result<Known, CliError> {
        self.records.as_deref().map_or(Ok(Known::default()), read)
    }
}

/// Reads a file of records.
pub(crate) fn read(path: &Path) -> Result<Known, CliError> {
    let unreadable = |source| CliError::RecordsFile {
        path: path.to_path_buf(),
        source,
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut text = Vec::new();
    file.take(MAX_RECORDS + 1)
        .read_to_end(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > MAX_RECORDS {
        let limit = format!("it has more than {} MiB", MAX_RECORDS >> 20);
        return Err(unreadable(std::io::Error::other(limit)));
    }
    let records: Records = serde_json::from_slice(&text).map_err(|source| CliError::Records {
        path: path.to_path_buf(),
        source: Some(source),
    })?;
    if records.format != FORMAT {
        return Err(CliError::Records {
            path: path.to_path_buf(),
            source: None,
        });
    }
    let hosts = records.hosts.into_iter();
    Ok(Known {
        hosts: hosts.map(|host| (host.name, host.facts)).collect(),
    })
}

impl Known {
    /// Whether the server knows a host.
    pub(crate) fn has(&self, host: &HostName) -> bool {
        self.hosts.contains_key(host)
    }

    /// The hosts that the server knows.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &HostName> {
        self.hosts.keys()
    }

    /// What compilation takes of a host.
    pub(crate) fn input(&self, host: &HostName) -> HostInput {
        HostInput {
            facts: self.hosts.get(host).cloned().flatten(),
            ..HostInput::new(host.clone())
        }
    }
}
