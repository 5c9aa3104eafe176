//! The age identities that open what the repo encrypts.

use std::fmt;
use std::str::FromStr as _;

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use zeroize::Zeroizing;

/// Identities, each of which opens what was encrypted to its recipient.
#[derive(Clone, Default)]
pub struct Keyring {
    pub(crate) identities: Vec<Identity>,
}

/// Text that holds no identity. It never shows the text: that may be most of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// A line is something else.
    #[error(
        "line {0} is no age identity; one looks like `AGE-SECRET-KEY-1…` (passphrases, SSH keys \
         and plugins are not taken)"
    )]
    Malformed(usize),
    /// There is none in it.
    #[error("it holds no age identity; one is a line `AGE-SECRET-KEY-1…`")]
    Empty,
}

/// An identity that was just made.
pub struct NewIdentity {
    /// The file that holds it, as `age-keygen` writes them.
    pub file: Zeroizing<String>,
    /// Whom to encrypt to.
    pub recipient: String,
}

impl fmt::Debug for NewIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewIdentity of {}", self.recipient)
    }
}

impl Keyring {
    /// Reads the text of an identity file: a line each, with empty lines and comments between.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let mut identities = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let identity =
                Identity::from_str(line).map_err(|_| IdentityError::Malformed(number + 1))?;
            identities.push(identity);
        }
        match identities.is_empty() {
            true => Err(IdentityError::Empty),
            false => Ok(Self { identities }),
        }
    }

    /// Makes an identity.
    pub fn generate() -> NewIdentity {
        let identity = Identity::generate();
        let recipient = identity.to_public().to_string();
        let secret = identity.to_string();
        let file = format!("# public key: {recipient}\n{}\n", secret.expose_secret());
        NewIdentity {
            file: Zeroizing::new(file),
            recipient,
        }
    }

    /// Takes the identities of another in.
    pub fn extend(&mut self, other: Self) {
        self.identities.extend(other.identities);
    }

    /// Whom to encrypt to so that it can be opened here, an identity each.
    pub fn recipients(&self) -> Vec<String> {
        let public = |identity: &Identity| identity.to_public().to_string();
        self.identities.iter().map(public).collect()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring of {:?}", self.recipients())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_made_is_read_back_among_comments() {
        let (one, two) = (Keyring::generate(), Keyring::generate());
        let text = format!("# mine\r\n\n{}\n  {}", *one.file, *two.file);
        let keyring = Keyring::parse(&text).unwrap();
        assert_eq!(keyring.recipients(), [one.recipient, two.recipient]);
    }

    #[test]
    fn what_is_no_identity_is_refused_without_being_shown() {
        let made = Keyring::generate();
        let secret = made.file.lines().nth(1).unwrap().to_owned();
        let cut = &secret[..secret.len() - 1];
        let refused = Keyring::parse(&format!("# a\n{cut}\n")).unwrap_err();
        assert_eq!(refused, IdentityError::Malformed(2));
        assert_eq!(Keyring::parse("# a\n").unwrap_err(), IdentityError::Empty);
        let keyring = Keyring::parse(&made.file).unwrap();
        for shown in [
            format!("{refused} {refused:?}"),
            format!("{keyring:?} {made:?}"),
        ] {
            assert!(!shown.contains(&secret[20..40]), "{shown}");
        }
    }
}
