//! A site: from the files of a catalog repo to typed groups, hosts and roles with positions.

mod snapshot;

pub use snapshot::{Entry, MAX_CONTENT, MAX_FILES, MAX_TEXT, Snapshot, is_content};

use holdfast_schemas::HostName;

use crate::compile::HostInput;
use crate::diag::Diagnostics;
use crate::vars::Explanation;

/// A parsed site. It is shared between threads freely.
#[derive(Debug, Clone)]
pub struct Site {
    revision: String,
    hosts: Vec<HostName>,
}

impl Site {
    /// Reads and checks all of a repo.
    pub fn parse(snapshot: &Snapshot) -> Result<Self, Diagnostics> {
        Ok(Self {
            revision: snapshot.revision.clone(),
            hosts: Vec::new(),
        })
    }

    /// What the revision is called.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The hosts that the repo declares, by name.
    pub fn hosts(&self) -> impl Iterator<Item = &HostName> {
        self.hosts.iter()
    }

    /// Where the value of a variable (`region.id`, `nginx.port`) of a host comes from.
    pub fn explain(&self, host: &HostInput, variable: &str) -> Result<Explanation, Diagnostics> {
        let _ = (host, variable);
        Err(Diagnostics::new())
    }
}
