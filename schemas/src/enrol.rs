//! How a host becomes known: a one-time token for a certificate.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::CatalogKey;
use crate::secret::SealingKey;
use crate::{Digest, HostName};

/// What begins every token, so that one is recognised where it should not be.
pub const TOKEN_PREFIX: &str = "hft";

/// A one-time enrolment token: `hft_SECRET_FINGERPRINT`. The secret proves that the bearer may
/// enrol; the fingerprint, BLAKE3 of the CA certificate's DER, lets an agent that knows nothing
/// yet prove that it talks to the right server.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolToken {
    /// 32 lower-case hexadecimal digits.
    pub secret: String,
    /// BLAKE3 digest of the CA certificate in DER.
    pub ca: Digest,
}

/// Text that is not a token. Never shows the text: it may hold most of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not an enrolment token; one looks like `hft_…_…` and comes from `holdfast token create`"
)]
pub struct EnrolTokenError;

impl FromStr for EnrolToken {
    type Err = EnrolTokenError;

    fn from_str(text: &str) -> Result<Self, EnrolTokenError> {
        let rest = text
            .trim()
            .strip_prefix(TOKEN_PREFIX)
            .and_then(|rest| rest.strip_prefix('_'));
        let (secret, ca) = rest
            .and_then(|rest| rest.split_once('_'))
            .ok_or(EnrolTokenError)?;
        let digits = secret
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        if secret.len() != 32 || !digits {
            return Err(EnrolTokenError);
        }
        let ca = ca.parse().map_err(|_| EnrolTokenError)?;
        Ok(Self {
            secret: secret.to_owned(),
            ca,
        })
    }
}

impl fmt::Display for EnrolToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{TOKEN_PREFIX}_{}_{}", self.secret, self.ca)
    }
}

impl fmt::Debug for EnrolToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolToken(…)")
    }
}

crate::text_form::text_form!(
    EnrolToken,
    "EnrolToken",
    pattern = "^hft_[0-9a-f]{32}_[0-9a-f]{64}$",
    "enrolment token"
);

/// An agent asks for a certificate.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// The token's secret part.
    pub secret: String,
    /// The name it wants; the token may be bound to one.
    pub name: HostName,
    /// Certificate signing request, PEM. Only its public key counts; the server sets the rest.
    pub csr: String,
    /// The key that secrets are sealed to.
    pub sealing_key: SealingKey,
}

impl fmt::Debug for EnrolRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnrolRequest for {}", self.name)
    }
}

/// The server's answer: an identity, and whom to believe from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The name the certificate is for.
    pub name: HostName,
    /// The certificate chain, PEM, the host's own first.
    pub certificate: String,
    /// The CA certificates that the server's own must descend from, PEM.
    pub ca: String,
    /// The keys that sign catalogs.
    pub catalog_keys: Vec<CatalogKey>,
    /// When the certificate ends.
    pub expires: Timestamp,
}

/// An enrolled agent asks for a new certificate before its own ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewRequest {
    /// Certificate signing request, PEM.
    pub csr: String,
    /// The key that secrets are sealed to from now on.
    pub sealing_key: SealingKey,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn nothing_shows_a_tokens_secret_but_the_token_itself() {
        let secret = "0123456789abcdef".repeat(2);
        let token = EnrolToken {
            secret: secret.clone(),
            ca: Digest::of("ca"),
        };
        let request = EnrolRequest {
            secret: secret.clone(),
            name: "h1".parse().unwrap(),
            csr: String::new(),
            sealing_key: SealingKey([7; 32]),
        };
        assert!(token.to_string().contains(&secret));
        let cut = token.to_string().replace("hft_", "hfo_");
        let error = cut.parse::<EnrolToken>().unwrap_err();
        for shown in [
            format!("{token:?}"),
            format!("{request:?}"),
            format!("{error:?} {error}"),
        ] {
            assert!(!shown.contains(&secret[..8]), "{shown}");
        }
    }
}
