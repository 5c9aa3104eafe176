//! How the client takes what comes back: refusals, limits, garbage, broken and resumed blobs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use holdfast_client::{AgentClient, ClientError, OperatorClient, PageRequest, limits};
use holdfast_schemas::enrol::Identity;
use holdfast_schemas::operator_api::Credential;
use holdfast_schemas::{Digest, Problem};
use support::{Ca, Server, Until, answer};

/// A server with these answers, and an agent that it knows.
async fn world(answers: Vec<Vec<u8>>) -> (Server, AgentClient) {
    let ca = Ca::new();
    let (leaf, key) = ca.issue("127.0.0.1", Until::FarAway);
    let server = Server::start(vec![leaf, ca.der()], &key, Some(&ca), answers).await;
    let host_key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["db-1".to_owned()]).unwrap();
    let identity = Identity {
        name: "db-1".parse().unwrap(),
        certificate: params.signed_by(&host_key, &ca.0).unwrap().pem(),
        ca: ca.0.pem(),
        catalog_keys: Vec::new(),
        expires: "2030-01-01T00:00:00Z".parse().unwrap(),
    };
    let agent = AgentClient::new(&server.url(), &identity, &host_key.serialize_pem()).unwrap();
    (server, agent)
}

async fn all(agent: &AgentClient, offset: u64) -> Result<Vec<u8>, ClientError> {
    let mut blob = agent.blob(&Digest::of("it"), offset).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = blob.chunk().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

#[tokio::test]
async fn a_refusal_is_the_servers_problem() {
    let problem =
        Problem::new(403, "another_host", "this catalog is not db-1's").hint("ask for yours");
    let body = serde_json::to_vec(&problem).unwrap();
    let kind = "content-type: application/problem+json\r\n";
    let (_server, agent) = world(vec![answer("403 Forbidden", kind, body)]).await;
    let error = agent.news(None).await.unwrap_err();
    assert_eq!(error.problem(), Some(&problem));
    assert!(!error.is_transient());
}

#[tokio::test]
async fn a_server_that_is_busy_is_worth_another_try() {
    let (_server, agent) = world(vec![answer("503 Service Unavailable", "", "<html>")]).await;
    let error = agent.news(None).await.unwrap_err();
    assert_eq!(error.problem().unwrap().status, 503);
    assert!(error.is_transient());
}

#[tokio::test]
async fn an_answer_that_is_no_document_is_malformed() {
    let (_server, agent) = world(vec![answer("200 OK", "", "<html>")]).await;
    let error = agent.news(None).await.unwrap_err();
    assert!(matches!(error, ClientError::Malformed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = "location: https://127.0.0.1:1/\r\n";
    let (server, agent) = world(vec![answer("302 Found", elsewhere, "")]).await;
    let error = agent.news(None).await.unwrap_err();
    assert_eq!(error.problem().unwrap().status, 302);
    assert_eq!(server.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let endless = [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".as_slice(),
        &vec![b' '; limits::MAX_AGENT_ANSWER + 1],
    ]
    .concat();
    let (_server, agent) = world(vec![endless]).await;
    let error = agent.news(None).await.unwrap_err();
    assert!(matches!(error, ClientError::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn a_blob_larger_than_any_is_refused_before_it_comes() {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
        limits::MAX_BLOB + 1
    );
    let (_server, agent) = world(vec![head.into_bytes()]).await;
    let error = agent.blob(&Digest::of("it"), 0).await.unwrap_err();
    assert!(matches!(error, ClientError::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn a_blob_that_broke_off_is_resumed_where_it_did() {
    let broken = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234".to_vec();
    let range = "content-range: bytes 5-9/10\r\n";
    let rest = answer("206 Partial Content", range, "56789");
    let (server, agent) = world(vec![broken, rest]).await;
    let error = all(&agent, 0).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(all(&agent, 5).await.unwrap(), b"56789");
    assert!(server.requests.lock().unwrap()[1].contains("range: bytes=5-\r\n"));
}

#[tokio::test]
async fn a_server_that_knows_no_ranges_sends_all_and_the_client_skips() {
    let (_server, agent) = world(vec![answer("200 OK", "", "0123456789")]).await;
    assert_eq!(all(&agent, 5).await.unwrap(), b"56789");
}

#[tokio::test]
async fn a_range_that_was_not_asked_for_is_malformed() {
    let range = "content-range: bytes 7-9/10\r\n";
    let (_server, agent) = world(vec![answer("206 Partial Content", range, "789")]).await;
    let error = all(&agent, 5).await.unwrap_err();
    assert!(matches!(error, ClientError::Malformed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_away_is_worth_another_try() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("https://{}", listener.local_addr().unwrap());
    drop(listener);
    let credential = Credential {
        server,
        token: "a-bearer-token".to_owned(),
        ca: Ca::new().0.pem(),
    };
    let client = OperatorClient::new(&credential).unwrap();
    let error = client.hosts(PageRequest::default()).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
}
