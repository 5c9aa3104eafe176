//! What handlers and tasks share: one value, made when the server starts.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use holdfast_catalog::Site;
use holdfast_schemas::Digest;
use holdfast_schemas::operator_api::RefusedRevision;
use holdfast_store::{BlobStore, Store};
use tokio::sync::{Mutex, Notify, watch};

use crate::fleet::HostTable;
use crate::http::{AttemptLimit, BodyMemory, Granted, IntakeLimit, Operators};
use crate::pki::Pki;
use crate::secrets::Secrets;

/// Everything the server stands on.
pub struct Server {
    /// `https://HOST:PORT` under which hosts reach it, as far as it can tell.
    pub agents: String,
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// Content by digest.
    pub blobs: Arc<BlobStore>,
    /// Keys and certificates.
    pub pki: Pki,
    /// What opens the repo's secrets and seals them to hosts.
    pub secrets: Secrets,
    /// Enrolled hosts, in memory.
    pub hosts: HostTable,
    /// The site that is served; absent until a revision compiled.
    pub active: ArcSwapOption<Active>,
    /// Which revision is served, and which was refused.
    pub revisions: ArcSwap<Revisions>,
    /// Who may ask as an operator.
    pub operators: Operators,
    /// Makes tasks run before their time.
    pub nudge: Nudges,
    /// What the catalogs of hosts name, as far as it was asked for.
    pub granted: Granted,
    /// How often an address may try to enrol.
    pub attempts: AttemptLimit,
    /// How much hosts may have stored.
    pub intake: IntakeLimit,
    /// Memory for bodies.
    pub body_memory: BodyMemory,
    /// How often the facts or the sealing key of a host changed, or a host enrolled, since the
    /// start.
    pub facts_changed: AtomicU64,
    /// Held while hosts are compiled and assigned: one revision at a time.
    pub compiling: Arc<Mutex<()>>,
    /// Whether the repo was looked at since the start, with whatever result.
    pub settled: watch::Sender<bool>,
    /// Whether the server is to end.
    pub stopping: watch::Receiver<bool>,
}

impl Server {
    /// Takes note that other facts, or another key, are known of some host, so that it is compiled
    /// again.
    pub fn facts_have_changed(&self) {
        self.facts_changed.fetch_add(1, Ordering::Relaxed);
        self.nudge.compile.notify_one();
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("hosts", &self.hosts.len())
            .finish_non_exhaustive()
    }
}

/// The site that is served.
#[derive(Debug)]
pub struct Active {
    /// Parsed.
    pub site: Site,
    /// Its content files, all of them in the blob store.
    pub contents: HashSet<Digest>,
}

/// The revisions that an operator wants to know of.
#[derive(Debug, Clone, Default)]
pub struct Revisions {
    /// The one that is served.
    pub active: Option<String>,
    /// The newest one, if it did not compile.
    pub refused: Option<RefusedRevision>,
}

/// One bell per task that can be hurried. A nudge while the task runs makes it run once more.
#[derive(Debug, Default)]
pub struct Nudges {
    /// The repo may have a new head.
    pub source: Notify,
    /// Hosts may have to be compiled.
    pub compile: Notify,
    /// Of tasks that only the timer makes run.
    pub never: Notify,
}
