//! TLS of the two listeners, with a certificate that can be exchanged while they run. TLS 1.3
//! alone: our own programs speak it, and so does every other that is likely to ask.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
};

use super::server_certificate;
use super::{Authority, Peer, PkiError, ServerNames};

/// Whom a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Hosts, with client certificates.
    Agents,
    /// People, with bearer tokens.
    Operators,
}

/// What the server shows of itself, and how it judges what it is shown.
#[derive(Debug)]
pub struct TlsIdentity {
    folder: PathBuf,
    names: ServerNames,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
    ours: Arc<dyn ClientCertVerifier>,
}

impl TlsIdentity {
    /// Reads or makes the server's certificate for these names.
    pub fn open(
        folder: &Path,
        authority: &Authority,
        names: ServerNames,
    ) -> Result<Self, PkiError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = certified(folder, authority, &names, &provider)?;
        let mut roots = RootCertStore::empty();
        roots
            .add(authority.certificate().clone())
            .map_err(PkiError::Tls)?;
        let ours = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
            .build()
            .map_err(|error| PkiError::Tls(rustls::Error::General(error.to_string())))?;
        Ok(Self {
            folder: folder.to_owned(),
            names,
            provider,
            current: Arc::new(Current(ArcSwap::from_pointee(key))),
            ours,
        })
    }

    /// Makes the server's certificate anew when its end is near; new connections see it.
    pub fn refresh(&self, authority: &Authority) -> Result<(), PkiError> {
        let key = certified(&self.folder, authority, &self.names, &self.provider)?;
        self.current.0.store(Arc::new(key));
        Ok(())
    }

    /// The settings of a listener.
    pub fn config(&self, audience: Audience) -> Result<Arc<ServerConfig>, PkiError> {
        let builder = ServerConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(PkiError::Tls)?;
        let builder = match audience {
            Audience::Agents => {
                builder.with_client_cert_verifier(Arc::new(ProofOfKey(self.ours.clone())))
            }
            Audience::Operators => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(self.current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Judges the chain that a peer showed in its handshake.
    pub fn judge(&self, chain: Option<&[CertificateDer<'_>]>) -> Peer {
        Peer::judge(chain, self.ours.as_ref())
    }
}

/// The chain holds the authority's certificate too: an agent that enrols knows only its digest.
fn certified(
    folder: &Path,
    authority: &Authority,
    names: &ServerNames,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, PkiError> {
    let keyed = server_certificate::open(folder, authority, names, Timestamp::now())?;
    let chain = vec![keyed.certificate, authority.certificate().clone()];
    CertifiedKey::from_der(chain, keyed.key, provider).map_err(PkiError::Tls)
}

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// Asks for a certificate, demands none, and checks in the handshake only that the peer holds
/// its key. Who issued it is judged afterwards, where a refusal can be an answer; until then the
/// peer is nobody.
#[derive(Debug)]
struct ProofOfKey(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for ProofOfKey {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
