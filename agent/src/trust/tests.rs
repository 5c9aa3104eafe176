#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ed25519_dalek::{Signer, SigningKey};
use holdfast_schemas::catalog::{Bytes, CATALOG_FORMAT, Enforcement};

use super::*;

struct Authority {
    secret: SigningKey,
    keys: Vec<CatalogKey>,
    host: HostName,
}

impl Authority {
    fn new() -> Self {
        let secret = SigningKey::from_bytes(&[7; 32]);
        let keys = vec![CatalogKey {
            id: "k1".to_owned(),
            public: Bytes(secret.verifying_key().to_bytes().to_vec()),
        }];
        let host = "web-1".parse().unwrap();
        Self { secret, keys, host }
    }

    fn trust(&self, accepted: Option<Accepted>) -> Trust<'_> {
        Trust {
            host: &self.host,
            keys: &self.keys,
            accepted,
        }
    }

    fn envelope(&self, body: &[u8]) -> Envelope {
        Envelope {
            host: self.host.clone(),
            generation: 5,
            body: Digest::of(body),
            size: body.len() as u64,
            features: vec!["type:file".to_owned()],
            sealed: std::collections::BTreeMap::new(),
            key: "k1".to_owned(),
            issued: "2026-01-01T00:00:00Z".parse().unwrap(),
        }
    }

    fn sign(&self, envelope: &Envelope) -> SignedEnvelope {
        let text = serde_json::to_string(envelope).unwrap();
        self.sign_text(&text, SIGNING_CONTEXT)
    }

    fn sign_text(&self, text: &str, context: &[u8]) -> SignedEnvelope {
        let message = [context, text.as_bytes()].concat();
        SignedEnvelope {
            envelope: text.to_owned(),
            signature: Bytes(self.secret.sign(&message).to_bytes().to_vec()),
        }
    }
}

fn body_for(host: &str) -> Vec<u8> {
    Catalog {
        format: CATALOG_FORMAT,
        host: host.parse().unwrap(),
        enforcement: Enforcement::Enforce,
        resources: Vec::new(),
        health: Vec::new(),
    }
    .to_bytes()
}

#[test]
fn a_signed_catalog_of_this_host_is_believed() {
    let authority = Authority::new();
    let body = body_for("web-1");
    let signed = authority.sign(&authority.envelope(&body));
    let verified = authority.trust(None).verify(&signed).unwrap();
    let verified = verified.admit(&body).unwrap();
    assert_eq!(verified.accepted().generation, 5);
}

#[test]
fn one_changed_character_of_the_envelope_is_refused() {
    let authority = Authority::new();
    let mut signed = authority.sign(&authority.envelope(&body_for("web-1")));
    signed.envelope = signed
        .envelope
        .replace("\"generation\":5", "\"generation\":6");
    let refused = authority.trust(None).verify(&signed).unwrap_err();
    assert!(matches!(refused, TrustError::Signature { known: 1 }));
}

#[test]
fn a_signature_for_another_purpose_is_refused() {
    let authority = Authority::new();
    let text = serde_json::to_string(&authority.envelope(&body_for("web-1"))).unwrap();
    let signed = authority.sign_text(&text, b"holdfast something else v1\0");
    let refused = authority.trust(None).verify(&signed).unwrap_err();
    assert!(matches!(refused, TrustError::Signature { .. }));
}

#[test]
fn a_truncated_signature_is_refused() {
    let authority = Authority::new();
    let mut signed = authority.sign(&authority.envelope(&body_for("web-1")));
    signed.signature.0.truncate(63);
    assert!(authority.trust(None).verify(&signed).is_err());
}

#[test]
fn another_hosts_catalog_is_refused_in_envelope_and_in_body() {
    let authority = Authority::new();
    let body = body_for("web-2");
    let mut envelope = authority.envelope(&body);
    let inside = authority.trust(None).verify(&authority.sign(&envelope));
    let refused = inside.unwrap().admit(&body).unwrap_err();
    assert!(matches!(refused, TrustError::OtherHost { .. }));
    envelope.host = "web-2".parse().unwrap();
    let refused = authority.trust(None).verify(&authority.sign(&envelope));
    assert!(matches!(refused, Err(TrustError::OtherHost { .. })));
}

