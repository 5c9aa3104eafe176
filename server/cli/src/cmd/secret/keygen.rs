//! `holdfast secret keygen`: an identity of one's own.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use holdfast_secrets::Keyring;

use super::SecretError;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Makes an identity.
#[derive(Debug, Clone, clap::Args)]
pub struct Keygen {
    /// Where it is to be kept, for its owner alone; outside of the repo
    file: PathBuf,
}

impl Keygen {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let made = Keyring::generate();
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.file);
        let mut file = match file {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(SecretError::Exists(self.file).into());
            }
            opened => opened.map_err(SecretError::file("write", &self.file))?,
        };
        let written = file.write_all(made.file.as_bytes());
        let written = written.and_then(|()| file.sync_all());
        written.map_err(SecretError::file("write", &self.file))?;
        out.text(&format!("{}\n", made.recipient))?;
        out.hint(
            "name it under `secrets: {recipients: …}` in holdfast.yaml, then let somebody who is a \
             recipient run `holdfast secret rotate`",
        );
        Ok(Exit::Fine)
    }
}
