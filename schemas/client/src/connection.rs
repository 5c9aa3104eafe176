//! One kept-alive connection to one server, and calls over it that have a deadline and a limit.

use std::error::Error;
use std::time::Duration;

use holdfast_schemas::Problem;
use holdfast_schemas::problem::PROBLEM_MEDIA_TYPE;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use reqwest::{Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ClientError, SetupError, own_judgement, transport_may_pass};
use crate::limits::{
    ANSWER_DEADLINE, CONNECT_DEADLINE, CONNECTION_WINDOW, IDLE_CONNECTION, STREAM_WINDOW,
    UNACKNOWLEDGED,
};

/// Largest refusal that is read, in bytes; of a larger one only the status counts.
const MAX_PROBLEM: usize = 256 * 1024;

/// What this program calls itself to the server.
const USER_AGENT: &str = concat!("holdfast/", env!("CARGO_PKG_VERSION"));

/// A server, and how it is spoken to.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    http: reqwest::Client,
    server: Url,
    max_answer: usize,
}

impl Connection {
    /// Sets everything up; connects at the first call.
    pub(crate) fn new(
        server: &str,
        tls: rustls::ClientConfig,
        headers: HeaderMap,
        max_answer: usize,
    ) -> Result<Self, SetupError> {
        let server = address(server)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            // The address is the operator's word; no environment variable leads elsewhere.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(USER_AGENT)
            .default_headers(headers)
            .connect_timeout(CONNECT_DEADLINE)
            .tcp_user_timeout(UNACKNOWLEDGED)
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_max_idle_per_host(1)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .build()
            .map_err(SetupError::Http)?;
        Ok(Self {
            http,
            server,
            max_answer,
        })
    }

    /// Begins a call; `doing` says what for, as in `checking in`.
    pub(crate) fn call(&self, doing: &'static str, method: Method, path: &str) -> Call<'_> {
        let mut url = self.server.clone();
        url.set_path(path);
        Call {
            connection: self,
            doing,
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            deadline: ANSWER_DEADLINE,
        }
    }

    /// The server's address, for messages.
    pub(crate) fn server(&self) -> String {
        self.server.as_str().trim_end_matches('/').to_owned()
    }

    pub(crate) fn transport(&self, doing: &'static str, error: reqwest::Error) -> ClientError {
        // The message has the address already, and a query may hold what is nobody's business.
        let error = error.without_url();
        let transient = transport_may_pass(&error);
        let source: Box<dyn Error + Send + Sync> = match own_judgement(&error) {
            Some(judgement) => Box::new(judgement),
            None => Box::new(error),
        };
        ClientError::Transport {
            doing,
            server: self.server(),
            transient,
            source,
        }
    }

    pub(crate) fn timed_out(&self, doing: &'static str, after: Duration) -> ClientError {
        ClientError::Transport {
            doing,
            server: self.server(),
            transient: true,
            source: format!("nothing came for {} s", after.as_secs()).into(),
        }
    }

    pub(crate) fn malformed(
        &self,
        doing: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> ClientError {
        ClientError::Malformed {
            doing,
            server: self.server(),
            source: source.into(),
        }
    }

    pub(crate) fn too_large(&self, doing: &'static str, limit: u64) -> ClientError {
        ClientError::TooLarge {
            doing,
            server: self.server(),
            limit,
        }
    }

    /// Reads a body whole, up to a limit.
    async fn read(
        &self,
        doing: &'static str,
        mut response: Response,
        limit: usize,
    ) -> Result<Vec<u8>, ClientError> {
        let mut body = Vec::new();
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| self.transport(doing, error))?
        {
            if piece.len() > limit - body.len() {
                return Err(self.too_large(doing, limit as u64));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// The refusal that a response is.
    async fn refusal(&self, doing: &'static str, response: Response) -> ClientError {
        let status = response.status();
        let is_problem = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(PROBLEM_MEDIA_TYPE.as_bytes()));
        let parsed = match is_problem {
            true => self
                .read(doing, response, MAX_PROBLEM)
                .await
                .ok()
                .and_then(|body| serde_json::from_slice::<Problem>(&body).ok()),
            false => None,
        };
        let mut problem = parsed.unwrap_or_else(|| {
            let message = format!("{} answered {status} and no reason", self.server());
            Problem::new(status.as_u16(), "unexplained", message)
        });
        problem.status = status.as_u16();
        ClientError::Refused { doing, problem }
    }
}

/// One request on its way.
pub(crate) struct Call<'c> {
    connection: &'c Connection,
    doing: &'static str,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    deadline: Duration,
}

impl Call<'_> {
    /// Adds a query parameter where there is a value.
    pub(crate) fn query(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.url.query_pairs_mut().append_pair(name, value);
        }
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Gives the call a JSON body.
    pub(crate) fn json<T: Serialize>(mut self, document: &T) -> Result<Self, ClientError> {
        let body = serde_json::to_vec(document)
            .map_err(|error| self.connection.malformed(self.doing, error))?;
        let json = HeaderValue::from_static("application/json");
        self.headers.insert(CONTENT_TYPE, json);
        self.body = Some(body);
        Ok(self)
    }

    /// Sends it and reads the answer as a document.
    pub(crate) async fn answer<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let (connection, doing) = (self.connection, self.doing);
        let body = self.finish().await?;
        serde_json::from_slice(&body).map_err(|error| connection.malformed(doing, error))
    }