#[test]
fn generations_never_go_back_and_never_fork() {
    let authority = Authority::new();
    let body = body_for("web-1");
    let signed = authority.sign(&authority.envelope(&body));
    let accepted = |generation, body: &[u8]| {
        Some(Accepted {
            generation,
            body: Digest::of(body),
        })
    };
    let verify = |accepted| authority.trust(accepted).verify(&signed);
    assert!(verify(accepted(4, b"x")).is_ok());
    assert!(verify(accepted(5, &body)).is_ok());
    assert!(matches!(
        verify(accepted(5, b"x")),
        Err(TrustError::Forked { generation: 5 })
    ));
    assert!(matches!(
        verify(accepted(6, &body)),
        Err(TrustError::Older {
            found: 5,
            accepted: 6
        })
    ));
}

#[test]
fn what_the_agent_does_not_know_is_refused_by_name() {
    let authority = Authority::new();
    let mut envelope = authority.envelope(&body_for("web-1"));
    envelope.features.push("type:firewall".to_owned());
    let refused = authority.trust(None).verify(&authority.sign(&envelope));
    assert!(refused.unwrap_err().to_string().contains("type:firewall"));
}

#[test]
fn a_body_that_was_not_signed_is_refused() {
    let authority = Authority::new();
    let body = body_for("web-1");
    let signed = authority.sign(&authority.envelope(&body));
    let mut other = body.clone();
    other.push(b' ');
    let envelope = authority.trust(None).verify(&signed).unwrap();
    assert!(matches!(
        envelope.admit(&other),
        Err(TrustError::Body { .. })
    ));
}

const COMMITTED: &str = "0000000000000000000000000000000000000000000000000000000000000001";

fn body_with_a_secret(commitment: &str) -> Vec<u8> {
    let content = format!(
        r#"{{"sealed":{{"secrets":["secret:a"],"commitment":{{"{commitment}":"{COMMITTED}"}}}}}}"#
    );
    let file =
        format!(r#"{{"type":"file","title":"/a","spec":{{"path":"/a","content":{content}}}}}"#);
    format!(r#"{{"format":1,"host":"web-1","resources":[{file}]}}"#).into_bytes()
}

fn admitted(commitment: &str, sealed: &[u64]) -> Result<Verified, TrustError> {
    let authority = Authority::new();
    let body = body_with_a_secret(commitment);
    let mut envelope = authority.envelope(&body);
    let blob = |size: &u64| SealedBlob {
        digest: Digest::of("box"),
        size: *size,
    };
    let named: Digest = COMMITTED.parse().unwrap();
    envelope.sealed = sealed.iter().map(|size| (named, blob(size))).collect();
    let verified = authority.trust(None).verify(&authority.sign(&envelope));
    verified.unwrap().admit(&body)
}

#[test]
fn a_catalog_whose_secrets_are_not_all_sealed_is_refused() {
    let good = admitted("sealed", &[100]).unwrap();
    assert_eq!(good.needs(), BTreeMap::from([(Digest::of("box"), 100)]));
    for refused in [admitted("sealed", &[]), admitted("draft", &[100])] {
        assert!(matches!(refused, Err(TrustError::Unsealed { .. })));
    }
}

#[test]
fn boxes_that_no_content_fits_are_refused() {
    let longest = (MAX_SEALED + SEALED_OVERHEAD) as u64;
    for size in [0, SEALED_OVERHEAD as u64 - 1, longest + 1, u64::MAX] {
        let refused = admitted("sealed", &[size]);
        assert!(
            matches!(refused, Err(TrustError::SealedSize { .. })),
            "{size}"
        );
    }
    admitted("sealed", &[longest]).unwrap();
}
