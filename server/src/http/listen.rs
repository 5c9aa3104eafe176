//! The accept loop of a listener: TLS in tasks of its own, and a bound on everything a peer could
//! hold without asking for anything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use super::identity::Connection;
use crate::pki::{Audience, PkiError, TlsIdentity};

/// Longest TLS handshake; an honest one takes two round trips.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// Handshakes at once: each costs a signature, and more would only make all of them late.
const HANDSHAKES: usize = 256;

/// Connections of hosts at once. Each is kept for the long poll, so this is a fleet.
const AGENT_CONNECTIONS: usize = 20_000;

/// Connections of operators at once.
const OPERATOR_CONNECTIONS: usize = 256;

/// Longest wait for a request's head over HTTP/1, idle time before it included: just above the
/// time that news are held, so that a kept connection survives a quiet poll.
const HEAD_DEADLINE: Duration = Duration::from_secs(75);

/// An HTTP/2 connection that says nothing is asked this often whether it lives …
const PING_EVERY: Duration = Duration::from_secs(60);

/// … and has this long to answer.
const PING_DEADLINE: Duration = Duration::from_secs(20);

/// Requests at once over one connection: a check-in, a poll, a report and some blobs.
const STREAMS: u32 = 32;

/// Largest head of a request, in bytes: a path with a digest, a bearer token, ordinary headers.
const MAX_HEAD: u32 = 16 * 1024;

/// Read buffer of an HTTP/1 connection, in bytes: at least a head.
const READ_BUFFER: usize = 32 * 1024;

/// Pause after an accept failed: for want of file descriptors, mostly, which others give back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long requests under way may take to end when the server does.
const GRACE: Duration = Duration::from_secs(10);

/// A bound listener.
pub struct Listening {
    tcp: TcpListener,
    door: Arc<Door>,
}

struct Door {
    audience: Audience,
    acceptor: TlsAcceptor,
    tls: Arc<TlsIdentity>,
    handshakes: Semaphore,
    http: Builder<TokioExecutor>,
    router: Router,
}

impl Listening {
    /// Takes a bound socket.
    pub fn new(
        tcp: TcpListener,
        audience: Audience,
        tls: Arc<TlsIdentity>,
        router: Router,
    ) -> Result<Self, PkiError> {
        let acceptor = TlsAcceptor::from(tls.config(audience)?);
        let door = Door {
            audience,
            acceptor,
            tls,
            handshakes: Semaphore::new(HANDSHAKES),
            http: http(),
            router,
        };
        Ok(Self {
            tcp,
            door: Arc::new(door),
        })
    }

    /// Serves until `stopping` says so, then lets requests under way end.
    pub async fn serve(self, mut stopping: watch::Receiver<bool>) {
        let connections = Arc::new(Semaphore::new(match self.door.audience {
            Audience::Agents => AGENT_CONNECTIONS,
            Audience::Operators => OPERATOR_CONNECTIONS,
        }));
        let graceful = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stopping.wait_for(|stop| *stop) => break,
                accepted = accept(&self.tcp, &connections) => accepted,
            };
            let Some((stream, address, permit)) = accepted else {
                continue;
            };
            let door = self.door.clone();
            let watcher = graceful.watcher();
            tokio::spawn(async move {
                door.connection(stream, address, watcher).await;
                drop(permit);
            });
        }
        drop(self.tcp);
        let ended = tokio::time::timeout(GRACE, graceful.shutdown()).await;
        if ended.is_err() {
            tracing::warn!(listener = ?self.door.audience, "some requests did not end in time and were cut");
        }
    }
}

/// The next connection, once there is room for it.
async fn accept(
    tcp: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = connections.clone().acquire_owned().await.ok()?;
    match tcp.accept().await {
        Ok((stream, address)) => Some((stream, address, permit)),
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

fn http() -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(READ_BUFFER);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(MAX_HEAD)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_DEADLINE);
    http
}

impl Door {
    async fn connection(&self, stream: TcpStream, address: SocketAddr, watcher: Watcher) {
        // Small answers leave at once; failing to say so only makes them late.
        let _ = stream.set_nodelay(true);
        let handshake = tokio::time::timeout(HANDSHAKE_DEADLINE, self.handshake(stream)).await;
        let stream = match handshake {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::debug!(peer = %address, %error, "a handshake failed");
                return;
            }
            Err(_) => {
                tracing::debug!(peer = %address, "a handshake took too long");
                return;
            }
        };
        let peer = self.tls.judge(stream.get_ref().1.peer_certificates());
        let known = Arc::new(Connection { peer, address });
        let router = self.router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(known.clone());
            router.clone().oneshot(request)
        });
        let served = self.http.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(served.into_owned()).await {
            tracing::debug!(peer = %address, %error, "a connection broke");
        }
    }

    async fn handshake(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let _permit = self.handshakes.acquire().await;
        self.acceptor.accept(stream).await
    }
}
