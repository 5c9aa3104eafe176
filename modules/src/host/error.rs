//! Why a host could not be looked at or changed: a variant per operation, the cause in `source()`.

use std::io;
use std::time::Duration;

use holdfast_schemas::Digest;

/// Why a host could not be looked at or changed.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A system call on a path failed.
    #[error("cannot {action} {path}")]
    Path {
        /// What was tried, as an infinitive.
        action: &'static str,
        /// Where.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The folder that is to hold something is not there.
    #[error("the folder {parent} that is to hold {path} is missing, and nothing made it")]
    MissingParent {
        /// What was to be put there.
        path: String,
        /// The folder.
        parent: String,
    },
    /// A link in a parent folder that somebody else could have planted.
    #[error("{link} is a symbolic link that {planter} could have planted: it is not followed")]
    PlantedLink {
        /// The link.
        link: String,
        /// Who could have: the owner of the link, or whoever may change the folder that holds it.
        planter: String,
    },
    /// A file of several names, one of which somebody else could have given it.
    #[error(
        "{path} is another name (a hard link) of some file, which {planter} could have made: its \
         owner and mode are not set"
    )]
    PlantedName {
        /// The name.
        path: String,
        /// Who could have: whoever may change the folder that holds it.
        planter: String,
    },
    /// Links that lead to links without an end.
    #[error("{path} leads through more than {limit} symbolic links")]
    LinkLoop {
        /// Where.
        path: String,
        /// How many links are followed.
        limit: usize,
    },
    /// Something other than what was needed is at a path.
    #[error("{path} is a {found}, not a {expected}")]
    WrongType {
        /// Where.
        path: String,
        /// What is there.
        found: &'static str,
        /// What was needed.
        expected: &'static str,
    },
    /// What is wanted would destroy something, and the specification does not allow it.
    #[error("{path}: {reason}")]
    Refused {
        /// Where.
        path: String,
        /// What is in the way and what would allow it.
        reason: String,
    },
    /// A file that became another while it was looked at.
    #[error("{path} was replaced while it was read; the next run reads it again")]
    Replaced {
        /// Where.
        path: String,
    },
    /// A file longer than what may be read into memory.
    #[error("{path} is longer than {limit} bytes")]
    TooLong {
        /// Where.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// Content that could not be had.
    #[error("the content {digest} is not available")]
    Content {
        /// Which.
        digest: Digest,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Content with secrets in it that could not be opened.
    #[error("the content with {secrets} cannot be opened")]
    Sealed {
        /// Their names.
        secrets: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Content that is not what its name says.
    #[error("the content for {path} has digest {found}, not {wanted} as declared; nothing changed")]
    WrongContent {
        /// The file it was for.
        path: String,
        /// The digest declared.
        wanted: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// New content did not pass its check.
    #[error("the new content of {path} was refused by its check ({status}); the file is as it was{}", show(.output))]
    Invalid {
        /// The file it was for.
        path: String,
        /// How the check ended.
        status: String,
        /// What it printed.
        output: String,
    },
    /// A program could not be started.
    #[error("cannot run {program}")]
    Start {
        /// Which.
        program: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A program was killed at its deadline.
    #[error("{program} did not end within {} s and was killed with its process group", .deadline.as_secs_f32())]
    Deadline {
        /// Which.
        program: String,
        /// How long it had.
        deadline: Duration,
    },
    /// A program was ended because the run was asked to end.
    #[error("{program} was ended with its process group, because the run was asked to end")]
    BrokenOff {
        /// Which.
        program: String,
    },
    /// A program said no.
    #[error("{program} failed with {status}{}", show(.output))]
    Program {
        /// Which.
        program: String,
        /// `exit status 1`, `signal 9`.
        status: String,
        /// The end of what it printed.
        output: String,
    },
    /// The host lacks a facility.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// A name that no user or group has.
    #[error("there is no {what} {name:?} on this host")]
    NoSuchAccount {
        /// `user` or `group`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A unit that the init system does not know.
    #[error("there is no unit {unit} on this host, and nothing before this resource brings it")]
    NoSuchUnit {
        /// The unit.
        unit: String,
    },
    /// What a program or a file of the system said cannot be understood.
    #[error("{what} cannot be understood: {detail}")]
    Garbled {
        /// Which program or file.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl HostError {
    /// A system call on a path failed.
    pub fn path(action: &'static str, path: impl ToString, source: impl Into<io::Error>) -> Self {
        Self::Path {
            action,
            path: path.to_string(),
            source: source.into(),
        }
    }

    /// What is wanted would destroy something.
    pub fn refused(path: impl ToString, reason: impl Into<String>) -> Self {
        Self::Refused {
            path: path.to_string(),
            reason: reason.into(),
        }
    }
}

fn show(output: &str) -> String {
    match output.trim() {
        "" => String::new(),
        text => format!(": {text}"),
    }
}
