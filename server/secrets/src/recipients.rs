//! Those who can open what the repo encrypts.

use std::io::Write as _;
use std::str::FromStr as _;

use age::Encryptor;
use age::armor::{ArmoredWriter, Format};
use age::x25519::Recipient;

/// In which form an age file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text, for a value in YAML.
    Armored,
    /// Bytes, for a file.
    Binary,
}

/// Whom a secret is encrypted to; at least one.
#[derive(Debug, Clone)]
pub struct Recipients(Vec<Recipient>);

/// What is no recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// Something else.
    #[error(
        "`{0}` is no age recipient; one looks like `age1…` (SSH keys and plugins are not taken)"
    )]
    Malformed(String),
    /// Nobody.
    #[error("there is no recipient to encrypt to")]
    Nobody,
}

/// Nothing was encrypted.
#[derive(Debug, thiserror::Error)]
#[error("it cannot be encrypted")]
pub struct EncryptError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Recipients {
    /// Reads recipients as the repo and `age-keygen` write them.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, RecipientError> {
        let read = |text: &str| {
            Recipient::from_str(text.trim())
                .map_err(|_| RecipientError::Malformed(text.trim().to_owned()))
        };
        let all: Result<Vec<_>, _> = texts.into_iter().map(read).collect();
        match all? {
            none if none.is_empty() => Err(RecipientError::Nobody),
            all => Ok(Self(all)),
        }
    }

    /// Encrypts to all of them.
    pub fn encrypt(&self, plaintext: &[u8], form: Form) -> Result<Vec<u8>, EncryptError> {
        let recipients = self.0.iter().map(|one| one as &dyn age::Recipient);
        let failed = |error: std::io::Error| EncryptError(error.into());
        let encryptor = Encryptor::with_recipients(recipients);
        let encryptor = encryptor.map_err(|error| EncryptError(error.into()))?;
        let format = match form {
            Form::Armored => Format::AsciiArmor,
            Form::Binary => Format::Binary,
        };
        let armored = ArmoredWriter::wrap_output(Vec::new(), format).map_err(failed)?;
        let mut writer = encryptor.wrap_output(armored).map_err(failed)?;
        writer.write_all(plaintext).map_err(failed)?;
        let armored = writer.finish().map_err(failed)?;
        armored.finish().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_has_to_be_able_to_open_it() {
        let refused = Recipients::parse([]).map(|_| ());
        assert_eq!(refused, Err(RecipientError::Nobody));
        for wrong in ["age1", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1"] {
            let refused = Recipients::parse([wrong]).map(|_| ());
            assert_eq!(refused, Err(RecipientError::Malformed(wrong.to_owned())));
        }
    }
}
