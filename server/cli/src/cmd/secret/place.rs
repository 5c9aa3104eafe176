//! Where a secret stands: a file that is encrypted whole, or a value in a YAML file.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use holdfast_secrets::values::{self, Value};
use holdfast_secrets::{Form, is_encrypted};

use super::SecretError;

/// A secret in the repo, as it stands there.
#[derive(Debug)]
pub(crate) enum Place {
    /// A file; empty if it is not there yet.
    File {
        path: PathBuf,
        encrypted: Vec<u8>,
        form: Form,
    },
    /// A value.
    Value {
        path: PathBuf,
        text: String,
        value: Value,
    },
}

impl Place {
    /// Finds `FILE` or `FILE:dotted.path`.
    pub(crate) fn find(named: &str) -> Result<Self, SecretError> {
        let whole = Path::new(named);
        if whole.exists() || !named.contains(':') {
            return Self::in_file(whole, None);
        }
        match named.rsplit_once(':') {
            Some((path, wanted)) => Self::in_file(Path::new(path), Some(wanted)),
            None => Self::in_file(whole, None),
        }
    }

    fn in_file(path: &Path, wanted: Option<&str>) -> Result<Self, SecretError> {
        let is_new = wanted.is_none() && path.extension().is_some_and(|end| end == "age");
        let bytes = match fs::read(path) {
            Err(error) if is_new && error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(SecretError::file("read", path))?,
        };
        let path = path.to_owned();
        if bytes.is_empty() || is_encrypted(&bytes) {
            let form = form_of(&bytes);
            let encrypted = bytes;
            return Ok(Self::File {
                path,
                encrypted,
                form,
            });
        }
        let text = String::from_utf8(bytes).unwrap_or_default();
        let found = values::find(&text);
        let found = found.map_err(|source| SecretError::Endless {
            path: path.clone(),
            source,
        })?;
        let mut fitting = found.iter().filter(|value| fits(&value.path, wanted));
        match (fitting.next(), fitting.next()) {
            (Some(value), None) => Ok(Self::Value {
                value: value.clone(),
                path,
                text,
            }),
            _ => Err(SecretError::Which {
                path,
                wanted: wanted.map(str::to_owned),
                known: found.into_iter().map(|value| value.path).collect(),
            }),
        }
    }

    /// The age file, if there is one yet.
    pub(crate) fn encrypted(&self) -> Option<&[u8]> {
        match self {
            Self::File { encrypted, .. } if encrypted.is_empty() => None,
            Self::File { encrypted, .. } => Some(encrypted),
            Self::Value { value, .. } => Some(value.armored.as_bytes()),
        }
    }

    /// In which form it stands.
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::File { form, .. } => *form,
            Self::Value { .. } => Form::Armored,
        }
    }

    /// Puts another age file in its place.
    pub(crate) fn put(&self, encrypted: &[u8]) -> Result<(), SecretError> {
        match self {
            Self::File { path, .. } => write(path, encrypted),
            Self::Value { path, text, value } => {
                let armored = String::from_utf8_lossy(encrypted).into_owned();
                write(path, values::replace(text, [(value, armored)]).as_bytes())
            }
        }
    }

    /// What to call it when it is edited.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File { path, .. } => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.strip_suffix(".age").unwrap_or(&name).to_owned()
            }
            Self::Value { value, .. } => value.path.replace('/', "-"),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { path, .. } => write!(f, "{}", path.display()),
            Self::Value { path, value, .. } => write!(f, "{}:{}", path.display(), value.path),
        }
    }
}

/// The form of an age file; of a new one, the shorter.
pub(crate) fn form_of(encrypted: &[u8]) -> Form {
    match encrypted.starts_with(b"-----") {
        true => Form::Armored,
        false => Form::Binary,
    }
}

/// Whether a value is meant: by its whole path, or by its end, as templates name it.
fn fits(path: &str, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| {
        path == wanted
            || path
                .strip_suffix(wanted)
                .is_some_and(|before| before.ends_with('.'))
    })
}

/// Writes a file whole, or leaves it as it is; its mode stays.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), SecretError> {
    let written = || {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        let mode = match fs::metadata(path) {
            Ok(found) => found.permissions(),
            Err(_) => std::os::unix::fs::PermissionsExt::from_mode(0o644),
        };
        file.as_file().set_permissions(mode)?;
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(|failed| failed.error)
    };
    written().map_err(SecretError::file("write", path))
}
