//! What can keep a command from being carried out, with its causes and what to do about it.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use holdfast_catalog::Diagnostics;
use holdfast_client::{ClientError, SetupError};
use holdfast_schemas::HostName;
use holdfast_source::SourceError;

use crate::cmd::secret::SecretError;
use crate::exit::Exit;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The site cannot be read at all.
    #[error("the site in {} cannot be read", site.display())]
    Site {
        site: PathBuf,
        #[source]
        source: SourceError,
    },
    /// The site is wrong; the diagnostics are the message.
    #[error("{0}")]
    Invalid(Diagnostics),
    /// The site is wrong at a revision.
    #[error("the site does not compile ({revision})")]
    InvalidAt {
        revision: String,
        diagnostics: Diagnostics,
    },
    /// No host that the repo declares has such a name.
    #[error("the site declares no host {pattern}")]
    NoHost {
        pattern: String,
        nearest: Option<String>,
    },
    /// A run of nothing is no pass.
    #[error("the site has no tests")]
    NoTests,
    /// No test has such a name.
    #[error("no test has {0:?} in its name or in that of its file")]
    NoTest(String),
    /// The repo does not declare the host.
    #[error("the site declares no host {name}")]
    UnknownHost {
        name: HostName,
        nearest: Option<String>,
    },
    /// A site, or a part of one, is where one was to be made.
    #[error("{} is there already, and nothing is written over", .0.display())]
    InitOver(PathBuf),
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The file given with `--records` cannot be read.
    #[error("the records in {} cannot be read", path.display())]
    RecordsFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The file given with `--records` holds something else, or another form of it.
    #[error("{} holds no records of hosts that this version reads", path.display())]
    Records {
        path: PathBuf,
        #[source]
        source: Option<serde_json::Error>,
    },
    /// There is neither such a verb nor such a code.
    #[error("there is no verb and no code `{asked}`")]
    NoHelp {
        asked: String,
        nearest: Option<String>,
    },
    /// A line is named that cannot be one.
    #[error("{0:?} names no line of a file")]
    NoLine(String),
    /// The file of a line cannot be read.
    #[error("{} cannot be read", path.display())]
    LineFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A content file is not any more what it was a moment ago.
    #[error("the site in {} changed while it was read", .0.display())]
    Changed(PathBuf),
    /// The file given with `--facts` cannot be read.
    #[error("the facts in {} cannot be read", path.display())]
    FactsFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The file given with `--facts` holds no JSON object.
    #[error("the facts in {} are not a JSON object", path.display())]
    Facts {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    /// No credential was named, and there is none where `serve` puts it.
    #[error("there is no credential to reach a server with")]
    NoCredential,
    /// The credential cannot be read.
    #[error("the credential {} cannot be read", path.display())]
    CredentialFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The file is no credential.
    #[error("{} is not a credential", path.display())]
    Credential {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    /// The credential cannot be used.
    #[error("the credential {} cannot be used", path.display())]
    CredentialUse {
        path: PathBuf,
        #[source]
        source: SetupError,
    },
    /// The server was not reached, or refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The system gives no event loop.
    #[error("no connection can be made from here")]
    Runtime(#[source] io::Error),
    /// A secret was not encrypted, opened or changed.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The answer cannot be written.
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
    /// The answer cannot be written as JSON.
    #[error("the output cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl CliError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Invalid(_) | Self::InvalidAt { .. } => Exit::Invalid,
            Self::Client(_) => Exit::Server,
            _ => Exit::CouldNotRun,
        }
    }

    /// Whether nobody reads the output any more, as behind `| head`: no error to speak of.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        let kind = match self {
            Self::Output(error) => Some(error.kind()),
            Self::Json(error) => error.io_error_kind(),
            _ => None,
        };
        kind == Some(io::ErrorKind::BrokenPipe)
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Site {
                source:
                    SourceError::NoRepository { .. }
                    | SourceError::NoFolder { .. }
                    | SourceError::UnknownRevision { .. }
                    | SourceError::Empty { .. },
                ..
            } => Some(
                "a revision is a branch, a tag or a commit of the site's Git repository".into(),
            ),
            Self::Site { .. } => Some("name the folder of the catalog repo with --site DIR".into()),
            Self::Changed(_) => Some("read it again".into()),
            Self::NoLine(_) => Some("write FILE:LINE, as in groups/web.yaml:12".into()),
            Self::LineFile { .. } => {
                Some("name the file as the repo does, as in groups/web.yaml:12".into())
            }
            Self::NoTests => Some("they stand in tests/NAME.yaml".into()),
            Self::UnknownHost { nearest, .. } | Self::NoHost { nearest, .. } => nearest
                .as_ref()
                .map(|name| format!("did you mean `{name}`?"))
                .or_else(|| Some("`holdfast check` lists what the site declares".into())),
            Self::InitOver(_) => Some("name another folder: `holdfast init DIR`".into()),
            Self::RecordsFile { .. } | Self::Records { .. } => Some(
                "`holdfast hosts --export > FILE` writes such a file, asking a running server"
                    .into(),
            ),
            Self::NoHelp { nearest, .. } => Some(match nearest {
                Some(word) => format!("did you mean `{word}`?"),
                None => "`holdfast help` lists the verbs and the codes".into(),
            }),
            Self::FactsFile { .. } | Self::Facts { .. } => {
                Some("`holdfast-agent facts --json` writes such a file on the host".into())
            }
            Self::NoCredential | Self::CredentialFile { .. } | Self::Credential { .. } => Some(
                "name the file that `holdfast serve --data DATA` wrote, DATA/admin.json, with \
                 --credential FILE or HOLDFAST_CREDENTIAL"
                    .into(),
            ),
            Self::Client(error) => client_hint(error),
            Self::Secret(error) => error.hint(),
            _ => None,
        }
    }

    /// The causes, outermost first.
    pub(crate) fn causes(&self) -> Vec<String> {
        if let Self::Client(ClientError::Refused { problem, .. }) = self {
            let message = std::iter::once(problem.message.clone());
            return message.chain(problem.chain.iter().cloned()).collect();
        }
        let mut causes = Vec::new();
        let mut next = self.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // Wrappers that only repeat what they wrap say nothing twice.
            if causes.last() != Some(&text) {
                causes.push(text);
            }
            next = cause.source();
        }
        causes
    }
}

fn client_hint(error: &ClientError) -> Option<String> {
    match error {
        ClientError::Refused { problem, .. } => problem.hint.clone(),
        ClientError::Transport {
            transient, server, ..
        } => Some(match transient {
            true => {
                format!("is `holdfast serve` running, and listening for operators at {server}?")
            }
            false => "the server is not the one that the credential names: was it set up anew, or \
                      is this an old credential?"
                .into(),
        }),
        _ => None,
    }
}
