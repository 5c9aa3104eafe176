//! `holdfast secret encrypt`: a value ready to be pasted, or a file.

use std::fs::File;
use std::path::{Path, PathBuf};

use holdfast_schemas::secret::SecretName;
use holdfast_secrets::{Form, Recipients, values};

use super::{SecretError, place, recipients, typed, value};
use crate::error::CliError;
use crate::exit::Exit;
use crate::offline::SiteArgs;
use crate::output::Output;

/// Encrypts.
#[derive(Debug, Clone, clap::Args)]
pub struct Encrypt {
    /// The variable that is to hold the value: `mongodb.password`
    #[arg(conflicts_with = "file")]
    name: Option<String>,
    /// Encrypt this file instead, into FILE.age beside it
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    site: SiteArgs,
}

impl Encrypt {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        let to = recipients(&self.site)?;
        match &self.file {
            Some(file) => encrypt_file(file, &to, out)?,
            None => {
                let plaintext = value(typed::read(out)?);
                let armored = super::encrypt(&to, &plaintext, Form::Armored)?;
                let armored = String::from_utf8_lossy(&armored);
                out.text(&match &self.name {
                    Some(name) => values::pasteable(name, &armored),
                    None => armored.into_owned(),
                })?;
            }
        }
        Ok(Exit::Fine)
    }
}

/// A name is pasted as it is, so it is one.
fn check_name(name: &str) -> Result<(), SecretError> {
    let plain = |key: &str| {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        !key.is_empty() && key.bytes().all(word)
    };
    match SecretName::new(name).is_ok() && name.split('.').all(plain) {
        true => Ok(()),
        false => Err(SecretError::Name(name.to_owned())),
    }
}

fn encrypt_file(file: &Path, to: &Recipients, out: &mut Output<'_>) -> Result<(), CliError> {
    let opened = File::open(file).map_err(SecretError::file("read", file))?;
    let plaintext = typed::bounded(opened).map_err(SecretError::file("read", file))??;
    let encrypted = super::encrypt(to, &plaintext, Form::Binary)?;
    let mut target = file.as_os_str().to_owned();
    target.push(".age");
    let target = PathBuf::from(target);
    place::write(&target, &encrypted)?;
    out.text(&format!("{}\n", target.display()))?;
    let open = file.display();
    out.hint(&format!("{open} is still there, in the open: remove it"));
    Ok(())
}
