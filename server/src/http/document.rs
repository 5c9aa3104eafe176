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
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Refusal;
use crate::context::Server;

/// Longest time for a whole body: the largest one at a quarter of a megabyte per second.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// Memory that bodies which are still arriving may take together, in KiB: a dozen of the largest.
/// More have to wait, so a fleet that reports at once costs time and not memory.
const BODY_MEMORY_KIB: usize = 96 * 1024;

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

/// The memory that arriving bodies share.
#[derive(Debug)]
pub struct BodyMemory(Semaphore);

impl Default for BodyMemory {
    fn default() -> Self {
        Self(Semaphore::new(BODY_MEMORY_KIB))
    }
}

impl BodyMemory {
    async fn reserve(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        let kib = u32::try_from(bytes.div_ceil(KIB)).ok()?;
        self.0.acquire_many(kib).await.ok()
    }
}

/// A body that was read and understood.
#[derive(Debug)]
pub struct Document<T>(pub T);

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
        let read = async {
            // At most LIMIT, so it fits.
            let expected = announced.map_or(T::LIMIT, |length| length as usize);
            let _reserved = server.body_memory.reserve(expected).await;
            let bytes = collect(request.into_body(), expected, T::LIMIT).await?;
            parse(&bytes).map(Self)
        };
        tokio::time::timeout(BODY_DEADLINE, read)
            .await
            .unwrap_or_else(|_| {
                Err(Refusal::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "body_too_slow",
                    format!(
                        "the body did not arrive within {} s",
                        BODY_DEADLINE.as_secs()
                    ),
                ))
            })
    }
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
    serde_json::from_slice(bytes).map_err(|error| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "body_malformed",
            "the body is not the document that is expected here",
        )
        .because(&error)
    })
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        format!("the body has more than the {limit} bytes that are accepted here"),
    )
}
