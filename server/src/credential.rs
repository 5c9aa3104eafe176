//! How the first operator gets in: a credential in `DATA/admin.json`, mode 0600, and where the
//! listeners are, in `DATA/endpoints.json`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use holdfast_schemas::Digest;
use holdfast_schemas::operator_api::Credential;
use holdfast_store::{OperatorRecord, Role, Store, StoreError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::pki::{PkiError, outward_address, random_hex, write_private};

/// Stands before every operator's token, so that one is recognised where it should not be.
const OPERATOR_TOKEN_PREFIX: &str = "hfo_";

/// Random bytes of an operator's token.
const SECRET_BYTES: usize = 32;

/// The operator whose credential stands in `admin.json`.
const ADMIN: &str = "admin";

/// Where the listeners are, as others on this machine reach them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// `https://HOST:PORT` for agents.
    pub agents: String,
    /// `https://HOST:PORT` for operators.
    pub operators: String,
}

/// What became of the administrator's credential.
#[derive(Debug, PartialEq, Eq)]
pub enum Written {
    /// A new one was made.
    New(PathBuf),
    /// The one there is good, with the server's address as it is now.
    Kept(PathBuf),
}

/// The credential cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file or its token.
    #[error(transparent)]
    File(#[from] PkiError),
    /// The record.
    #[error("cannot record the administrator's credential")]
    Store(#[from] StoreError),
    /// The file holds something else.
    #[error("{0} is not a credential; move it away to have a new one written")]
    Malformed(PathBuf),
}

/// The address of a listener as one on this machine reaches it.
pub fn url(listener: SocketAddr) -> String {
    let ip = match listener {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other.ip(),
    };
    format!("https://{}", SocketAddr::new(ip, listener.port()))
}

/// The address of a listener as one on another machine reaches it, as far as we can tell: by the
/// first name that the operator gave, else where it listens, else where our own traffic leaves.
pub fn public_url(listener: SocketAddr, names: &[String]) -> String {
    let named = names.iter().find(|name| !name.trim().is_empty());
    match named.map(|name| name.trim()) {
        Some(name) => match name.parse::<IpAddr>() {
            Ok(ip) => url(SocketAddr::new(ip, listener.port())),
            Err(_) => format!("https://{}:{}", name.to_lowercase(), listener.port()),
        },
        None if listener.ip().is_unspecified() => {
            let ip = outward_address().unwrap_or(listener.ip());
            url(SocketAddr::new(ip, listener.port()))
        }
        None => url(listener),
    }
}

/// Writes where the listeners are.
pub fn write_endpoints(folder: &Path, endpoints: &Endpoints) -> Result<(), PkiError> {
    write_private(&folder.join("endpoints.json"), &document(endpoints))
}

/// Sees to it that `admin.json` lets an administrator in.
///
/// A file that is missing is written anew: whoever can read this folder has the authority's key,
/// so nobody gains by it, and an administrator who lost theirs is not locked out. The credential
/// before ends with that: to take the file away and restart is how one that leaked is replaced.
pub fn ensure_admin(
    folder: &Path,
    store: &dyn Store,
    server: String,
    ca: &str,
) -> Result<Written, CredentialError> {
    let path = folder.join("admin.json");
    let (token, written) = match read(&path)? {
        Some(kept) => (kept.token, Written::Kept(path.clone())),
        None => {
            let token = format!("{OPERATOR_TOKEN_PREFIX}{}", random_hex::<SECRET_BYTES>()?);
            (token, Written::New(path.clone()))
        }
    };
    let credential = Credential {
        server,
        token,
        ca: ca.to_owned(),
    };
    // First the file: a credential that nobody has is of no use, one not on record yet will be.
    if !is_private(&path) || read(&path)?.as_ref() != Some(&credential) {
        write_private(&path, &document(&credential))?;
    }
    record(store, Digest::of(credential.token.as_bytes()))?;
    Ok(written)
}

/// Makes a token the administrator's, and no other.
fn record(store: &dyn Store, token: Digest) -> Result<(), StoreError> {
    if store.operator(&token)?.is_none() {
        store.put_operator(OperatorRecord {
            name: ADMIN.to_owned(),
            role: Role::Admin,
            token,
            created: Timestamp::now(),
        })?;
    }
    let before = store.operators()?.into_iter();
    let before = before.filter(|known| known.name == ADMIN && known.token != token);
    for known in before {
        store.remove_operator(&known.token)?;
        tracing::warn!(
            operator.name = ADMIN,
            "the administrator's credential before was ended"
        );
    }
    Ok(())
}

/// Whether nobody but its owner may read a file.
fn is_private(path: &Path) -> bool {
    let mode = std::fs::metadata(path).map(|found| found.permissions().mode());
    mode.is_ok_and(|mode| mode & 0o077 == 0)
}

fn read(path: &Path) -> Result<Option<Credential>, CredentialError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(CredentialError::File(PkiError::File {
                doing: "read",
                path: path.to_owned(),
                source,
            }));
        }
    };
    serde_json::from_slice(&text)
        .ok()
        .filter(|credential: &Credential| is_token(&credential.token))
        .map(Some)
        .ok_or_else(|| CredentialError::Malformed(path.to_owned()))
}

/// Whether a token is one that we made: nobody gets in with an empty one, or with `changeme`.
fn is_token(text: &str) -> bool {
    let digits = text.strip_prefix(OPERATOR_TOKEN_PREFIX);
    digits.is_some_and(|digits| {
        let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        digits.len() == 2 * SECRET_BYTES && digits.bytes().all(is_digit)
    })
}

fn document(value: &impl Serialize) -> Vec<u8> {
    // Strings only: it always serialises.
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_listener_on_every_address_is_reached_on_the_loopback() {
        assert_eq!(
            url("0.0.0.0:7441".parse().unwrap()),
            "https://127.0.0.1:7441"
        );
        assert_eq!(url("[::]:7441".parse().unwrap()), "https://[::1]:7441");
        assert_eq!(url("10.0.0.7:1".parse().unwrap()), "https://10.0.0.7:1");
    }

    #[test]
    fn a_token_that_somebody_made_up_is_none() {
        let made = format!("hfo_{}", random_hex::<32>().unwrap());
        assert!(is_token(&made));
        for wrong in [
            "",
            "hfo_",
            "changeme",
            &made[1..],
            &made[..60],
            &made.to_uppercase(),
        ] {
            assert!(!is_token(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn others_are_told_the_name_that_the_operator_gave() {
        let everywhere = "0.0.0.0:7440".parse().unwrap();
        let names = |name: &str| [String::new(), name.to_owned()];
        assert_eq!(
            public_url(everywhere, &names("Deploy.Example")),
            "https://deploy.example:7440"
        );
        assert_eq!(
            public_url(everywhere, &names("2001:db8::1")),
            "https://[2001:db8::1]:7440"
        );
        assert!(!public_url(everywhere, &[]).contains("0.0.0.0"));
        let here = "10.0.0.7:7440".parse().unwrap();
        assert_eq!(public_url(here, &[]), "https://10.0.0.7:7440");
    }
}
