//! One-time enrolment tokens: what is stored of them, and why one is refused.

use holdfast_schemas::secret::SealingKey;
use holdfast_schemas::{Digest, HostName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Certificate, HostRecord, StoreError};

/// One enrolment token. Its secret is never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// BLAKE3 digest of the secret.
    pub secret: Digest,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// The only name it may be used for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// Who used it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<TokenUse>,
}

/// The one use of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUse {
    /// The host that enrolled with it.
    pub host: HostName,
    /// When.
    pub at: Timestamp,
    /// Digest of what it asked for; whoever asks the same again gets it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Digest>,
}

/// What a host comes with to enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// BLAKE3 digest of the token's secret.
    pub secret: Digest,
    /// The name it asks for.
    pub name: HostName,
    /// Digest of everything else that it asks for: its keys.
    pub request: Digest,
}

/// A host enrols with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// What it comes with.
    pub claim: Claim,
    /// The certificate it is to get. It is handed out only once this is stored.
    pub certificate: Certificate,
    /// The key that its secrets are to be sealed to.
    pub sealing_key: Option<SealingKey>,
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It enrols the host.
    First,
    /// It did so for this very request, whose answer may have been lost: the same again.
    Again,
}

/// Why a token does not enrol a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// No such token.
    #[error("the enrolment token is not known to this server")]
    Unknown,
    /// Its time is over.
    #[error("the enrolment token expired at {0}")]
    Expired(Timestamp),
    /// It enrolled a host already.
    #[error("the enrolment token was used already, for {0}")]
    Used(HostName),
    /// It is for another host.
    #[error("the enrolment token is for another host than {0}")]
    WrongHost(HostName),
    /// A token bound to no name cannot claim one that is taken.
    #[error(
        "the name {0} is taken; a host enrols again with a token made for it (`token create --host {0}`)"
    )]
    NameTaken(HostName),
}

impl TokenRecord {
    /// Whether it would enrol a host now, of which `known` is on record.
    ///
    /// The same request again is let in while nothing happened since: a host that was revoked, or
    /// that enrolled with another token, is not brought back by an old one. It gains nothing by
    /// it but a certificate for the key that the first one was for.
    pub(crate) fn admits(
        &self,
        claim: &Claim,
        known: Option<&HostRecord>,
        now: Timestamp,
    ) -> Result<Admission, TokenRefusal> {
        if self.expires <= now {
            return Err(match &self.used {
                Some(used) => TokenRefusal::Used(used.host.clone()),
                None => TokenRefusal::Expired(self.expires),
            });
        }
        if let Some(used) = &self.used {
            let same = used.host == claim.name && used.request == Some(claim.request);
            let still_so = |host: &HostRecord| host.enrolled == used.at && host.revoked.is_none();
            return match same && known.is_some_and(still_so) {
                true => Ok(Admission::Again),
                false => Err(TokenRefusal::Used(used.host.clone())),
            };
        }
        if self.host.as_ref().is_some_and(|bound| *bound != claim.name) {
            return Err(TokenRefusal::WrongHost(claim.name.clone()));
        }
        if self.host.is_none() && known.is_some() {
            return Err(TokenRefusal::NameTaken(claim.name.clone()));
        }
        Ok(Admission::First)
    }
}

/// Why a host could not enrol.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// The token does not allow it.
    #[error(transparent)]
    Refused(#[from] TokenRefusal),
    /// The store failed; the token is as it was.
    #[error(transparent)]
    Store(#[from] StoreError),
}
