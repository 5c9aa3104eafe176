//! Content by digest, streamed: a host may fetch the bodies of its own catalogs and what they
//! name, and learns nothing about anything else.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use holdfast_schemas::Digest;
use holdfast_store::Blob;

use crate::context::Server;
use crate::http::range::{Range, range};
use crate::http::{HostIdentity, Refusal};

/// Bytes read at a time. Two are in memory for each download, whatever the blob's size.
const PIECE: u64 = 64 * 1024;

/// `GET /v1/agent/blobs/{digest}`; HEAD too.
pub(in crate::http) async fn blob(
    State(server): State<Arc<Server>>,
    identity: HostIdentity,
    digest: Result<Path<Digest>, PathRejection>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Path(digest) = digest.map_err(|error| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "digest_malformed",
            "a blob is named by the 64 hexadecimal digits of its BLAKE3 digest",
        )
        .because(&error)
    })?;
    let found = tokio::task::spawn_blocking(move || find(&server, &identity, &digest))
        .await
        .map_err(|error| Refusal::failed("read a blob", &error))??;
    answer(found, &digest, &method, headers.get(header::RANGE)).await
}

fn find(server: &Server, identity: &HostIdentity, digest: &Digest) -> Result<Blob, Refusal> {
    if !server
        .granted
        .may_fetch(&server.blobs, identity.host(), digest)?
    {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "blob_not_granted",
            format!("no catalog of {} names {digest}", identity.name()),
        ));
    }
    server.blobs.get(digest)?.ok_or_else(|| {
        tracing::error!(blob.digest = %digest, "a blob that a catalog names is not in the store");
        Refusal::new(
            StatusCode::NOT_FOUND,
            "blob_missing",
            format!("the server lost {digest}"),
        )
        .hint("commit to the catalog repo, or restart the server, to have it read again")
    })
}

async fn answer(
    blob: Blob,
    digest: &Digest,
    method: &Method,
    asked: Option<&HeaderValue>,
) -> Result<Response, Refusal> {
    let asked = asked.filter(|_| *method == Method::GET);
    let (status, first, length) = match range(asked, blob.size) {
        Range::Whole => (StatusCode::OK, 0, blob.size),
        Range::Part { first, length } => (StatusCode::PARTIAL_CONTENT, first, length),
        Range::Unsatisfiable => {
            let refused = Refusal::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                format!(
                    "the blob has {} bytes, and the range lies outside",
                    blob.size
                ),
            );
            let size = HeaderValue::try_from(format!("bytes */{}", blob.size));
            let mut response = refused.into_response();
            response
                .headers_mut()
                .extend(size.ok().map(|size| (header::CONTENT_RANGE, size)));
            return Ok(response);
        }
    };
    let body = match *method {
        Method::HEAD => Body::empty(),
        _ => pieces(blob.file, first, length),
    };
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CONTENT_LENGTH, length)
        .header(header::ETAG, format!("\"{digest}\""))
        .header(header::CACHE_CONTROL, "private, immutable");
    if status == StatusCode::PARTIAL_CONTENT {
        let last = first + length - 1;
        response = response.header(
            header::CONTENT_RANGE,
            format!("bytes {first}-{last}/{}", blob.size),
        );
    }
    response
        .body(body)
        .map_err(|error| Refusal::failed("answer with a blob", &error))
}

/// The file's bytes, a piece at a time, read where blocking hurts nobody.
fn pieces(file: File, first: u64, length: u64) -> Body {
    Body::from_stream(stream::try_unfold(
        (file, first, length),
        |(file, at, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            let read = tokio::task::spawn_blocking(move || read_piece(file, at, left));
            let (file, piece) = read.await.map_err(std::io::Error::other)??;
            let size = piece.len() as u64;
            Ok::<_, std::io::Error>(Some((piece, (file, at + size, left - size))))
        },
    ))
}

fn read_piece(mut file: File, at: u64, left: u64) -> std::io::Result<(File, Bytes)> {
    file.seek(SeekFrom::Start(at))?;
    // At most PIECE, so it fits.
    let mut piece = vec![0; left.min(PIECE) as usize];
    file.read_exact(&mut piece)?;
    Ok((file, piece.into()))
}
