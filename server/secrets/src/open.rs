//! Opening one age file.

use std::io::{BufReader, Read as _};

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor};
use holdfast_schemas::secret::MAX_SEALED;

use crate::{Keyring, Plaintext};

/// How an armored age file begins (<https://c2sp.org/age#ascii-armor>).
const ARMORED: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// How a binary one begins.
const BINARY: &[u8] = b"age-encryption.org/v1\n";

/// How a recipient begins in the header, and how the header ends.
const STANZA: &str = "-> ";
const HEADER_END: &[u8] = b"\n---";

/// Most recipients of one secret: each costs a multiplication on the curve to try.
pub const MAX_RECIPIENTS: usize = 256;

/// Longest encrypted file, in bytes. Armor makes four of three; header and authenticators add a
/// little.
const MAX_ENCRYPTED: usize = MAX_SEALED / 3 * 4 + MAX_SEALED / 16 + 64 * 1024;

/// Why an age file does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Something else.
    #[error("it is no age file")]
    NotAge,
    /// It was cut or altered.
    #[error("it is damaged: cut, altered or indented unevenly")]
    Damaged,
    /// None of our identities opens it.
    #[error("none of its {recipients} recipients is an identity at hand")]
    NotForUs {
        /// How many it has.
        recipients: usize,
    },
    /// It opens with a passphrase, which a server cannot be asked for.
    #[error("it is encrypted with a passphrase, not to recipients")]
    Passphrase,
    /// Too many recipients.
    #[error("it has {0} recipients, at most {MAX_RECIPIENTS} are tried")]
    TooManyRecipients(usize),
    /// More than may be sealed.
    #[error("it holds more than {MAX_SEALED} bytes")]
    TooLarge,
}

/// Whether bytes begin as an age file does.
pub fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(ARMORED) || bytes.starts_with(BINARY)
}

/// How many recipients an age file has; who they are, it does not tell.
pub fn recipients_of(encrypted: &[u8]) -> Result<usize, OpenError> {
    match is_encrypted(encrypted) {
        true => count_recipients(&unarmored(encrypted)?),
        false => Err(OpenError::NotAge),
    }
}

impl Keyring {
    /// Opens an age file, armored or binary.
    pub fn open(&self, encrypted: &[u8]) -> Result<Plaintext, OpenError> {
        if !is_encrypted(encrypted) {
            return Err(OpenError::NotAge);
        }
        let binary = unarmored(encrypted)?;
        let recipients = count_recipients(&binary)?;
        let told = |error| match error {
            DecryptError::NoMatchingKeys => OpenError::NotForUs { recipients },
            _ => OpenError::Damaged,
        };
        let decryptor = Decryptor::new_buffered(&*binary).map_err(told)?;
        if decryptor.is_scrypt() {
            return Err(OpenError::Passphrase);
        }
        let identities = self.identities.iter();
        let identities = identities.map(|identity| identity as &dyn age::Identity);
        let reader = decryptor.decrypt(identities).map_err(told)?;
        // Never longer than what encrypts it, so that the buffer is never copied.
        let mut plaintext = Plaintext::with_room(binary.len() + 1);
        let most = MAX_SEALED as u64 + 1;
        let read = reader.take(most).read_to_end(plaintext.buffer());
        read.map_err(|_| OpenError::Damaged)?;
        match plaintext.expose().len() > MAX_SEALED {
            true => Err(OpenError::TooLarge),
            false => Ok(plaintext),
        }
    }
}

/// The binary form of an age file.
fn unarmored(encrypted: &[u8]) -> Result<Vec<u8>, OpenError> {
    if encrypted.len() > MAX_ENCRYPTED {
        return Err(OpenError::TooLarge);
    }
    let mut binary = Vec::with_capacity(encrypted.len());
    let mut reader = ArmoredReader::new(BufReader::new(encrypted.trim_ascii_start()));
    let whole = match encrypted.starts_with(BINARY) {
        true => {
            binary.extend_from_slice(encrypted);
            Ok(0)
        }
        false => reader.read_to_end(&mut binary),
    };
    whole.map(|_| binary).map_err(|_| OpenError::Damaged)
}

