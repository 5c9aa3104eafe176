//! Bodies from outside: of bounded size, in bounded time, from a bounded memory, and of one form.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use holdfast_schemas::agent_api::CheckIn;
use holdfast_schemas::enrol::{EnrolRequest, RenewRequest};
use holdfast_schemas::inventory::{Inventory, MAX_INVENTORY};
use holdfast_schemas::operator_api::NewToken;
use holdfast_schemas::report::{MAX_REPORT, Report};
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::shares::{Shares, Whose};
use super::{Connection, Refusal, shape};
use crate::context::Server;

/// Longest time for a body, whatever its size …
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// … and this much longer for each of so many bytes: a slow line, but one that moves.
const BODY_PACE: usize = 256 * KIB;

/// Longest wait for memory while others' bodies have it.
const MEMORY_DEADLINE: Duration = Duration::from_secs(30);

/// Memory that bodies which arrive or are being handled may take together, in KiB: a dozen of the
/// largest. More have to wait, so a fleet that reports at once costs time and not memory.
const BODY_MEMORY_KIB: usize = 96 * 1024;

/// What one host may have of it, in KiB: two of the largest. One that sends slowly on purpose
/// keeps others waiting by no more than that.
const SHARE_KIB: usize = 16 * 1024;

/// Bodies up to this size are not counted against their sender: the hot path has only such.
const SMALL: usize = 32 * KIB;

const KIB: usize = 1024;

/// A document that the server takes, with the most bytes it may have.
pub trait Bounded: DeserializeOwned + Send {
    /// Most bytes.
    const LIMIT: usize;
}

impl Bounded for CheckIn {
    /// Some dozens of features and three digests.
    const LIMIT: usize = 32 * KIB;
}

impl Bounded for EnrolRequest {
    /// A name and a signing request.
    const LIMIT: usize = 32 * KIB;
}

impl Bounded for RenewRequest {
    /// A signing request.
    const LIMIT: usize = 32 * KIB;
}

impl Bounded for Inventory {
    const LIMIT: usize = MAX_INVENTORY;
}

impl Bounded for Report {
    const LIMIT: usize = MAX_REPORT;
}

impl Bounded for NewToken {
    /// A number and a name.
    const LIMIT: usize = 4 * KIB;
}

/// The memory that bodies share.
#[derive(Debug)]
pub struct BodyMemory {
    all: Arc<Semaphore>,
    each: Shares<Whose>,
}

impl Default for BodyMemory {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(BODY_MEMORY_KIB)),
            each: Shares::new(SHARE_KIB),
        }
    }
}

/// Memory that a body has until this is dropped.
#[derive(Debug)]
pub struct Reserved {
    bytes: usize,
    _all: OwnedSemaphorePermit,
    _own: Option<OwnedSemaphorePermit>,
}

impl Reserved {
    /// How much.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl BodyMemory {
    /// Waits for memory: first for its share, so that who has had that keeps nobody else waiting.
    async fn reserve(&self, whose: Option<Whose>, bytes: usize) -> Option<Reserved> {
        let kib = u32::try_from(bytes.div_ceil(KIB)).ok()?;
        let own = match whose.filter(|_| bytes > SMALL) {
            Some(whose) => Some(self.each.of(whose).acquire_many_owned(kib).await.ok()?),
            None => None,
        };
        Some(Reserved {
            bytes,
            _all: self.all.clone().acquire_many_owned(kib).await.ok()?,
            _own: own,
        })
    }
}

/// A body that was read and understood, with the memory it has while it is handled.
#[derive(Debug)]
pub struct Document<T>(pub T, pub Reserved);

impl<T: Bounded> FromRequest<Arc<Server>> for Document<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, server: &Arc<Server>) -> Result<Self, Refusal> {
        let announced = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > T::LIMIT as u64) {
            return Err(too_large(T::LIMIT));
        }
        // At most LIMIT, so it fits.
        let expected = announced.map_or(T::LIMIT, |length| length as usize);
        let connection = request.extensions().get::<Arc<Connection>>();
        let whose = connection.map(|connection| connection.whose());
        let reserve = server.body_memory.reserve(whose, expected);
        let reserved = tokio::time::timeout(MEMORY_DEADLINE, reserve).await;
        let Ok(Some(reserved)) = reserved else {
            return Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "server_busy",
                "the server has its hands full with what others send",
            ));
        };
        let deadline = BODY_DEADLINE + Duration::from_secs((expected / BODY_PACE) as u64);
        let whole = collect(request.into_body(), expected, T::LIMIT);
        let bytes = tokio::time::timeout(deadline, whole)
            .await
            .unwrap_or_else(|_| Err(too_slow(deadline)))?;
        Ok(Self(parse(&bytes)?, reserved))
    }
}

fn too_slow(deadline: Duration) -> Refusal {
    Refusal::new(
        StatusCode::REQUEST_TIMEOUT,
        "body_too_slow",
        format!("the body did not arrive within {} s", deadline.as_secs()),
    )
}

async fn collect(body: Body, expected: usize, limit: usize) -> Result<Bytes, Refusal> {
    let mut pieces = body.into_data_stream();
    let mut whole = BytesMut::with_capacity(expected.min(64 * KIB));
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "body_interrupted",
                "the body did not arrive whole",
            )
            .because(&error)
        })?;
        if whole.len() + piece.len() > limit {
            return Err(too_large(limit));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

fn parse<T: Bounded>(bytes: &[u8]) -> Result<T, Refusal> {
    let malformed = |error: &dyn std::error::Error| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "body_malformed",
            "the body is not the document that is expected here",
        )
        .because(error)
    };
    shape::check(bytes).map_err(|error| malformed(&error))?;
    serde_json::from_slice(bytes).map_err(|error| malformed(&error))
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        format!("the body has more than the {limit} bytes that are accepted here"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn host(name: &str) -> Option<Whose> {
        Some(Whose::Host(name.parse().unwrap()))
    }

    #[tokio::test]
    async fn one_host_cannot_take_the_memory_of_all() {
        let memory = BodyMemory::default();
        let mut held = Vec::new();
        for _ in 0..2 {
            held.push(memory.reserve(host("greedy"), MAX_REPORT).await.unwrap());
        }
        let third = memory.reserve(host("greedy"), MAX_REPORT);
        assert!(
            tokio::time::timeout(Duration::from_millis(20), third)
                .await
                .is_err(),
            "it has had its share"
        );
        for n in 0..10 {
            let other = host(&format!("honest-{n}"));
            held.push(memory.reserve(other, MAX_REPORT).await.unwrap());
        }
        let more = memory.reserve(host("late"), MAX_REPORT);
        assert!(
            tokio::time::timeout(Duration::from_millis(20), more)
                .await
                .is_err(),
            "there is a bound for all together"
        );
        held.clear();
        memory.reserve(host("late"), MAX_REPORT).await.unwrap();
    }
}
