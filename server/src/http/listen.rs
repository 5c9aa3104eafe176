//! The accept loop of a listener: TLS in tasks of its own, and a bound on everything a peer could
//! hold without asking for anything.
//!
//! Whoever comes is a stranger at first. Strangers have places of their own, no network has all of
//! them, and who has not proven by a request who they are loses theirs after a while. A host that
//! shows its certificate leaves that crowd, so strangers cannot keep it out; and no host has more
//! than a few connections.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use holdfast_schemas::HostName;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use rustls::server::Acceptor;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use super::identity::Connection;
use super::shares::{Shares, network};
use crate::pki::{Audience, Peer, PkiError, TlsIdentity};

/// Longest TLS handshake; an honest one takes two round trips.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// Handshakes at once, from the client's hello on: each costs a signature, and more would only
/// make all of them late.
const HANDSHAKES: usize = 256;

/// How many of them one network may have, so that one which begins them and falls silent leaves
/// room for others. Hosts behind one address translation wait for each other.
const HANDSHAKES_EACH: usize = 192;

/// Connections of hosts at once. Each is kept for the long poll, so this is a fleet.
const HOSTS: usize = 20_000;

/// Connections of one host: its own, and those that it lost and that are not noticed to be dead.
const HOSTS_EACH: usize = 16;

/// How a listener's places for strangers are shared out.
#[derive(Debug, Clone, Copy)]
struct Crowd {
    all: usize,
    /// Of one network.
    each: usize,
}

/// A fleet that reconnects at once, after the server was away, fits even if it comes from behind
/// one address; others have room beside it.
const AGENTS: Crowd = Crowd {
    all: 8192,
    each: 6144,
};

/// Operators have no certificates, so they stay with the strangers.
const OPERATORS: Crowd = Crowd {
    all: 256,
    each: 192,
};

/// Longest life of a connection on which nobody has proven who they are: an enrolment, with a
/// server that has just started and a slow line.
const STRANGERS_LIFE: Duration = Duration::from_secs(60);

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

/// Flow-control windows of HTTP/2, in bytes: what a peer may send before anybody reads it, for a
/// request and for a connection. A report of the largest size takes a second over 20 ms.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 512 * 1024;

/// What of an answer waits in memory for a peer that does not read, in bytes per request.
const SEND_BUFFER: usize = 64 * 1024;

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
    config: Arc<ServerConfig>,
    tls: Arc<TlsIdentity>,
    http: Builder<TokioExecutor>,
    router: Router,
    handshakes: Semaphore,
    handshakes_each: Shares<IpAddr>,
    strangers: Arc<Semaphore>,
    strangers_each: Shares<IpAddr>,
    hosts: Arc<Semaphore>,
    hosts_each: Shares<HostName>,
}

/// A place in two crowds: the whole one and one's own.
type Place = (OwnedSemaphorePermit, OwnedSemaphorePermit);

impl Listening {
    /// Takes a bound socket.
    pub fn new(
        tcp: TcpListener,
        audience: Audience,
        tls: Arc<TlsIdentity>,
        router: Router,
    ) -> Result<Self, PkiError> {
        let crowd = match audience {
            Audience::Agents => AGENTS,
            Audience::Operators => OPERATORS,
        };
        let door = Door {
            audience,
            config: tls.config(audience)?,
            tls,
            http: http(),
            router,
            handshakes: Semaphore::new(HANDSHAKES),
            handshakes_each: Shares::new(HANDSHAKES_EACH),
            strangers: Arc::new(Semaphore::new(crowd.all)),
            strangers_each: Shares::new(crowd.each),
            hosts: Arc::new(Semaphore::new(HOSTS)),
            hosts_each: Shares::new(HOSTS_EACH),
        };
        Ok(Self {
            tcp,
            door: Arc::new(door),
        })
    }

