//! Every way the server says no: a problem document, whatever went wrong.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use holdfast_schemas::Problem;
use holdfast_schemas::problem::PROBLEM_MEDIA_TYPE;
use holdfast_store::{Kind, StoreError};

/// Seconds after which a client may try again what failed for a passing reason.
const RETRY_AFTER_S: u32 = 10;

/// A request that is refused or failed.
#[derive(Debug)]
pub struct Refusal(Box<Problem>);

impl Refusal {
    /// A refusal of a request that the client can put right.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Problem::new(
            status.as_u16(),
            code,
            message.into(),
        )))
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same with the causes of an error.
    #[must_use]
    pub fn because(self, error: &dyn std::error::Error) -> Self {
        Self(Box::new(self.0.because(error)))
    }

    /// A failure of ours that the client can do nothing about. Logged here: nobody else sees it.
    pub fn failed(doing: &'static str, error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %chain(error), "cannot {doing}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_failed",
            format!("the server failed to {doing}; its log says why"),
        )
    }
}

/// An error with its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match (&error, error.kind()) {
            (StoreError::UnknownHost(_), _) => {
                Self::new(StatusCode::NOT_FOUND, "host_unknown", error.to_string())
            }
            (StoreError::DiskFull { .. }, _) => {
                tracing::error!(error = %chain(&error), "the disk is full");
                Self::new(
                    StatusCode::INSUFFICIENT_STORAGE,
                    "disk_full",
                    "the server's disk is full and nothing was stored",
                )
                .hint("free some space on the server; what was not accepted is sent again")
            }
            // What was under way when a write failed is on disk or is not: nobody knows yet.
            (StoreError::Closed { .. }, _) => {
                tracing::error!(error = %chain(&error), "the store is closed");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "store_closed",
                    "the server's store is closed since its disk was full; what was sent is \
                     stored whole or not at all, and may be sent again",
                )
                .hint("free some space on the server; its store opens again by itself")
            }
            (StoreError::Stopped { .. }, _) => {
                tracing::error!(error = %chain(&error), "the store takes no writes");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "store_stopped",
                    "the server's store takes no writes since its disk failed; what was sent is \
                     stored whole or not at all, and may be sent again",
                )
                .hint("look after the server's disk, then restart it")
            }
            (_, Kind::Transient) => {
                tracing::error!(error = %chain(&error), "the store does not answer");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "store_unavailable",
                    "the server cannot reach its store now; nothing was stored",
                )
            }
            (_, Kind::Corrupt) => Self::failed("read its store", &error),
            (_, Kind::Conflict) => {
                Self::new(StatusCode::CONFLICT, "refused_by_store", error.to_string())
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Strings and numbers: it always serialises.
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(PROBLEM_MEDIA_TYPE),
        );
        let passing = matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::INSUFFICIENT_STORAGE
        );
        if passing {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_said_and_worth_another_try() {
        let full = StoreError::DiskFull {
            path: "/data".into(),
            free: 1,
            needed: 2,
        };
        let response = Refusal::from(full).into_response();
        assert_eq!(response.status(), StatusCode::INSUFFICIENT_STORAGE);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
        let stopped = StoreError::Stopped {
            reason: "I/O".to_owned(),
        };
        let response = Refusal::from(stopped).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM_MEDIA_TYPE);
    }

    #[test]
    fn a_store_that_closed_in_the_middle_promises_nothing_about_what_was_sent() {
        let reason = || "I/O".to_owned();
        for (error, code, remedy) in [
            (
                StoreError::Closed { reason: reason() },
                "store_closed",
                "by itself",
            ),
            (
                StoreError::Stopped { reason: reason() },
                "store_stopped",
                "restart",
            ),
        ] {
            let Refusal(problem) = Refusal::from(error);
            assert_eq!((problem.status, &*problem.code), (503, code));
            assert!(!problem.message.contains("nothing was stored"));
            assert!(problem.hint.unwrap_or_default().contains(remedy));
        }
    }
}
