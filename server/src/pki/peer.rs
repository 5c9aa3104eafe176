//! Who is at the other end of a connection.
//!
//! The handshake proves only that the peer holds the key of the certificate it showed. Whether
//! that certificate is of our authority is judged here, once per connection, and whether it may
//! still be used, by the request (see `http::identity`): a refusal then is an answer with a
//! reason, where a refused handshake would be a broken pipe.

use holdfast_schemas::HostName;
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use super::authority::{BACKDATED, HOST_URI, hex};

/// Who is at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// Somebody without a certificate.
    Anonymous,
    /// Somebody with a certificate that our authority did not issue to a host.
    Foreign {
        /// Why it is none of ours.
        reason: String,
    },
    /// A host of ours, by a certificate that may have ended.
    Host(PeerCertificate),
}

/// What a host's certificate says; obtained only from one that our authority signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    name: HostName,
    serial: String,
    issued: Timestamp,
    expires: Timestamp,
}

impl PeerCertificate {
    /// The host.
    pub fn name(&self) -> &HostName {
        &self.name
    }

    /// The certificate's serial number, hexadecimal.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// When it was issued.
    pub fn issued(&self) -> Timestamp {
        self.issued
    }

    /// When it ends.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// One that was never signed.
    #[cfg(test)]
    pub(crate) fn for_tests(
        name: HostName,
        serial: &str,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Self {
        Self {
            name,
            serial: serial.to_owned(),
            issued,
            expires,
        }
    }
}

impl Peer {
    /// Judges the chain that a peer showed.
    pub(super) fn judge(
        chain: Option<&[CertificateDer<'_>]>,
        ours: &dyn ClientCertVerifier,
    ) -> Self {
        let Some((first, rest)) = chain.and_then(<[_]>::split_first) else {
            return Self::Anonymous;
        };
        let foreign = |reason: String| Self::Foreign { reason };
        let certificate = match x509_parser::parse_x509_certificate(first) {
            Ok((_, certificate)) => certificate,
            Err(error) => return foreign(format!("it cannot be read: {error}")),
        };
        // Judged as of its own life: whether that is over is the request's business.
        let begins = certificate.validity().not_before.timestamp();
        let ends = certificate.validity().not_after.timestamp();
        let now = Timestamp::now().as_second().min(ends).max(begins);
        let at = std::time::Duration::from_secs(now.try_into().unwrap_or(0));
        let at = UnixTime::since_unix_epoch(at);
        if let Err(error) = ours.verify_client_cert(first, rest, at) {
            return foreign(error.to_string());
        }
        let time = Timestamp::from_second;
        let (Some(name), Ok(begins), Ok(expires)) =
            (host_name(&certificate), time(begins), time(ends))
        else {
            return foreign("it was not issued to a host".to_owned());
        };
        Self::Host(PeerCertificate {
            name,
            serial: hex(certificate.raw_serial()),
            issued: begins + BACKDATED,
            expires,
        })
    }
}

/// The one host a certificate names, by its one alternative name.
fn host_name(certificate: &X509Certificate<'_>) -> Option<HostName> {
    let names = certificate.subject_alternative_name().ok()??;
    match names.value.general_names.as_slice() {
        [GeneralName::URI(uri)] => uri.strip_prefix(HOST_URI)?.parse().ok(),
        _ => None,
    }
}
