//! The name of a host: what the catalog repo, the certificate and every report call it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Longest host name accepted, in bytes; the limit of a DNS name (RFC 1035, 2.3.4).
pub const MAX_HOST_NAME: usize = 253;

/// A host's name: letters, digits, `.`, `-`, `_` and, for fleets that name hosts by IPv6 address,
/// `:`; lower-case; 1 to 253 bytes; begins and ends with a letter or digit; never holds `..`.
/// So it is always safe as a file name and in a URL path.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName(Arc<str>);

impl HostName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Text that cannot be the name of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostNameError {
    /// Nothing at all.
    #[error("a host name cannot be empty")]
    Empty,
    /// Longer than a DNS name may be.
    #[error("a host name has at most {MAX_HOST_NAME} bytes, this one has {0}")]
    TooLong(usize),
    /// A character outside the allowed ones.
    #[error(
        "a host name has only lower-case letters, digits, `.`, `-`, `_` and `:`, not {found:?} as in {name:?}"
    )]
    BadCharacter {
        /// The text given.
        name: String,
        /// The first character that is not allowed.
        found: char,
    },
    /// A separator at an end, or two dots in a row.
    #[error(
        "a host name begins and ends with a letter or digit and has no empty label, unlike {0:?}"
    )]
    BadShape(String),
}

impl FromStr for HostName {
    type Err = HostNameError;

    fn from_str(text: &str) -> Result<Self, HostNameError> {
        if text.is_empty() {
            return Err(HostNameError::Empty);
        }
        if text.len() > MAX_HOST_NAME {
            return Err(HostNameError::TooLong(text.len()));
        }
        let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '-' | '_' | ':');
        if let Some(found) = text.chars().find(|&c| !allowed(c)) {
            return Err(HostNameError::BadCharacter {
                name: text.to_owned(),
                found,
            });
        }
        let inner = |c: char| c.is_ascii_alphanumeric();
        if !text.starts_with(inner) || !text.ends_with(inner) || text.contains("..") {
            return Err(HostNameError::BadShape(text.to_owned()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

crate::text_form::text_form!(
    HostName,
    "HostName",
    pattern = "^[a-z0-9]([a-z0-9._:-]*[a-z0-9])?$",
    "host name: lower-case letters, digits, `.`, `-`, `_`, `:`"
);
