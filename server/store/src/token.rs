//! One-time enrolment tokens: what is stored of them, and why one is refused.

use holdfast_schemas::{Digest, HostName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Certificate, StoreError};

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
}

/// A host enrols with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// BLAKE3 digest of the token's secret.
    pub secret: Digest,
    /// The name it asks for.
    pub name: HostName,
    /// The certificate it is to get. It is handed out only once this is stored.
    pub certificate: Certificate,
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
    /// Whether it would enrol a host of this name now.
    pub(crate) fn admits(&self, name: &HostName, now: Timestamp) -> Result<(), TokenRefusal> {
        if let Some(used) = &self.used {
            return Err(TokenRefusal::Used(used.host.clone()));
        }
        if self.expires <= now {
            return Err(TokenRefusal::Expired(self.expires));
        }
        if self.host.as_ref().is_some_and(|bound| bound != name) {
            return Err(TokenRefusal::WrongHost(name.clone()));
        }
        Ok(())
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