    /// Serves until `stopping` says so, then lets requests under way end, and cuts what does not.
    pub async fn serve(self, mut stopping: watch::Receiver<bool>) {
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stopping.wait_for(|stop| *stop) => break,
                // Those that ended make room for their like.
                Some(_) = connections.join_next() => continue,
                accepted = self.door.accept(&self.tcp) => accepted,
            };
            let Some((stream, address, place)) = accepted else {
                continue;
            };
            let door = self.door.clone();
            let watcher = graceful.watcher();
            connections
                .spawn(async move { door.connection(stream, address, place, watcher).await });
        }
        drop(self.tcp);
        let ended = tokio::time::timeout(GRACE, graceful.shutdown()).await;
        if ended.is_err() {
            tracing::warn!(listener = ?self.door.audience, "some requests did not end in time and were cut");
        }
        connections.shutdown().await;
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
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_DEADLINE);
    http
}

impl Door {
    /// The next connection, once there is a place for a stranger; none if its network has its
    /// share of them.
    async fn accept(&self, tcp: &TcpListener) -> Option<(TcpStream, SocketAddr, Place)> {
        let place = self.strangers.clone().acquire_owned().await.ok()?;
        let (stream, address) = match tcp.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                return None;
            }
        };
        let share = self.strangers_each.of(network(address.ip()));
        match share.try_acquire_owned() {
            Ok(own) => Some((stream, address, (place, own))),
            Err(_) => {
                tracing::debug!(peer = %address, "too many strangers from one network");
                None
            }
        }
    }

    async fn connection(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        stranger: Place,
        watcher: Watcher,
    ) {
        // Small answers leave at once; failing to say so only makes them late.
        let _ = stream.set_nodelay(true);
        let handshake = self.handshake(stream, network(address.ip()));
        let stream = match tokio::time::timeout(HANDSHAKE_DEADLINE, handshake).await {
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
        let _place = match &peer {
            Peer::Host(certificate) => match self.place(certificate.name()) {
                Some(place) => place,
                None => {
                    tracing::debug!(host.name = %certificate.name(), "no place for another connection of the host");
                    return;
                }
            },
            Peer::Anonymous | Peer::Foreign { .. } => stranger,
        };
        self.speak(stream, Connection::new(peer, address), watcher)
            .await;
    }

    /// A place for one more connection of a host.
    fn place(&self, name: &HostName) -> Option<Place> {
        let own = self.hosts_each.of(name.clone()).try_acquire_owned().ok()?;
        Some((self.hosts.clone().try_acquire_owned().ok()?, own))
    }

    /// Answers requests until the connection ends, or has to.
    async fn speak(&self, stream: TlsStream<TcpStream>, known: Connection, watcher: Watcher) {
        let known = Arc::new(known);
        let (router, asking) = (self.router.clone(), known.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(asking.clone());
            router.clone().oneshot(request)
        });
        let served = self.http.serve_connection(TokioIo::new(stream), service);
        tokio::select! {
            ended = watcher.watch(served.into_owned()) => {
                if let Err(error) = ended {
                    tracing::debug!(peer = %known.address, %error, "a connection broke");
                }
            }
            () = nobody_known(&known, STRANGERS_LIFE) => {
                tracing::debug!(peer = %known.address, "nobody said in time who they are");
            }
        }
    }

    /// Who says nothing costs their place and no more; the work begins with the client's hello.
    async fn handshake(
        &self,
        stream: TcpStream,
        network: IpAddr,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let _own = self.handshakes_each.of(network).acquire_owned().await;
        let _all = self.handshakes.acquire().await;
        hello.into_stream(self.config.clone()).await
    }
}

/// Ends when a connection has had its time and nobody has proven on it who they are.
async fn nobody_known(connection: &Connection, life: Duration) {
    tokio::time::sleep(life).await;
    if connection.is_proven() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn a_stranger_has_a_while_and_whoever_is_known_stays() {
        const LIFE: Duration = Duration::from_millis(10);
        let address = "192.0.2.1:1".parse().unwrap();
        let connection = Connection::new(Peer::Anonymous, address);
        nobody_known(&connection, LIFE).await;
        connection.prove();
        let ended = tokio::time::timeout(10 * LIFE, nobody_known(&connection, LIFE)).await;
        assert!(ended.is_err(), "no end");
    }
}
