//! One way to read a site, wherever it is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_catalog::site::Snapshot;

use crate::git::{Repository, is_repository};
use crate::remote::Remote;
use crate::{ContentSink, Location, SourceError, folder};

/// How a site is read.
#[derive(Debug, Clone)]
pub struct Options {
    /// The branch that counts; that of HEAD unless named.
    pub branch: Option<String>,
    /// The folder in which copies of repositories elsewhere are kept.
    pub cache: PathBuf,
    /// How long one `git` command may take.
    pub deadline: Duration,
}

impl Options {
    /// HEAD's branch, and two minutes for a fetch: a first clone of half a gigabyte at 50 Mbit/s.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            branch: None,
            cache: cache.into(),
            deadline: Duration::from_secs(120),
        }
    }
}

/// A state of a site.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Revision(String);

impl Revision {
    /// The files of a folder as they are.
    pub fn working_tree() -> Self {
        Self("working tree".to_owned())
    }

    pub(crate) fn commit(digest: &str) -> Self {
        Self(digest.to_owned())
    }

    /// What it is called: a commit's digest, `folder-…`, or `working tree`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A site that can be read.
#[derive(Debug)]
pub struct Source {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Folder(PathBuf),
    Repository(Repository),
    Remote(Remote),
}

impl Source {
    /// Opens a site that is served: in a Git repository commits count, not the working tree; a
    /// folder that is no repository is taken as it is; a URL is fetched by [`Source::refresh`].
    pub fn open(location: &str, options: Options) -> Result<Self, SourceError> {
        let kind = match location.parse()? {
            Location::Path(path) if is_repository(&path) => {
                Kind::Repository(Repository::new(path, options.branch))
            }
            Location::Path(path) => Kind::Folder(existing(path)?),
            Location::Url(url) => Kind::Remote(Remote::open(
                url,
                options.branch,
                &options.cache,
                options.deadline,
            )?),
        };
        Ok(Self { kind })
    }

    /// Opens a folder as it is, committed or not: what an operator checks before committing.
    pub fn working_tree(path: impl Into<PathBuf>) -> Result<Self, SourceError> {
        Ok(Self {
            kind: Kind::Folder(existing(path.into())?),
        })
    }

    /// Opens what was committed of a folder: the repository that it is, or that it lies in.
    pub fn committed(path: impl AsRef<Path>) -> Result<Self, SourceError> {
        let path = path.as_ref();
        let found = std::fs::canonicalize(path);
        let folder = found.map_err(SourceError::file("find the site", path))?;
        let root = folder.ancestors().find(|above| is_repository(above));
        let root = root.ok_or_else(|| SourceError::NoRepository {
            path: path.to_owned(),
        })?;
        let inner = folder.strip_prefix(root).unwrap_or(Path::new(""));
        Ok(Self {
            kind: Kind::Repository(Repository::new(root.to_owned(), None).within(inner)),
        })
    }

    /// Fetches what is new, where the site is elsewhere. What fails leaves the last state.
    pub fn refresh(&self) -> Result<(), SourceError> {
        match &self.kind {
            Kind::Folder(_) | Kind::Repository(_) => Ok(()),
            Kind::Remote(remote) => remote.fetch(),
        }
    }

    /// The newest revision, cheaply: milliseconds, without reading the site.
    pub fn head(&self) -> Result<Revision, SourceError> {
        match &self.kind {
            Kind::Folder(path) => {
                let fingerprint = folder::fingerprint(path)?;
                Ok(Revision(format!("folder-{fingerprint:.16}")))
            }
            Kind::Repository(repository) => repository.head(),
            Kind::Remote(remote) => remote.head(),
        }
    }

    /// What an operator's word for a revision means: a branch, a tag, a commit.
    pub fn resolve(&self, text: &str) -> Result<Revision, SourceError> {
        match &self.kind {
            Kind::Folder(path) => Err(SourceError::NoRevisions {
                path: path.clone(),
                revision: text.to_owned(),
            }),
            Kind::Repository(repository) => repository.resolve(text),
            Kind::Remote(remote) => remote.copy().resolve(text),
        }
    }

    /// Reads the site at a revision. A folder has only its present state, whatever it is called.
    pub fn read(
        &self,
        revision: &Revision,
        sink: &mut dyn ContentSink,
    ) -> Result<Snapshot, SourceError> {
        match &self.kind {
            Kind::Folder(path) => folder::read(path, revision.to_string(), sink),
            Kind::Repository(repository) => repository.read(revision, sink),
            Kind::Remote(remote) => remote.copy().read(revision, sink),
        }
    }
}

fn existing(path: PathBuf) -> Result<PathBuf, SourceError> {
    let found = std::fs::metadata(&path);
    let found = found.map_err(SourceError::file("find the site", &path))?;
    if !found.is_dir() {
        return Err(SourceError::file("read as a folder", path)(
            std::io::ErrorKind::NotADirectory.into(),
        ));
    }
    Ok(path)
}
