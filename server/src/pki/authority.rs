//! The certificate authority: made once, signs the server's certificate and those of hosts.
//!
//! Of a host's signing request only the public key counts. Name, purpose and life are set here,
//! so a host cannot ask its way into another identity.

use std::path::Path;
use std::time::Duration;

use holdfast_schemas::{Digest, HostName};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData,
    SanType, SerialNumber, SignatureAlgorithm,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer};
use zeroize::Zeroizing;

use super::files::{read_private, write_private};
use super::{CsrError, PkiError};

/// Life of a host's certificate. Short, so that one that leaks is worth little; an agent renews
/// it when a third is left, so a host may be away for ten days and notice nothing.
pub const CERTIFICATE_LIFE: Duration = Duration::from_secs(30 * DAY);

/// How long after its end a certificate still buys a new one, and nothing else: a host that was
/// switched off for a season comes back by itself.
pub const RENEWAL_GRACE: Duration = Duration::from_secs(90 * DAY);

/// Life of the authority itself.
const AUTHORITY_LIFE: Duration = Duration::from_secs(20 * 365 * DAY);

/// Certificates begin this long before they are issued: clocks of hosts differ.
pub(super) const BACKDATED: Duration = Duration::from_secs(DAY);

/// Longest signing request accepted, in bytes; an honest one has some 500.
pub(super) const MAX_CSR: usize = 16 * 1024;

/// What a host's key may be: both are short and quick, so a handshake costs us little.
const KEY_ALGORITHMS: [&SignatureAlgorithm; 2] =
    [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ED25519];

/// Longest common name a certificate may hold (RFC 5280, ub-common-name).
const MAX_COMMON_NAME: usize = 64;

const DAY: u64 = 24 * 60 * 60;

/// Stands before a host's name in the URI of its certificate.
pub(super) const HOST_URI: &str = "holdfast://host/";

/// The certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// A host's new certificate.
#[derive(Debug)]
pub struct HostCertificate {
    /// The chain in PEM, the host's own first.
    pub chain: String,
    /// BLAKE3 digest of its DER.
    pub fingerprint: Digest,
    /// Its serial number, hexadecimal.
    pub serial: String,
    /// When it ends.
    pub expires: Timestamp,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority {}", self.fingerprint())
    }
}

impl Authority {
    /// Reads the authority of a folder, or makes one.
    pub(super) fn open(folder: &Path) -> Result<Self, PkiError> {
        let path = folder.join("authority.pem");
        let text = match read_private(&path)? {
            Some(text) => text,
            None => {
                let made = make()?;
                write_private(&path, &made)?;
                made
            }
        };
        Self::parse(&text).ok_or(PkiError::Malformed {
            path,
            expected: "the key and certificate of the certificate authority",
        })
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let certificate = CertificateDer::from_pem_slice(text).ok()?;
        let key = KeyPair::from_pem(std::str::from_utf8(text).ok()?).ok()?;
        let parsed = x509_parser::parse_x509_certificate(&certificate).ok()?.1;
        // rcgen signs with whatever key it is given; one of another authority would sign
        // certificates that nobody accepts.
        if parsed.public_key().subject_public_key.data != key.der_bytes() {
            return None;
        }
        Some(Self {
            pem: certificate_pem(&certificate),
            issuer: Issuer::from_ca_cert_der(&certificate, key).ok()?,
            certificate,
        })
    }

    /// BLAKE3 of its certificate's DER: what an enrolment token carries.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.certificate)
    }

    /// Its certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Its certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Certifies the public key of a signing request for a host.
    pub fn certify_host(
        &self,
        name: &HostName,
        csr: &str,
        now: Timestamp,
    ) -> Result<HostCertificate, CsrError> {
        let request = parse_csr(csr)?;
        let mut params =
            params_for(name.as_str(), now, CERTIFICATE_LIFE).map_err(CsrError::Issue)?;
        let uri = format!("{HOST_URI}{name}");
        let uri = uri.try_into().map_err(CsrError::Malformed)?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let serial = params.serial_number.as_ref().map(SerialNumber::to_bytes);
        let certificate = self
            .sign(params, &request.public_key, name.as_str())
            .map_err(CsrError::Issue)?;
        Ok(HostCertificate {
            chain: certificate.pem() + &self.pem,
            fingerprint: Digest::of(certificate.der()),
            serial: hex(&serial.unwrap_or_default()),
            expires: whole_second(now + CERTIFICATE_LIFE),
        })
    }

    /// Signs a certificate whose parameters are ours.
    pub(super) fn sign(
        &self,
        params: CertificateParams,
        key: &impl PublicKeyData,
        subject: &str,
    ) -> Result<rcgen::Certificate, PkiError> {
        params
            .signed_by(key, &self.issuer)
            .map_err(|source| PkiError::Issue {
                subject: subject.to_owned(),
                source,
            })
    }
}

fn make() -> Result<Zeroizing<Vec<u8>>, PkiError> {
    let failed = |source| PkiError::Issue {
        subject: "the certificate authority".to_owned(),
        source,
    };
    let key = KeyPair::generate().map_err(failed)?;
    let tag = hex(&random::<4>()?);
    let name = format!("Holdfast authority {tag}");
    let mut params = params_for(&name, Timestamp::now(), AUTHORITY_LIFE)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    let certificate = params.self_signed(&key).map_err(failed)?;
    let key = Zeroizing::new(key.serialize_pem());
    Ok(Zeroizing::new(
        [key.as_bytes(), certificate.pem().as_bytes()].concat(),
    ))
}

/// What all our certificates have in common: subject, life, a random serial.
pub(super) fn params_for(
    subject: &str,
    now: Timestamp,
    life: Duration,
) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    let common = if subject.len() <= MAX_COMMON_NAME {
        subject
    } else {
        "holdfast"
    };
    name.push(DnType::CommonName, common);
    params.distinguished_name = name;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let mut serial = random::<16>()?;
    // Positive and without leading zeros, so that its DER, and thus our record of it, has one form.
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let since_epoch = |at: Timestamp| Duration::from_secs(at.as_second().try_into().unwrap_or(0));
    params.not_before = epoch + since_epoch(now - BACKDATED);
    params.not_after = epoch + since_epoch(now + life);
    Ok(params)
}

fn parse_csr(text: &str) -> Result<CertificateSigningRequestParams, CsrError> {
    if text.len() > MAX_CSR {
        return Err(CsrError::TooLarge(text.len()));
    }
    let der = CertificateSigningRequestDer::from_pem_slice(text.as_bytes())
        .map_err(|_| CsrError::Malformed(rcgen::Error::CouldNotParseCertificationRequest))?;
    let request = CertificateSigningRequestParams::from_der(&der).map_err(CsrError::Malformed)?;
    let algorithm = request.public_key.algorithm();
    match KEY_ALGORITHMS.contains(&algorithm) {
        true => Ok(request),
        false => Err(CsrError::KeyAlgorithm),
    }
}

/// X.509 times have whole seconds.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn certificate_pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem + "-----END CERTIFICATE-----\n"
}

/// Random bytes from the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], PkiError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(PkiError::Random)?;
    Ok(bytes)
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
