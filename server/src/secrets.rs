//! What the server opens the repo's secrets with, and what it seals them to hosts with.
//!
//! The identities are the operator's, named with `--identity`, or one that the first `serve` makes
//! in `DATA/age-identity`. The master key in `DATA/pki/sealing-master.key` makes commitments and
//! boxes the same after every start; with a new one every host with secrets gets a new catalog,
//! and nothing else happens.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use holdfast_secrets::{IdentityError, Keyring, MASTER, RandomError, Sealer};

use crate::pki::{PkiError, read_private, write_private};

/// The identity that is made where none is named.
const IDENTITY: &str = "age-identity";

/// The key that everything sealed is derived from.
const MASTER_KEY: &str = "sealing-master.key";

/// The server's secrets about secrets.
#[derive(Debug)]
pub struct Secrets {
    /// Opens what the repo encrypts.
    pub keyring: Keyring,
    /// Seals it to hosts.
    pub sealer: Sealer,
}

/// They cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A file.
    #[error(transparent)]
    File(#[from] PkiError),
    /// An identity that was named and is not there.
    #[error("there is no identity in {}; `age-keygen` or `holdfast secret keygen` makes one", .0.display())]
    Missing(PathBuf),
    /// A file of identities that holds something else.
    #[error("{} cannot be used as an identity", path.display())]
    Identity {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: IdentityError,
    },
    /// No master key can be drawn.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl Secrets {
    /// Reads the identities named, or the server's own, and the master key; what is the server's
    /// own is made on the first start.
    pub fn open(data: &Path, identities: &[PathBuf]) -> Result<Self, SecretsError> {
        let keyring = match identities {
            [] => own_identity(&data.join(IDENTITY))?,
            named => {
                let mut keyring = Keyring::default();
                for path in named {
                    let found = read_identity(path)?;
                    keyring.extend(found.ok_or_else(|| SecretsError::Missing(path.clone()))?);
                    if !is_private(path) {
                        let path = path.display();
                        tracing::warn!(%path, "others can read this identity, and so all secrets; `chmod 600` it");
                    }
                }
                keyring
            }
        };
        let sealer = open_sealer(&data.join("pki").join(MASTER_KEY))?;
        Ok(Self { keyring, sealer })
    }
}

fn own_identity(path: &Path) -> Result<Keyring, SecretsError> {
    if let Some(keyring) = read_identity(path)? {
        narrow(path)?;
        return Ok(keyring);
    }
    let made = Keyring::generate();
    write_private(path, made.file.as_bytes())?;
    tracing::info!(
        recipient = made.recipient,
        path = %path.display(),
        "made an identity; secrets of the repo that this server is to open are encrypted to its recipient"
    );
    let malformed = |source| SecretsError::Identity {
        path: path.to_owned(),
        source,
    };
    Keyring::parse(&made.file).map_err(malformed)
}

fn read_identity(path: &Path) -> Result<Option<Keyring>, SecretsError> {
    let Some(bytes) = read_private(path)? else {
        return Ok(None);
    };
    let malformed = |source| SecretsError::Identity {
        path: path.to_owned(),
        source,
    };
    // What is no text holds no identity.
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    Keyring::parse(text).map(Some).map_err(malformed)
}

/// Whether nobody but its owner and group may read a file: credentials are handed over with 0440.
fn is_private(path: &Path) -> bool {
    let mode = std::fs::metadata(path).map(|found| found.permissions().mode());
    mode.is_ok_and(|mode| mode & 0o007 == 0)
}

/// Takes a file of our own away from others, which a copy or a restored backup gave it to.
fn narrow(path: &Path) -> Result<(), SecretsError> {
    let failed = |source| PkiError::File {
        doing: "set the mode of",
        path: path.to_owned(),
        source,
    };
    let mode = std::fs::metadata(path)
        .map_err(failed)?
        .permissions()
        .mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let path_shown = path.display();
    tracing::warn!(path = %path_shown, "others could read this key, and so all secrets; it is private again");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, private).map_err(failed)?;
    Ok(())
}

