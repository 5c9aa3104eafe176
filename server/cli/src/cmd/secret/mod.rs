//! `holdfast secret`: what the repo holds encrypted, from the operator's side.
//!
//! Values stand in YAML as armored age files, contents in files of their own. The recipients are
//! those of `holdfast.yaml`; what opens them is an identity on the operator's machine.

mod edit;
mod encrypt;
mod error;
mod identities;
mod keygen;
mod place;
mod rotate;
mod scratch;
mod typed;
mod who;

use holdfast_secrets::{Form, Plaintext, Recipients, is_encrypted};

use crate::error::CliError;
use crate::exit::{EXIT_CODES, Exit};
use crate::offline::SiteArgs;
use crate::output::Output;

pub(crate) use error::SecretError;

/// What can be done with secrets.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Secret {
    /// Encrypt what stands on stdin, as a value to paste into YAML; or a file
    ///
    ///   holdfast secret encrypt mongodb.password < password.txt
    ///   holdfast secret encrypt --file roles/web/files/tls.key
    #[command(after_help = EXIT_CODES, verbatim_doc_comment)]
    Encrypt(encrypt::Encrypt),
    /// Change an encrypted value or file in an editor
    ///
    ///   holdfast secret edit globals.yaml:mongodb.password
    ///   holdfast secret edit roles/web/files/tls.key.age
    #[command(after_help = EXIT_CODES, verbatim_doc_comment)]
    Edit(edit::Edit),
    /// Encrypt every secret of the site anew, to the recipients that holdfast.yaml names now
    ///
    /// Who was a recipient before can still read what is in the history: also change the secrets
    /// that somebody who left has known.
    #[command(after_help = EXIT_CODES)]
    Rotate(rotate::Rotate),
    /// Show who can read the site's secrets, and which hosts get them
    #[command(after_help = EXIT_CODES)]
    Who(who::Who),
    /// Make an identity in a new file, and print its recipient
    #[command(after_help = EXIT_CODES)]
    Keygen(keygen::Keygen),
}

impl Secret {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        match self {
            Self::Encrypt(encrypt) => encrypt.run(out),
            Self::Edit(edit) => edit.run(out),
            Self::Rotate(rotate) => rotate.run(out),
            Self::Who(who) => who.run(out),
            Self::Keygen(keygen) => keygen.run(out),
        }
    }
}

/// Those to encrypt to.
fn recipients(site: &SiteArgs) -> Result<Recipients, CliError> {
    let named = site.recipients()?;
    let recipients = Recipients::parse(named.values().map(|recipient| &**recipient));
    Ok(recipients.map_err(SecretError::Recipients)?)
}

/// Encrypts what can be a secret.
fn encrypt(to: &Recipients, plaintext: &Plaintext, form: Form) -> Result<Vec<u8>, SecretError> {
    match plaintext.expose() {
        [] => Err(SecretError::Empty),
        bytes if is_encrypted(bytes) => Err(SecretError::Twice),
        bytes => Ok(to.encrypt(bytes, form)?),
    }
}

/// A value as it is encrypted: one line loses its end, which whoever typed or piped it did not
/// mean; more than one stand as they are.
fn value(plaintext: Plaintext) -> Plaintext {
    let bytes = plaintext.expose();
    match bytes.split_last() {
        Some((b'\n', line)) if !line.contains(&b'\n') => {
            Plaintext::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
        }
        _ => plaintext,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_single_line_loses_its_end() {
        for (typed, kept) in [
            ("s3cret\n", "s3cret"),
            ("s3cret\r\n", "s3cret"),
            ("s3cret", "s3cret"),
            ("", ""),
            ("\n", ""),
            ("one\ntwo\n", "one\ntwo\n"),
        ] {
            let made = value(Plaintext::new(typed.as_bytes().to_vec()));
            assert_eq!(made.expose(), kept.as_bytes(), "{typed:?}");
        }
    }
}
