//! A blob as it arrives: piece by piece, from any offset, never whole in memory.

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use holdfast_schemas::Digest;
use holdfast_schemas::routes::agent as routes;
use http::header::{ACCEPT_ENCODING, CONTENT_RANGE, RANGE};
use http::{HeaderValue, Method, StatusCode};
use reqwest::Response;

use crate::connection::Connection;
use crate::error::ClientError;
use crate::limits::{BLOB_STALL, MAX_BLOB};

const DOING: &str = "fetching a blob";

/// A blob on its way.
#[derive(Debug)]
pub struct Blob {
    connection: Connection,
    response: Response,
    /// Bytes of the blob that the server sends again although they were not asked for.
    skip: u64,
    /// Bytes that may still come.
    left: u64,
}

/// Asks for a blob from an offset on.
pub(crate) async fn fetch(
    connection: &Connection,
    digest: &Digest,
    offset: u64,
) -> Result<Blob, ClientError> {
    let path = routes::BLOB.replace("{digest}", &digest.to_string());
    // A compressed answer would have other offsets.
    let mut call = connection
        .call(DOING, Method::GET, &path)
        .deadline(BLOB_STALL)
        .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if offset > 0 {
        let range = HeaderValue::from_str(&format!("bytes={offset}-"))
            .map_err(|error| connection.malformed(DOING, error))?;
        call = call.header(RANGE, range);
    }
    let response = call.begin().await?;
    let begins = match response.status() {
        StatusCode::PARTIAL_CONTENT => first_byte(&response)
            .filter(|&first| first <= offset)
            .ok_or_else(|| connection.malformed(DOING, "it is another range than asked for"))?,
        _ => 0,
    };
    let left = MAX_BLOB.saturating_sub(begins);
    if response.content_length().is_some_and(|size| size > left) {
        return Err(connection.too_large(DOING, MAX_BLOB));
    }
    Ok(Blob {
        connection: connection.clone(),
        response,
        skip: offset - begins,
        left,
    })
}

impl Blob {
    /// The next piece, in order and without a gap; `None` after the last. An error that is
    /// transient is resumed with a new fetch from the offset reached.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            let Some(mut piece) = self.receive().await? else {
                return Ok(None);
            };
            let size = piece.len() as u64;
            self.left = self
                .left
                .checked_sub(size)
                .ok_or_else(|| self.connection.too_large(DOING, MAX_BLOB))?;
            let skipped = self.skip.min(size);
            self.skip -= skipped;
            // Fits: it is at most the length of the piece.
            let piece = piece.split_off(skipped as usize);
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
    }

    /// The pieces as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, ClientError>> + Send {
        stream::try_unfold(self, |mut blob| async move {
            let piece = blob.chunk().await?;
            Ok(piece.map(|piece| (piece, blob)))
        })
    }

    async fn receive(&mut self) -> Result<Option<Bytes>, ClientError> {
        tokio::time::timeout(BLOB_STALL, self.response.chunk())
            .await
            .map_err(|_| self.connection.timed_out(DOING, BLOB_STALL))?
            .map_err(|error| self.connection.transport(DOING, error))
    }
}

/// The first byte of `Content-Range: bytes FIRST-LAST/SIZE` (RFC 9110, 14.4).
fn first_byte(response: &Response) -> Option<u64> {
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (first, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    first.parse().ok()
}
