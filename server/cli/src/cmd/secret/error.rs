//! What can go wrong with secrets. No message holds a byte of one.

use std::io;
use std::path::PathBuf;

use holdfast_secrets::{EncryptError, IdentityError, OpenError, RecipientError, values};

/// Why a secret was not encrypted, opened or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    /// `holdfast.yaml` names nobody to encrypt to, or somebody who is none.
    #[error("nobody can be encrypted to")]
    Recipients(#[source] RecipientError),
    /// It was not encrypted.
    #[error("the secret was not encrypted")]
    Encrypt(#[from] EncryptError),
    /// A file cannot be read or written.
    #[error("cannot {doing} {}", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// No identity was named.
    #[error("there is no identity to open secrets with")]
    NoIdentity,
    /// A file that should hold an identity does not.
    #[error("{} cannot be used as an identity", path.display())]
    Identity {
        path: PathBuf,
        #[source]
        source: IdentityError,
    },
    /// A secret does not open.
    #[error("{place} cannot be opened")]
    Open {
        place: String,
        #[source]
        source: OpenError,
    },
    /// A value in a YAML file has no end.
    #[error("{} cannot be read", path.display())]
    Endless {
        path: PathBuf,
        #[source]
        source: values::Endless,
    },
    /// A YAML file has no such value, or more than one.
    #[error("{}", which(path, wanted))]
    Which {
        path: PathBuf,
        wanted: Option<String>,
        known: Vec<String>,
    },
    /// A name that no variable has.
    #[error("`{0}` is no variable's name; one looks like `mongodb.password`")]
    Name(String),
    /// More than is sealed.
    #[error(
        "the secret has more than {} bytes",
        holdfast_schemas::secret::MAX_SEALED
    )]
    TooLarge,
    /// Nothing at all: more often a command that failed than a secret.
    #[error("there is nothing to encrypt; nothing was changed")]
    Empty,
    /// What is to be encrypted is an age file.
    #[error("it is encrypted already; nothing was changed")]
    Twice,
    /// The editor did not end well.
    #[error("the editor `{command}` failed; nothing was changed")]
    Editor {
        command: String,
        #[source]
        source: Option<io::Error>,
    },
    /// A file that would be overwritten.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// A secret that is in no catalog.
    #[error("no host gets {name}")]
    Unknown {
        name: String,
        nearest: Option<String>,
    },
}

fn which(path: &std::path::Path, wanted: &Option<String>) -> String {
    match wanted {
        Some(wanted) => format!("{} has no one encrypted value `{wanted}`", path.display()),
        None => format!("{} has no one encrypted value", path.display()),
    }
}

impl SecretError {
    /// Makes one of an I/O failure.
    pub(crate) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            doing,
            path,
            source,
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Recipients(_) => "name them in holdfast.yaml: `secrets: {recipients: {ada: \
                                    age1…, server: age1…}}`; `holdfast status` shows the server's own"
                .to_owned(),
            Self::NoIdentity => {
                "name the file with --identity FILE or HOLDFAST_IDENTITY; `holdfast secret keygen \
                 FILE` makes one"
                    .to_owned()
            }
            Self::Open {
                source: OpenError::NotForUs { .. },
                ..
            } => "somebody who is a recipient has to run `holdfast secret rotate`".to_owned(),
            Self::Open { .. } => "encrypt it anew with `holdfast secret encrypt`".to_owned(),
            Self::Which { known, .. } if known.is_empty() => {
                "`holdfast secret encrypt NAME` makes a value to paste".to_owned()
            }
            Self::Which { path, known, .. } => {
                let named = known
                    .iter()
                    .map(|name| format!("{}:{name}", path.display()));
                format!("it has {}", named.collect::<Vec<_>>().join(", "))
            }
            Self::Unknown { nearest, .. } => match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`holdfast secret who` lists them".to_owned(),
            },
            _ => return None,
        })
    }
}
