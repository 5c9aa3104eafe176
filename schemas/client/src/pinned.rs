//! Trust from a fingerprint alone: how a host that knows nothing yet recognises its server.
//!
//! The enrolment token carries the BLAKE3 digest of the CA certificate. The server sends that
//! certificate at the end of its chain; anybody else could send it as well, so it only names the
//! one root against which the server's own certificate is then verified in full: signature,
//! name, validity, and in the handshake the possession of the key.

use std::sync::Arc;

use holdfast_schemas::Digest;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

/// Why a server is not the one that the token names.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PinError {
    #[error(
        "the server did not show the CA that the token names: the token is another server's, or somebody is in between"
    )]
    NotShown,
    #[error("the certificate that the token names is no CA certificate")]
    NotACa,
    #[error("the CA certificate that the token names is not valid now: check this host's clock")]
    NotNow,
    #[error("the certificate that the token names cannot be used as a root: {0}")]
    Unusable(String),
}

/// Accepts a server whose certificate descends from the CA of one fingerprint.
#[derive(Debug)]
pub(crate) struct PinnedCa {
    fingerprint: Digest,
    provider: Arc<CryptoProvider>,
}

impl PinnedCa {
    pub(crate) fn new(fingerprint: Digest, provider: Arc<CryptoProvider>) -> Self {
        Self {
            fingerprint,
            provider,
        }
    }

    /// The verifier whose only root is the CA of the fingerprint.
    fn judge(
        &self,
        shown: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Arc<WebPkiServerVerifier>, PinError> {
        let ca = shown
            .iter()
            .find(|certificate| Digest::of(certificate) == self.fingerprint)
            .ok_or(PinError::NotShown)?;
        check_ca(ca, now)?;
        let mut roots = RootCertStore::empty();
        roots
            .add(ca.clone().into_owned())
            .map_err(|error| PinError::Unusable(error.to_string()))?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(|error| PinError::Unusable(error.to_string()))
    }
}

/// What the verifier does not ask of a root: that it is a CA, and that its time has not passed.
fn check_ca(der: &[u8], now: UnixTime) -> Result<(), PinError> {
    let (_, ca) = x509_parser::parse_x509_certificate(der)
        .map_err(|error| PinError::Unusable(error.to_string()))?;
    if !ca.is_ca() {
        return Err(PinError::NotACa);
    }
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = ca.validity();
    match (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now) {
        true => Ok(()),
        false => Err(PinError::NotNow),
    }
}

impl ServerCertVerifier for PinnedCa {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judge = self.judge(intermediates, now).map_err(|error| {
            let error = OtherError(Arc::new(error));
            Error::InvalidCertificate(CertificateError::Other(error))
        })?;
        judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
