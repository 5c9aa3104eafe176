//! Whether a host's certificate is good for what is asked, now.

use holdfast_schemas::HostName;
use holdfast_store::HostRecord;
use jiff::Timestamp;

use crate::pki::{PeerCertificate, RENEWAL_GRACE};

/// What a certificate is shown for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Anything a host may do.
    Everything,
    /// Only to get a new certificate.
    Renewal,
}

/// Why a certificate of our authority is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Its host is not enrolled (any more).
    #[error("the host of this certificate is not enrolled here")]
    Unknown,
    /// Its host was revoked.
    #[error("the host was revoked at {at}: {reason}")]
    Revoked {
        /// Since when.
        at: Timestamp,
        /// An operator's words.
        reason: String,
    },
    /// The host enrolled again since.
    #[error("the certificate was replaced when the host enrolled again at {0}")]
    Superseded(Timestamp),
    /// It ended, but a new one can be had for it.
    #[error("the certificate ended at {0}")]
    Expired(Timestamp),
    /// It ended too long ago.
    #[error("the certificate ended at {0}, too long ago to be renewed")]
    Lapsed(Timestamp),
}

impl Denied {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "host_unknown",
            Self::Revoked { .. } => "certificate_revoked",
            Self::Superseded(_) => "certificate_superseded",
            Self::Expired(_) => "certificate_expired",
            Self::Lapsed(_) => "certificate_lapsed",
        }
    }

    /// What to do about it.
    pub fn hint(&self, host: &HostName) -> String {
        match self {
            Self::Expired(_) => "renew it: the agent does so by itself when it runs".to_owned(),
            _ => format!("enrol the host with a token from `holdfast token create --host {host}`"),
        }
    }
}

/// Judges a certificate against what is known of its host.
pub fn judge(
    certificate: &PeerCertificate,
    record: Option<&HostRecord>,
    purpose: Purpose,
    now: Timestamp,
) -> Result<(), Denied> {
    let record = record.ok_or(Denied::Unknown)?;
    if let Some(revoked) = &record.revoked {
        return Err(Denied::Revoked {
            at: revoked.at,
            reason: revoked.reason.clone(),
        });
    }
    let mut listed = record.certificates.iter();
    let listed = listed.any(|known| known.serial == certificate.serial());
    // One that is younger than the enrolment and not on record was issued after the backup that
    // the server was restored from: it is ours all the same.
    if !listed && certificate.issued() < record.enrolled {
        return Err(Denied::Superseded(record.enrolled));
    }
    let expires = certificate.expires();
    match purpose {
        Purpose::Renewal if now >= expires + RENEWAL_GRACE => Err(Denied::Lapsed(expires)),
        Purpose::Everything if now >= expires => Err(Denied::Expired(expires)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use holdfast_schemas::Digest;
    use holdfast_store::{Certificate, Revocation};

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn shown(serial: &str, issued: Timestamp) -> PeerCertificate {
        PeerCertificate::for_tests("h1".parse().unwrap(), serial, issued, issued + 30 * DAY)
    }

    fn record(serial: &str, enrolled: Timestamp) -> HostRecord {
        let certificate = Certificate {
            serial: serial.to_owned(),
            fingerprint: Digest::of("der"),
            expires: enrolled + 30 * DAY,
        };
        HostRecord::new("h1".parse().unwrap(), enrolled, certificate)
    }

    #[test]
    fn a_listed_certificate_is_good_until_its_end_and_renews_through_the_grace() {
        let start = at("2026-01-01T00:00:00Z");
        let (shown, record) = (shown("a1", start), record("a1", start));
        let judge = |purpose, days| judge(&shown, Some(&record), purpose, start + days * DAY);
        assert_eq!(judge(Purpose::Everything, 29), Ok(()));
        let ended = start + 30 * DAY;
        assert_eq!(judge(Purpose::Everything, 30), Err(Denied::Expired(ended)));
        assert_eq!(judge(Purpose::Renewal, 119), Ok(()));
        assert_eq!(judge(Purpose::Renewal, 120), Err(Denied::Lapsed(ended)));
    }

    #[test]
    fn unknown_revoked_and_superseded_are_refused_for_every_purpose() {
        let start = at("2026-01-01T00:00:00Z");
        let now = start + DAY;
        for purpose in [Purpose::Everything, Purpose::Renewal] {
            let old = shown("a1", start);
            assert_eq!(judge(&old, None, purpose, now), Err(Denied::Unknown));
            let again = record("b2", start + Duration::from_secs(60));
            let refused = judge(&old, Some(&again), purpose, now).unwrap_err();
            assert_eq!(refused.code(), "certificate_superseded");
            let mut revoked = record("a1", start);
            revoked.revoked = Some(Revocation {
                at: now,
                reason: "stolen".to_owned(),
            });
            let refused = judge(&old, Some(&revoked), purpose, now).unwrap_err();
            assert!(refused.to_string().contains("stolen"));
        }
    }

    #[test]
    fn one_that_a_restored_server_forgot_is_still_ours() {
        let start = at("2026-01-01T00:00:00Z");
        let renewed = shown("c3", start + 20 * DAY);
        let backup = record("a1", start);
        let now = start + 21 * DAY;
        assert_eq!(
            judge(&renewed, Some(&backup), Purpose::Everything, now),
            Ok(())
        );
    }
}
