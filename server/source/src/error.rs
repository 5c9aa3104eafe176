//! Why a site could not be read.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::{LocationError, SinkError};

/// What gix says of a failure.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failure to read a site. Nothing about it is the content's fault: what a site may not hold
/// becomes an entry of the snapshot, and the compiler says so with a position.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The location is not one of a site.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// A file or folder could not be read.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A repository could not be read.
    #[error("cannot {action} in the repository {}", path.display())]
    Repository {
        /// What was tried.
        action: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What gix said.
        #[source]
        source: Cause,
    },
    /// The repository has no commit on the branch.
    #[error("the repository {} has no commit on {branch} yet; commit a site to it", path.display())]
    Empty {
        /// Where it is.
        path: PathBuf,
        /// The branch.
        branch: String,
    },
    /// No such branch, tag or commit.
    #[error("there is no revision {revision:?} in {}", path.display())]
    UnknownRevision {
        /// What was asked for.
        revision: String,
        /// Where.
        path: PathBuf,
        /// What gix said.
        #[source]
        source: Cause,
    },
    /// A name that cannot be a branch.
    #[error("{0:?} cannot be the name of a branch")]
    BadBranch(String),
    /// A plain folder has no revisions.
    #[error("{} is a plain folder and has no revision {revision:?}; put it into a Git repository", path.display())]
    NoRevisions {
        /// The folder.
        path: PathBuf,
        /// What was asked for.
        revision: String,
    },
    /// A folder that no repository holds.
    #[error("{} lies in no Git repository, so it has no revisions", path.display())]
    NoRepository {
        /// The folder.
        path: PathBuf,
    },
    /// A commit that does not hold the site's folder.
    #[error("commit {revision} has no folder {}", folder.display())]
    NoFolder {
        /// The folder, as the repository names it.
        folder: PathBuf,
        /// The commit.
        revision: String,
    },
    /// More files than a site may have.
    #[error("the site has more than {limit} files and folders")]
    TooManyFiles {
        /// The limit.
        limit: usize,
    },
    /// More text than a site may have.
    #[error(
        "the texts of the site have more than {limit} bytes together; content belongs under roles/ROLE/files/"
    )]
    TooMuchText {
        /// The limit.
        limit: u64,
    },
    /// A file changed while it was read.
    #[error("{path:?} changed while the site was read; read it again")]
    Changed {
        /// The file in the site.
        path: String,
    },
    /// The content of a file could not be kept.
    #[error("the content of {path:?} could not be kept")]
    Sink {
        /// The file in the site.
        path: String,
        /// Why.
        #[source]
        source: SinkError,
    },
    /// The `git` program could not be started.
    #[error("cannot run git; is it installed?")]
    NoGit(#[source] io::Error),
    /// The `git` program failed.
    #[error("git {action} {url} failed: {said}")]
    Git {
        /// What it was to do.
        action: &'static str,
        /// Where; without credentials.
        url: String,
        /// The end of what it said.
        said: String,
    },
    /// The `git` program did not end.
    #[error("git {action} {url} did not end within {deadline:?} and was stopped")]
    Deadline {
        /// What it was to do.
        action: &'static str,
        /// Where; without credentials.
        url: String,
        /// How long it had.
        deadline: Duration,
    },
}

impl SourceError {
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}
