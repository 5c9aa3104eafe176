//! A server from start to end.

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::{ArcSwap, ArcSwapOption};
use holdfast_store::{BlobStore, SledStore, Store, StoreError, get_setting, keys};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::context::{Nudges, Revisions, Server};
use crate::credential::{self, CredentialError, Endpoints, Written};
use crate::fleet::HostTable;
use crate::http::{
    self, AttemptLimit, BodyMemory, Granted, IntakeLimit, Listening, Operators, chain,
};
use crate::limits;
use crate::options::ServeOptions;
use crate::pki::{self, Audience, Pki, PkiError, ServerNames, TlsIdentity};
use crate::secrets::{Secrets, SecretsError};
use crate::tasks::{self, Source};

/// The file in the data folder that a running server holds.
const LOCK: &str = "lock";

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Its keys.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// Its memory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What it opens secrets with.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The administrator's credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// A folder that belongs to something else.
    #[error(
        "{} holds other files and was never a server's; give --data a folder of its own", .0.display()
    )]
    NotOurs(PathBuf),
    /// Another server works on the same folder.
    #[error("another server works on {}; stop it, or give this one another --data", .0.display())]
    InUse(PathBuf),
    /// An address that cannot be listened on.
    #[error(
        "cannot listen on {address} for {audience}; is another program there? choose with --{audience}"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// `agents` or `operators`.
        audience: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What was named as the site is no place.
    #[error(transparent)]
    Site(#[from] holdfast_source::LocationError),
    /// The work of starting was lost.
    #[error("the server broke while it started")]
    Broken(#[source] tokio::task::JoinError),
}

/// A running server.
#[derive(Debug)]
pub struct ServerHandle {
    endpoints: Endpoints,
    credential: PathBuf,
    recipients: Vec<String>,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl ServerHandle {
    /// Where the listeners are.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Where the administrator's credential is.
    pub fn credential(&self) -> &PathBuf {
        &self.credential
    }

    /// Whom a secret of the repo is encrypted to so that this server opens it: one of these.
    pub fn recipients(&self) -> &[String] {
        &self.recipients
    }

    /// Ends the server: requests under way are answered, what is in memory is written.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ = self.running.await;
    }
}

/// What is open before anything listens.
struct Opened {
    store: Arc<dyn Store>,
    blobs: BlobStore,
    pki: Pki,
    secrets: Secrets,
    hosts: HostTable,
    revisions: Revisions,
    lock: File,
}

/// Starts a server; it answers when this returns. The site is read afterwards, so that a repo
/// that is slow or gone keeps no host from its last good catalog.
pub async fn serve(options: ServeOptions) -> Result<ServerHandle, ServeError> {
    limits::raise_open_files();
    let (data, identities) = (options.data.clone(), options.identities.clone());
    let opened = tokio::task::spawn_blocking(move || open(&data, &identities)).await;
    let opened = opened.map_err(ServeError::Broken)??;
    let source = Source::new(&options)?;
    let agents = listen(options.agents, "agents").await?;
    let operators = listen(options.operators, "operators").await?;
    let addresses = [
        address(&agents, options.agents),
        address(&operators, options.operators),
    ];
    let endpoints = Endpoints {
        agents: credential::url(addresses[0]),
        operators: credential::url(addresses[1]),
    };

    let names = ServerNames::of(&addresses, &options.names);
    let tls = TlsIdentity::open(&options.data.join("pki"), &opened.pki.authority, names)?;
    let tls = Arc::new(tls);
    let written = credential::ensure_admin(
        &options.data,
        opened.store.as_ref(),
        endpoints.operators.clone(),
        opened.pki.authority.pem(),
    )?;
    credential::write_endpoints(&options.data, &endpoints)?;

    let recipients = opened.secrets.keyring.recipients();
    let (stop, stopping) = watch::channel(false);
    let reached = credential::public_url(addresses[0], &options.names);
    let (server, lock) = assemble(opened, reached, stopping.clone())?;
    let server = Arc::new(server);
    let agents = Listening::new(
        agents,
        Audience::Agents,
        tls.clone(),
        http::agents(server.clone()),
    )?;
    let operators = Listening::new(
        operators,
        Audience::Operators,
        tls.clone(),
        http::operators(server.clone()),
    )?;
    tracing::info!(listener.agents = %endpoints.agents, listener.operators = %endpoints.operators, "listening");
    let tasks = tasks::start(&server, tls, source);
    let mut listeners = JoinSet::new();
    listeners.spawn(agents.serve(stopping.clone()));
    listeners.spawn(operators.serve(stopping));
    let (Written::New(credential) | Written::Kept(credential)) = written;
    Ok(ServerHandle {
        endpoints,
        credential,
        recipients,
        stop,
        running: tokio::spawn(async move {
            run(server, listeners, tasks).await;
            drop(lock);
        }),
    })
}

/// Until everything has ended; then what is only in memory is written.
async fn run(server: Arc<Server>, mut listeners: JoinSet<()>, mut tasks: JoinSet<()>) {
    while listeners.join_next().await.is_some() {}
    while tasks.join_next().await.is_some() {}
    let written = holdfast_store::with(&server.store, |store| store.write_heartbeats()).await;
    if let Err(error) = written {
        tracing::warn!(error = %chain(&error), "cannot write when hosts were last heard of");
    }
    tracing::info!("stopped");
}

fn open(data: &Path, identities: &[PathBuf]) -> Result<Opened, ServeError> {
    if is_anothers(data) {
        return Err(ServeError::NotOurs(data.to_owned()));
    }
    pki::open_private_dir(data)?;
    let lock = lock(data)?;
    let store = SledStore::open(&data.join("store"))?;
    let revisions = Revisions {
        active: get_setting(store.as_ref(), keys::ACTIVE_REVISION)?,
        refused: get_setting(store.as_ref(), keys::REFUSED_REVISION)?,
    };
    Ok(Opened {
        blobs: BlobStore::open(data.join("blobs"))?,
        pki: Pki::open(&data.join("pki"))?,
        secrets: Secrets::open(data, identities)?,
        hosts: HostTable::load(store.as_ref())?,
        revisions,
        store,
        lock,
    })
}

/// Whether a folder is somebody else's: `/tmp`, or somebody's home. We would close it to all
/// others. A disk of our own holds what making its file system left.
fn is_anothers(data: &Path) -> bool {
    let is_open = data
        .metadata()
        .is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
    let holds_something = || {
        let mut found = data.read_dir().into_iter().flatten().flatten();
        found.any(|entry| entry.file_name() != "lost+found")
    };
    is_open && !data.join(LOCK).exists() && holds_something()
}

/// One server per folder, for as long as the file is open.
fn lock(data: &Path) -> Result<File, ServeError> {
    let path = data.join(LOCK);
    let failed = |source| PkiError::File {
        doing: "lock",
        path: path.clone(),
        source,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(ServeError::InUse(data.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source).into()),
    }
}

fn assemble(
    opened: Opened,
    agents: String,
    stopping: watch::Receiver<bool>,
) -> Result<(Server, File), StoreError> {
    let server = Server {
        agents,
        operators: Operators::load(opened.store.as_ref())?,
        store: opened.store,
        blobs: Arc::new(opened.blobs),
        pki: opened.pki,
        secrets: opened.secrets,
        hosts: opened.hosts,
        active: ArcSwapOption::empty(),
        revisions: ArcSwap::from_pointee(opened.revisions),
        nudge: Nudges::default(),
        granted: Granted::default(),
        attempts: AttemptLimit::default(),
        intake: IntakeLimit::default(),
        body_memory: BodyMemory::default(),
        facts_changed: AtomicU64::default(),
        compiling: Arc::default(),
        settled: watch::Sender::new(false),
        stopping,
    };
    Ok((server, opened.lock))
}

async fn listen(address: SocketAddr, audience: &'static str) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen {
            address,
            audience,
            source,
        })
}

/// The address a listener got; the one asked for if the system does not say.
fn address(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    #[test]
    fn a_folder_is_anothers_if_it_is_open_and_holds_what_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        assert!(!is_anothers(&data), "it is made");
        fs::create_dir(&data).unwrap();
        let mode = |mode| fs::set_permissions(&data, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o755);
        assert!(!is_anothers(&data), "it is empty");
        fs::create_dir(data.join("lost+found")).unwrap();
        assert!(!is_anothers(&data), "it is a disk");
        fs::write(data.join("letter.txt"), "dear").unwrap();
        assert!(is_anothers(&data));
        mode(0o700);
        assert!(!is_anothers(&data), "nobody else is in it");
        mode(0o755);
        fs::write(data.join(LOCK), "").unwrap();
        assert!(!is_anothers(&data), "a server worked in it");
    }
}