/// How many recipients the header names, bounded before any is tried.
fn count_recipients(binary: &[u8]) -> Result<usize, OpenError> {
    let end = find(binary, HEADER_END).ok_or(OpenError::Damaged)?;
    let text = std::str::from_utf8(&binary[..end]).map_err(|_| OpenError::Damaged)?;
    let tags = text.lines().filter_map(|line| line.strip_prefix(STANZA));
    let tags: Vec<&str> = tags.filter_map(|line| line.split(' ').next()).collect();
    match tags.len() {
        0 => Err(OpenError::Damaged),
        count if count > MAX_RECIPIENTS => Err(OpenError::TooManyRecipients(count)),
        // Grease is nobody: it keeps readers from relying on what stanzas there are.
        _ => Ok(tags.iter().filter(|tag| !tag.ends_with("-grease")).count()),
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|at| at == wanted)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{Form, Recipients};

    fn keyring() -> (Keyring, String) {
        let made = Keyring::generate();
        (Keyring::parse(&made.file).unwrap(), made.recipient)
    }

    fn recipients(all: &[&str]) -> Recipients {
        Recipients::parse(all.iter().copied()).unwrap()
    }

    #[test]
    fn what_is_encrypted_to_us_opens_in_either_form() {
        let (one, to_one) = keyring();
        let (two, to_two) = keyring();
        let (other, _) = keyring();
        for form in [Form::Armored, Form::Binary] {
            for text in ["", "s3cret", &"long ".repeat(100_000)] {
                let both = recipients(&[&to_one, &to_two]);
                let encrypted = both.encrypt(text.as_bytes(), form).unwrap();
                assert_eq!(recipients_of(&encrypted), Ok(2));
                assert_eq!(one.open(&encrypted).unwrap().expose(), text.as_bytes());
                assert_eq!(two.open(&encrypted).unwrap().expose(), text.as_bytes());
                let refused = other.open(&encrypted).unwrap_err();
                assert_eq!(refused, OpenError::NotForUs { recipients: 2 });
            }
        }
    }

    #[test]
    fn what_was_altered_anywhere_does_not_open() {
        let (keyring, recipient) = keyring();
        let to = recipients(&[&recipient]);
        let whole = to.encrypt(b"s3cret", Form::Binary).unwrap();
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            assert!(keyring.open(&altered).is_err(), "byte {at}");
            assert!(keyring.open(&whole[..at]).is_err(), "cut at {at}");
        }
        let armored = to.encrypt(b"s3cret", Form::Armored).unwrap();
        let cut = &armored[..armored.len() / 2];
        assert_eq!(keyring.open(cut), Err(OpenError::Damaged));
        assert_eq!(keyring.open(b"s3cret"), Err(OpenError::NotAge));
        for at in 0..armored.len() {
            let mut altered = armored.clone();
            altered[at] = b'!';
            let opened = keyring.open(&altered).map(|_| ());
            // Behind the last mark nothing counts but that it is blank.
            assert!(opened.is_err(), "byte {at} of the armor");
            assert!(keyring.open(&armored[..at]).is_err() || at + 1 >= armored.len());
        }
    }

    #[test]
    fn a_header_without_end_and_a_content_without_end_are_refused() {
        let (keyring, recipient) = keyring();
        let long = vec![7; MAX_SEALED + 1];
        let to = recipients(&[&recipient]);
        let encrypted = to.encrypt(&long, Form::Binary).unwrap();
        assert_eq!(keyring.open(&encrypted), Err(OpenError::TooLarge));
        let just = to.encrypt(&long[1..], Form::Armored).unwrap();
        assert_eq!(keyring.open(&just).unwrap().expose().len(), MAX_SEALED);
        let huge = [ARMORED, &vec![b'A'; MAX_ENCRYPTED]].concat();
        assert_eq!(keyring.open(&huge), Err(OpenError::TooLarge));
        let many = [
            BINARY.trim_ascii_end(),
            "\n-> X25519 a".repeat(300).as_bytes(),
            HEADER_END,
        ]
        .concat();
        let refused = keyring.open(&many).unwrap_err();
        assert_eq!(refused, OpenError::TooManyRecipients(300));
    }

    #[test]
    fn a_passphrase_is_told_apart() {
        let (keyring, _) = keyring();
        let phrase = age::secrecy::SecretString::from("phrase".to_owned());
        let mut recipient = age::scrypt::Recipient::new(phrase);
        recipient.set_work_factor(2);
        let encrypted = age::encrypt(&recipient, b"s3cret").unwrap();
        assert_eq!(keyring.open(&encrypted), Err(OpenError::Passphrase));
    }
}
