//! The certificate of the server's own listeners: made anew when it nears its end or when the
//! server is to answer to other names.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{ExtendedKeyUsagePurpose, KeyPair, SanType};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::extensions::GeneralName;
use zeroize::Zeroizing;

use super::authority::params_for;
use super::files::{read_private, write_private};
use super::{Authority, PkiError};

/// Life of the server's certificate. It is renewed by the running server, so it may be short.
const LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// It is made anew when less than this is left.
const RENEWED_BEFORE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The names and addresses the server answers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerNames(BTreeSet<String>);

impl ServerNames {
    /// The loopback, this machine's name, where the listeners are, and what the operator adds.
    pub fn of(listeners: &[SocketAddr], extra: &[String]) -> Self {
        let mut names = BTreeSet::from(["localhost".to_owned()]);
        names.insert(Ipv4Addr::LOCALHOST.to_string());
        names.insert(Ipv6Addr::LOCALHOST.to_string());
        names.extend(machine_name());
        for listener in listeners {
            let ip = listener.ip();
            let outward = ip.is_unspecified().then(outward_address).flatten();
            names.extend(outward.map(|ip| ip.to_string()));
            if !ip.is_unspecified() {
                names.insert(ip.to_string());
            }
        }
        names.extend(extra.iter().map(|name| name.trim().to_lowercase()));
        names.remove("");
        Self(names)
    }
}

fn machine_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim().to_lowercase();
    (!name.is_empty() && name != "(none)").then_some(name)
}

/// The address that traffic to elsewhere leaves from. Connecting a UDP socket sends nothing; the
/// address is one reserved for documentation (RFC 5737).
pub(crate) fn outward_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// A certificate with its key.
pub(super) struct KeyedCertificate {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// The certificate in the folder if it still serves, else a new one.
pub(super) fn open(
    folder: &Path,
    authority: &Authority,
    names: &ServerNames,
    now: Timestamp,
) -> Result<KeyedCertificate, PkiError> {
    let path = folder.join("server.pem");
    let kept = read_private(&path)?.filter(|text| serves(text, authority, names, now));
    let text = match kept {
        Some(text) => text,
        None => {
            let made = make(authority, names, now)?;
            write_private(&path, &made)?;
            made
        }
    };
    parse(&text).ok_or(PkiError::Malformed {
        path,
        expected: "the server's key and certificate",
    })
}

fn parse(text: &[u8]) -> Option<KeyedCertificate> {
    Some(KeyedCertificate {
        certificate: CertificateDer::from_pem_slice(text).ok()?,
        key: PrivateKeyDer::from_pem_slice(text).ok()?,
    })
}

/// Whether a certificate is ours, has the names wanted, and lasts.
fn serves(text: &[u8], authority: &Authority, names: &ServerNames, now: Timestamp) -> bool {
    let Some(keyed) = parse(text) else {
        return false;
    };
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(&keyed.certificate) else {
        return false;
    };
    let Ok((_, ours)) = x509_parser::parse_x509_certificate(authority.certificate()) else {
        return false;
    };
    let lasts = certificate.validity().not_after.timestamp() > (now + RENEWED_BEFORE).as_second();
    let held = match certificate.subject_alternative_name() {
        Ok(Some(names)) => names
            .value
            .general_names
            .iter()
            .filter_map(name_text)
            .collect(),
        _ => BTreeSet::new(),
    };
    lasts && certificate.issuer() == ours.subject() && held == names.0
}

fn name_text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes)
                .ok()
                .map(|ip| IpAddr::from(ip).to_string()),
            16 => <[u8; 16]>::try_from(*bytes)
                .ok()
                .map(|ip| IpAddr::from(ip).to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn make(
    authority: &Authority,
    names: &ServerNames,
    now: Timestamp,
) -> Result<Zeroizing<Vec<u8>>, PkiError> {
    let subject = "holdfast server";
    let failed = |source| PkiError::Issue {
        subject: subject.to_owned(),
        source,
    };
    let key = KeyPair::generate().map_err(failed)?;
    let mut params = params_for(subject, now, LIFE)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    for name in &names.0 {
        params.subject_alt_names.push(match name.parse::<IpAddr>() {
            Ok(ip) => SanType::IpAddress(ip),
            Err(_) => SanType::DnsName(name.as_str().try_into().map_err(failed)?),
        });
    }
    let certificate = authority.sign(params, &key, subject)?;
    let key = Zeroizing::new(key.serialize_pem());
    Ok(Zeroizing::new(
        [key.as_bytes(), certificate.pem().as_bytes()].concat(),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn it_is_kept_while_it_serves() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(folder.path()).unwrap();
        let here = ["127.0.0.1:1".parse().unwrap()];
        let names = ServerNames::of(&here, &["Holdfast.Example".to_owned()]);
        assert!(names.0.contains("holdfast.example"));
        let now = Timestamp::now();
        let open = |names: &ServerNames, now| {
            open(folder.path(), &authority, names, now)
                .unwrap()
                .certificate
        };
        let first = open(&names, now);
        assert_eq!(first, open(&names, now + Duration::from_secs(3600)));
        let late = open(&names, now + LIFE - Duration::from_secs(60));
        assert_ne!(first, late, "renewed near its end");
        let renamed = open(&ServerNames::of(&here, &["other.example".to_owned()]), now);
        assert_ne!(late, renamed, "made anew for other names");
    }
}
