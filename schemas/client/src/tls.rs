//! TLS settings: whom a client believes, and what it shows of itself.
//!
//! TLS 1.3 alone: both ends are this project's. The cryptography is named here, not taken from a
//! process-wide default that some other crate might have set.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::error::SetupError;

/// HTTP/2 first: one connection then carries the wait for news and everything beside it.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS sessions remembered for resumption: a client talks to one server.
const SESSIONS: usize = 2;

/// What a client shows of itself.
pub(crate) enum Presents<'p> {
    /// Nothing; who it is stands in the request.
    Nothing,
    /// A certificate chain and its key, both PEM.
    Certificate { chain: &'p str, key: &'p str },
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The certificates of a PEM text.
pub(crate) fn certificates(
    pem: &str,
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let found = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| SetupError::Pem { what, source })?;
    match found.is_empty() {
        true => Err(SetupError::NoCertificate { what }),
        false => Ok(found),
    }
}

/// Settings that believe exactly the CA certificates of a PEM text.
pub(crate) fn trusting(ca_pem: &str, presents: Presents<'_>) -> Result<ClientConfig, SetupError> {
    const WHAT: &str = "the CA certificate";
    let mut roots = RootCertStore::empty();
    for ca in certificates(ca_pem, WHAT)? {
        roots
            .add(ca)
            .map_err(|source| SetupError::Tls { what: WHAT, source })?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|source| SetupError::Tls {
            what: WHAT,
            source: rustls::Error::General(source.to_string()),
        })?;
    settings(verifier, presents)
}

/// Settings that leave the judgement to a verifier.
pub(crate) fn settings(
    verifier: Arc<dyn ServerCertVerifier>,
    presents: Presents<'_>,
) -> Result<ClientConfig, SetupError> {
    let tls = |what| move |source| SetupError::Tls { what, source };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(tls("the cryptography"))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match presents {
        Presents::Nothing => builder.with_no_client_auth(),
        Presents::Certificate { chain, key } => {
            let chain = certificates(chain, "the host's certificate")?;
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|source| {
                let what = "the host's key";
                SetupError::Pem { what, source }
            })?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(tls("the host's certificate with its key"))?
        }
    };
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    config.resumption = rustls::client::Resumption::in_memory_sessions(SESSIONS);
    Ok(config)
}
