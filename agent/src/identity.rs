//! Who this host is: its key, its certificate, its server, and the keys that sign its catalogs.
//!
//! All of it is one file, so that a key and its certificate can never be of two enrolments. The
//! certificate is renewed with a new key when a third of its life is left, and every failure to
//! do so is told, louder as its end comes near.

use std::fmt;

use holdfast_schemas::HostName;
use holdfast_schemas::enrol::Identity;
use holdfast_schemas::secret::SealingKey;
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::durable;
use crate::state::{StateDir, StateError};

/// The part of a certificate's life, from its end, in which it is renewed: a third.
const RENEW_IN_LAST: i64 = 3;

/// The part of its life, from its end, in which a failure to renew is an alarm: a sixth.
const ALARM_IN_LAST: i64 = 6;

/// Why a key or a signing request could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a key and a signing request")]
pub(crate) struct KeyError(#[from] rcgen::Error);

/// A new key, and the request for a certificate over it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// The key, PEM.
    #[serde(with = "secret_text")]
    pub(crate) key: Zeroizing<String>,
    /// The signing request, PEM.
    pub(crate) csr: String,
}

impl Request {
    /// Draws a key. Nothing but the key counts in the request: the server sets the rest.
    pub(crate) fn draw() -> Result<Self, KeyError> {
        let key = KeyPair::generate()?;
        let csr = CertificateParams::default()
            .serialize_request(&key)?
            .pem()?;
        Ok(Self {
            key: Zeroizing::new(key.serialize_pem()),
            csr,
        })
    }
}

/// An enrolled host.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrolled {
    /// Address of the server.
    pub(crate) server: String,
    /// What the server gave.
    pub(crate) identity: Identity,
    /// The host's key, PEM.
    #[serde(with = "secret_text")]
    pub(crate) key: Zeroizing<String>,
    /// When the certificate was got.
    pub(crate) since: Timestamp,
    /// The sealing key that the server was told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sealing_key: Option<SealingKey>,
}

/// Text that leaves memory when it is dropped, as an ordinary string in the file.
mod secret_text {
    use serde::{Deserialize, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(
        text: &Zeroizing<String>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Zeroizing<String>, D::Error> {
        String::deserialize(deserializer).map(Zeroizing::new)
    }
}

impl fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.identity.name, self.server)
    }
}

/// How urgent the renewal of a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// Not yet.
    NotDue,
    /// It is time.
    Due,
    /// It is late: the certificate ends soon, or has ended.
    Late,
}

impl Enrolled {
    /// The enrolment of a state folder, if there is one.
    pub(crate) fn load(state: &StateDir) -> Result<Option<Self>, StateError> {
        Ok(durable::read_json(&state.identity())?)
    }

    /// Keeps it.
    pub(crate) fn save(&self, state: &StateDir) -> Result<(), StateError> {
        Ok(durable::write_json(&state.identity(), self)?)
    }

    /// The host's name.
    pub(crate) fn name(&self) -> &HostName {
        &self.identity.name
    }

    /// How urgent the renewal is.
    pub(crate) fn renewal(&self, now: Timestamp) -> Renewal {
        let life = self.identity.expires.as_second() - self.since.as_second();
        let left = self.identity.expires.as_second() - now.as_second();
        if left <= life / ALARM_IN_LAST {
            Renewal::Late
        } else if left <= life / RENEW_IN_LAST {
            Renewal::Due
        } else {
            Renewal::NotDue
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn enrolled(since: i64, expires: i64) -> Enrolled {
        Enrolled {
            server: "https://localhost:1".to_owned(),
            identity: Identity {
                name: "web-1".parse().unwrap(),
                certificate: String::new(),
                ca: String::new(),
                catalog_keys: Vec::new(),
                expires: Timestamp::from_second(expires).unwrap(),
            },
            key: Zeroizing::new("secret".to_owned()),
            since: Timestamp::from_second(since).unwrap(),
            sealing_key: None,
        }
    }

    #[test]
    fn a_certificate_is_renewed_in_the_last_third_of_its_life() {
        let host = enrolled(0, 600);
        let at = |second| host.renewal(Timestamp::from_second(second).unwrap());
        assert_eq!(at(0), Renewal::NotDue);
        assert_eq!(at(399), Renewal::NotDue);
        assert_eq!(at(400), Renewal::Due);
        assert_eq!(at(500), Renewal::Late);
        assert_eq!(at(900), Renewal::Late);
    }

    #[test]
    fn the_key_is_not_shown() {
        assert!(!format!("{:?}", enrolled(0, 1)).contains("secret"));
    }

    #[test]
    fn a_request_is_for_the_key_that_came_with_it() {
        let request = Request::draw().unwrap();
        assert!(request.key.contains("PRIVATE KEY"));
        assert!(request.csr.contains("CERTIFICATE REQUEST"));
        assert_ne!(*Request::draw().unwrap().key, *request.key);
    }
}
