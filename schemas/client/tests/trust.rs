//! Whom the client believes: at enrolment by fingerprint, afterwards by the CA it was given.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::error::Error as _;

use holdfast_client::{AgentClient, ClientError, OperatorClient, enrol};
use holdfast_schemas::Digest;
use holdfast_schemas::enrol::{EnrolRequest, EnrolToken, Identity};
use holdfast_schemas::operator_api::Credential;
use holdfast_schemas::secret::SealingKey;
use support::{Ca, Server, Until, answer};

const LOOPBACK: &str = "127.0.0.1";

fn token(ca: &Ca) -> EnrolToken {
    EnrolToken {
        secret: "0123456789abcdef0123456789abcdef".to_owned(),
        ca: Digest::of(ca.der()),
    }
}

fn request() -> EnrolRequest {
    EnrolRequest {
        secret: token(&Ca::new()).secret,
        name: "mongo-1.js".parse().unwrap(),
        csr: "a signing request".to_owned(),
        sealing_key: SealingKey([7; 32]),
    }
}

fn identity(name: &str, ca_pem: &str, certificate: &str) -> Identity {
    Identity {
        name: name.parse().unwrap(),
        certificate: certificate.to_owned(),
        ca: ca_pem.to_owned(),
        catalog_keys: Vec::new(),
        expires: "2030-01-01T00:00:00Z".parse().unwrap(),
    }
}

fn identity_answer(name: &str) -> Vec<Vec<u8>> {
    let body = serde_json::to_vec(&identity(name, "ca", "certificate")).unwrap();
    vec![answer("200 OK", "", body)]
}

/// Asserts that nothing was sent and that trying again is no use.
fn assert_distrusted(result: Result<Identity, ClientError>, server: &Server) {
    let error = result.expect_err("a server that is not to be trusted was trusted");
    assert!(matches!(error, ClientError::Transport { .. }), "{error:?}");
    assert!(!error.is_transient(), "{error:?}");
    assert_eq!(server.requests.lock().unwrap().as_slice(), [""; 0]);
}

#[tokio::test]
async fn the_server_that_the_token_names_is_believed() {
    let ca = Ca::new();
    let (leaf, key) = ca.issue(LOOPBACK, Until::FarAway);
    let answers = identity_answer("mongo-1.js");
    let server = Server::start(vec![leaf, ca.der()], &key, None, answers).await;
    let identity = enrol(&server.url(), &token(&ca), request()).await.unwrap();
    assert_eq!(identity.name.as_str(), "mongo-1.js");
    assert!(server.requests.lock().unwrap()[0].starts_with("POST /v1/enrol "));
}

#[tokio::test]
async fn another_fingerprint_is_refused() {
    let (ca, other) = (Ca::new(), Ca::new());
    let (leaf, key) = ca.issue(LOOPBACK, Until::FarAway);
    let server = Server::start(vec![leaf, ca.der()], &key, None, Vec::new()).await;
    let result = enrol(&server.url(), &token(&other), request()).await;
    let said = result.as_ref().unwrap_err().source().unwrap().to_string();
    assert!(said.contains("the CA that the token names"), "{said}");
    assert_distrusted(result, &server);
}

#[tokio::test]
async fn a_foreign_server_that_shows_the_right_ca_is_refused() {
    let (ca, other) = (Ca::new(), Ca::new());
    let (leaf, key) = other.issue(LOOPBACK, Until::FarAway);
    let chain = vec![leaf, other.der(), ca.der()];
    let server = Server::start(chain, &key, None, Vec::new()).await;
    let result = enrol(&server.url(), &token(&ca), request()).await;
    assert_distrusted(result, &server);
}

#[tokio::test]
async fn a_server_of_the_right_ca_and_the_wrong_name_is_refused() {
    let ca = Ca::new();
    let (leaf, key) = ca.issue("elsewhere.example", Until::FarAway);
    let server = Server::start(vec![leaf, ca.der()], &key, None, Vec::new()).await;
    let result = enrol(&server.url(), &token(&ca), request()).await;
    assert_distrusted(result, &server);
}

#[tokio::test]
async fn an_expired_server_is_refused() {
    let ca = Ca::new();
    let (leaf, key) = ca.issue(LOOPBACK, Until::LongAgo);
    let server = Server::start(vec![leaf, ca.der()], &key, None, Vec::new()).await;
    let result = enrol(&server.url(), &token(&ca), request()).await;
    assert_distrusted(result, &server);
}

#[tokio::test]
async fn a_fingerprint_of_a_certificate_that_is_no_ca_is_refused() {
    let ca = Ca::new();
    let (leaf, key) = ca.issue(LOOPBACK, Until::FarAway);
    let mut token = token(&ca);
    token.ca = Digest::of(&leaf);
    let server = Server::start(vec![leaf.clone(), leaf], &key, None, Vec::new()).await;
    let result = enrol(&server.url(), &token, request()).await;
    assert_distrusted(result, &server);
}

#[tokio::test]
async fn an_identity_for_another_host_is_refused() {
    let ca = Ca::new();
    let (leaf, key) = ca.issue(LOOPBACK, Until::FarAway);
    let answers = identity_answer("mongo-2.js");
    let server = Server::start(vec![leaf, ca.der()], &key, None, answers).await;
    let error = enrol(&server.url(), &token(&ca), request())
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Malformed { .. }), "{error:?}");
}

#[tokio::test]
async fn an_agent_shows_its_certificate_and_believes_its_ca_alone() {
    let (ca, other) = (Ca::new(), Ca::new());
    let (leaf, key) = ca.issue(LOOPBACK, Until::FarAway);
    let news = vec![answer("200 OK", "", "{}")];
    let server = Server::start(vec![leaf, ca.der()], &key, Some(&ca), news).await;

    let host_key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["mongo-1.js".to_owned()]).unwrap();
    let certificate = params.signed_by(&host_key, &ca.0).unwrap().pem();
    let believes = |ca: &Ca| {
        let identity = identity("mongo-1.js", &ca.0.pem(), &certificate);
        AgentClient::new(&server.url(), &identity, &host_key.serialize_pem()).unwrap()
    };
    assert_eq!(believes(&ca).news(None).await.unwrap().body, None);
    let error = believes(&other).news(None).await.unwrap_err();
    assert!(!error.is_transient(), "{error:?}");
    assert_eq!(server.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_operator_sends_its_token_to_its_own_server_only() {
    let (ca, other) = (Ca::new(), Ca::new());
    let (leaf, key) = ca.issue(LOOPBACK, Until::FarAway);
    let status = vec![answer("200 OK", "", r#"{"version":"0.1.0","hosts":3}"#)];
    let server = Server::start(vec![leaf, ca.der()], &key, None, status).await;
    let client = |ca: &Ca| {
        let credential = Credential {
            server: server.url(),
            token: "a-bearer-token".to_owned(),
            ca: ca.0.pem(),
        };
        OperatorClient::new(&credential).unwrap()
    };
    let error = client(&other).status().await.unwrap_err();
    assert!(!error.is_transient(), "{error:?}");
    assert_eq!(client(&ca).status().await.unwrap().hosts, 3);
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].contains("authorization: Bearer a-bearer-token\r\n"));
}
