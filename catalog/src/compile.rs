//! Site and host to catalog.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_schemas::catalog::Catalog;
use holdfast_schemas::resource::ResourceId;
use holdfast_schemas::{Digest, HostName};
use serde::Serialize;

use crate::diag::Diagnostics;
use crate::sealed::SealedContent;
use crate::site::Site;

/// What compilation takes of a host besides the site.
#[derive(Debug, Clone)]
pub struct HostInput {
    /// Its name.
    pub name: HostName,
    /// What its agent found; `None` when that is not known (yet).
    pub facts: Option<Arc<serde_json::Map<String, serde_json::Value>>>,
    /// Variables of the job layer, above all others; empty outside of jobs.
    pub vars: serde_json::Map<String, serde_json::Value>,
}

impl HostInput {
    /// A host whose facts are not known.
    pub fn new(name: HostName) -> Self {
        Self {
            name,
            facts: None,
            vars: serde_json::Map::new(),
        }
    }

    /// The same with facts.
    #[must_use]
    pub fn with_facts(mut self, facts: serde_json::Map<String, serde_json::Value>) -> Self {
        self.facts = Some(Arc::new(facts));
        self
    }
}

/// What came out for a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The catalog.
    pub catalog: Catalog,
    /// Content that the compiler made and that is too long to stand in the catalog; content
    /// files of the repo are not among it.
    pub blobs: BTreeMap<Digest, Arc<[u8]>>,
    /// Contents with secrets in them, by the digest of their draft; the catalog names them by it.
    pub sealed: BTreeMap<Digest, SealedContent>,
    /// Remarks that are no errors.
    pub notes: Vec<Note>,
}

/// A remark on a catalog that compiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// An automatic edge that was left out because it would have closed a cycle.
    DroppedEdge {
        /// The resource that would have waited.
        from: ResourceId,
        /// What it would have waited for.
        to: ResourceId,
        /// Why there would have been an edge: `parent folder`, `owner`, …
        because: &'static str,
    },
}

impl Site {
    /// The catalog of a host.
    pub fn compile(&self, host: &HostInput) -> Result<Compiled, Diagnostics> {
        crate::lower::compile(self, host)
    }
}

/// Compiles hosts one after the other; what is wrong in many is told once.
pub fn compile_all<'a>(
    site: &Site,
    hosts: impl IntoIterator<Item = &'a HostInput>,
) -> Result<Vec<Compiled>, Diagnostics> {
    let mut compiled = Vec::new();
    let mut wrong = Diagnostics::new();
    for host in hosts {
        match site.compile(host) {
            Ok(catalog) => compiled.push(catalog),
            Err(more) => wrong.extend(more),
        }
    }
    wrong.into_result().map(|()| compiled)
}