fn open_sealer(path: &Path) -> Result<Sealer, SecretsError> {
    let malformed = || PkiError::Malformed {
        path: path.to_owned(),
        expected: "the key that secrets are sealed with",
    };
    if let Some(bytes) = read_private(path)? {
        let master: &[u8; MASTER] = bytes.as_slice().try_into().map_err(|_| malformed())?;
        narrow(path)?;
        return Ok(Sealer::new(master));
    }
    let master = Sealer::draw_master()?;
    write_private(path, &*master)?;
    Ok(Sealer::new(&master))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    fn data() -> tempfile::TempDir {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join("pki")).unwrap();
        data
    }

    #[test]
    fn what_is_made_on_the_first_start_is_private_and_stays() {
        let data = data();
        let first = Secrets::open(data.path(), &[]).unwrap();
        let again = Secrets::open(data.path(), &[]).unwrap();
        assert_eq!(first.keyring.recipients(), again.keyring.recipients());
        for path in [IDENTITY, "pki/sealing-master.key"] {
            let found = fs::metadata(data.path().join(path)).unwrap();
            assert_eq!(found.permissions().mode() & 0o777, 0o600, "{path}");
        }
        let secret = fs::read_to_string(data.path().join(IDENTITY)).unwrap();
        let secret = secret.lines().nth(1).unwrap();
        assert!(!format!("{first:?}").contains(&secret[20..30]));
    }

    #[test]
    fn what_others_could_read_is_made_private_again() {
        let data = data();
        let first = Secrets::open(data.path(), &[]).unwrap();
        let files = [IDENTITY, "pki/sealing-master.key"].map(|path| data.path().join(path));
        for path in &files {
            fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        let again = Secrets::open(data.path(), &[]).unwrap();
        assert_eq!(first.keyring.recipients(), again.keyring.recipients());
        for path in &files {
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
        // What an operator names is the operator's: it is used, and left as it is.
        let named = data.path().join("named");
        fs::write(&named, &*Keyring::generate().file).unwrap();
        fs::set_permissions(&named, fs::Permissions::from_mode(0o644)).unwrap();
        Secrets::open(data.path(), std::slice::from_ref(&named)).unwrap();
        assert!(!is_private(&named));
    }

    #[test]
    fn identities_that_are_named_are_the_only_ones() {
        let data = data();
        let (one, two) = (data.path().join("one"), data.path().join("two"));
        let made = [&one, &two].map(|path| {
            let made = Keyring::generate();
            fs::write(path, &*made.file).unwrap();
            made.recipient
        });
        let secrets = Secrets::open(data.path(), &[one, two]).unwrap();
        assert_eq!(secrets.keyring.recipients(), made);
        assert!(!data.path().join(IDENTITY).exists());
    }

    #[test]
    fn an_identity_that_is_missing_or_something_else_is_said() {
        let data = data();
        let path = data.path().join("key");
        let refused = Secrets::open(data.path(), std::slice::from_ref(&path)).unwrap_err();
        assert!(matches!(refused, SecretsError::Missing(_)), "{refused}");
        for wrong in ["", "hunter2", "AGE-SECRET-KEY-1XX"] {
            fs::write(&path, wrong).unwrap();
            let refused = Secrets::open(data.path(), std::slice::from_ref(&path)).unwrap_err();
            let told = crate::http::chain(&refused);
            assert!(told.contains("key cannot be used"), "{told}");
            assert!(wrong.is_empty() || !told.contains(wrong), "{told}");
        }
        fs::write(data.path().join("pki").join(MASTER_KEY), "short").unwrap();
        let refused = Secrets::open(data.path(), &[]).unwrap_err();
        assert!(refused.to_string().contains("backup"), "{refused}");
    }
}