    /// Sends it; the answer has nothing to say beyond yes.
    pub(crate) async fn accepted(self) -> Result<(), ClientError> {
        self.finish().await.map(drop)
    }

    /// Sends it and returns as soon as the answer begins; reading on is the caller's.
    pub(crate) async fn begin(self) -> Result<Response, ClientError> {
        let (connection, doing, deadline) = (self.connection, self.doing, self.deadline);
        tokio::time::timeout(deadline, self.send())
            .await
            .unwrap_or_else(|_| Err(connection.timed_out(doing, deadline)))
    }

    async fn finish(self) -> Result<Vec<u8>, ClientError> {
        let (connection, doing, deadline) = (self.connection, self.doing, self.deadline);
        let whole = async {
            let response = self.send().await?;
            connection
                .read(doing, response, connection.max_answer)
                .await
        };
        tokio::time::timeout(deadline, whole)
            .await
            .unwrap_or_else(|_| Err(connection.timed_out(doing, deadline)))
    }

    async fn send(self) -> Result<Response, ClientError> {
        let mut request = self
            .connection
            .http
            .request(self.method, self.url)
            .header(ACCEPT, "application/json")
            .headers(self.headers);
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.connection.transport(self.doing, error))?;
        match response.status() {
            StatusCode::OK
            | StatusCode::CREATED
            | StatusCode::ACCEPTED
            | StatusCode::NO_CONTENT
            | StatusCode::PARTIAL_CONTENT => Ok(response),
            _ => Err(self.connection.refusal(self.doing, response).await),
        }
    }
}

/// The address of a server: `https://HOST[:PORT]` and nothing behind it.
fn address(text: &str) -> Result<Url, SetupError> {
    let refused = |source| SetupError::Address {
        url: text.to_owned(),
        source,
    };
    let url = Url::parse(text.trim()).map_err(|error| refused(Some(error.into())))?;
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match url.scheme() == "https" && url.has_host() && bare {
        true => Ok(url),
        false => Err(refused(None)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::address;

    #[test]
    fn a_server_is_https_and_a_host() {
        for good in [
            "https://deploy.example:8443",
            "https://127.0.0.1:1",
            "https://[::1]:7/",
        ] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "deploy.example",
            "deploy.example:8443",
            "http://deploy.example",
            "https://deploy.example/behind",
            "https://deploy.example/?a=b",
            "https://me:secret@deploy.example/",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
