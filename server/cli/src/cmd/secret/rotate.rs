//! `holdfast secret rotate`: everything encrypted anew, to the recipients there are now.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use holdfast_secrets::{Form, Keyring, Recipients, is_encrypted, values};

use super::identities::{IdentityArgs, open};
use super::{SecretError, place, recipients};
use crate::error::CliError;
use crate::exit::Exit;
use crate::offline::SiteArgs;
use crate::output::Output;
use crate::words;

/// Bytes by which an encrypted file is recognised.
const HEAD: u64 = 64;

/// Rotates.
#[derive(Debug, Clone, clap::Args)]
pub struct Rotate {
    #[command(flatten)]
    identities: IdentityArgs,
    #[command(flatten)]
    site: SiteArgs,
}

/// A file as it will be, and how many secrets of it are new.
struct Rotated {
    path: PathBuf,
    bytes: Vec<u8>,
    secrets: usize,
}

impl Rotate {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let to = recipients(&self.site)?;
        let keyring = self.identities.open()?;
        let mut rotated = Vec::new();
        // All of it, before anything is written: no site is left half rotated by a secret that
        // does not open.
        for path in files(self.site.folder())? {
            rotated.extend(rotate(path, &keyring, &to)?);
        }
        for file in &rotated {
            place::write(&file.path, &file.bytes)?;
        }
        let secrets = rotated.iter().map(|file| file.secrets).sum();
        let (secrets, files) = (
            words::count(secrets, "secret"),
            words::count(rotated.len(), "file"),
        );
        out.text(&format!("encrypted {secrets} in {files} anew\n"))?;
        Ok(Exit::Fine)
    }
}

/// Every file of the site in order; hidden ones and links are no part of it.
fn files(folder: &Path) -> Result<Vec<PathBuf>, SecretError> {
    let mut found = Vec::new();
    let mut ahead = vec![folder.to_owned()];
    while let Some(folder) = ahead.pop() {
        let entries = fs::read_dir(&folder).map_err(SecretError::file("list", &folder))?;
        for entry in entries {
            let entry = entry.map_err(SecretError::file("list", &folder))?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let kind = entry.file_type();
            let kind = kind.map_err(SecretError::file("look at", entry.path()))?;
            if kind.is_dir() {
                ahead.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A file with its secrets encrypted anew; `None` if it has none.
fn rotate(
    path: PathBuf,
    keyring: &Keyring,
    to: &Recipients,
) -> Result<Option<Rotated>, SecretError> {
    let read = || {
        let mut head = Vec::new();
        fs::File::open(&path)?.take(HEAD).read_to_end(&mut head)?;
        let may_hold_values = path.extension().is_some_and(|end| end == "yaml");
        match is_encrypted(&head) || may_hold_values {
            true => fs::read(&path).map(Some),
            false => Ok(None),
        }
    };
    let Some(bytes) = read().map_err(SecretError::file("read", &path))? else {
        return Ok(None);
    };
    let anew = |encrypted: &[u8], at: String, form: Form| {
        let plaintext = open(keyring, encrypted, at)?;
        Ok::<_, SecretError>(to.encrypt(plaintext.expose(), form)?)
    };
    if is_encrypted(&bytes) {
        let bytes = anew(&bytes, path.display().to_string(), place::form_of(&bytes))?;
        let secrets = 1;
        return Ok(Some(Rotated {
            path,
            bytes,
            secrets,
        }));
    }
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(None);
    };
    let found = values::find(&text).map_err(|source| SecretError::Endless {
        path: path.clone(),
        source,
    })?;
    let mut renewed = Vec::with_capacity(found.len());
    for value in &found {
        let at = format!("{}:{}", path.display(), value.path);
        let encrypted = anew(value.armored.as_bytes(), at, Form::Armored)?;
        renewed.push((value, String::from_utf8_lossy(&encrypted).into_owned()));
    }
    Ok((!found.is_empty()).then(|| Rotated {
        bytes: values::replace(&text, renewed).into_bytes(),
        secrets: found.len(),
        path,
    }))
}
