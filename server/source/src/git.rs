//! A site in a Git repository at a revision: read from its objects, without a working tree.
//!
//! Nothing of the repository is run, and neither the user's nor the system's configuration is
//! looked at. An object's length is asked for before it is loaded. Git's objects are compressed and
//! may be stored as differences, so each is loaded whole: one at a time, of at most
//! [`MAX_CONTENT`](holdfast_catalog::site::MAX_CONTENT) (256 MiB). From a folder, content streams.

use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use holdfast_catalog::site::{Entry, Snapshot};

use crate::error::Cause;
use crate::intake::{Intake, MAX_DEPTH, entry_name, is_outside, joined};
use crate::{ContentSink, Revision, SourceError};

/// Largest object that lists a folder, in bytes: two hundred thousand names of ordinary length.
const MAX_TREE: u64 = 16 * 1024 * 1024;

/// Longest target of a link that is shown, in bytes (PATH_MAX).
const MAX_TARGET: u64 = 4096;

/// A repository on this machine.
#[derive(Debug)]
pub(crate) struct Repository {
    path: PathBuf,
    branch: Option<String>,
    /// The folder of the repository that is the site; all of it where empty.
    folder: PathBuf,
}

/// Whether a folder is a repository, bare or with a working tree.
pub(crate) fn is_repository(path: &Path) -> bool {
    let bare =
        path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("refs").is_dir();
    bare || path.join(".git").exists()
}

/// Refuses what cannot be a branch, so that no option or pattern gets near a command line.
pub(crate) fn checked_branch(name: &str) -> Result<&str, SourceError> {
    let special = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let bad = name.is_empty()
        || name.len() > 255
        || name.starts_with(['-', '/', '.'])
        || name.ends_with(['/', '.'])
        || name.contains("..")
        || name.contains("//")
        || name.contains("/.")
        || name.contains("@{")
        || name.split('/').any(|part| part.ends_with(".lock"))
        || name.chars().any(special);
    if bad {
        return Err(SourceError::BadBranch(name.to_owned()));
    }
    Ok(name)
}

impl Repository {
    pub(crate) fn new(path: PathBuf, branch: Option<String>) -> Self {
        Self {
            path,
            branch,
            folder: PathBuf::new(),
        }
    }

    /// The same, for a site in a folder of the repository.
    pub(crate) fn within(self, folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            ..self
        }
    }

    fn open(&self) -> Result<gix::Repository, SourceError> {
        let opened = gix::open_opts(&self.path, gix::open::Options::isolated());
        opened.map_err(|error| self.failed("open what is there")(error.into()))
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(Cause) -> SourceError + use<> {
        let path = self.path.clone();
        move |source| SourceError::Repository {
            action,
            path,
            source,
        }
    }

    /// The commit at the tip of the branch: the one asked for, else that of HEAD.
    pub(crate) fn head(&self) -> Result<Revision, SourceError> {
        let repo = self.open()?;
        let name = match &self.branch {
            Some(branch) => format!("refs/heads/{}", checked_branch(branch)?),
            None => "HEAD".to_owned(),
        };
        let found = repo.try_find_reference(name.as_str());
        let found = found.map_err(|error| self.failed("look up the branch")(error.into()))?;
        let empty = || SourceError::Empty {
            path: self.path.clone(),
            branch: self.branch.clone().unwrap_or_else(|| "HEAD".to_owned()),
        };
        let mut found = found.ok_or_else(empty)?;
        // HEAD of a repository without a commit names a branch that is not there.
        if self.branch.is_none() && repo.head().is_ok_and(|head| head.is_unborn()) {
            return Err(empty());
        }
        let commit = found.peel_to_commit();
        let commit = commit.map_err(|error| self.failed("read the newest commit")(error.into()))?;
        Ok(Revision::commit(&commit.id.to_string()))
    }

    /// The commit that a branch, a tag or a shortened digest means.
    pub(crate) fn resolve(&self, text: &str) -> Result<Revision, SourceError> {
        let repo = self.open()?;
        let unknown = |source: Cause| SourceError::UnknownRevision {
            revision: text.to_owned(),
            path: self.path.clone(),
            source,
        };
        let found = repo
            .rev_parse_single(text)
            .map_err(|error| unknown(error.into()))?;
        let object = found.object().map_err(|error| unknown(error.into()))?;
        let commit = object
            .peel_to_kind(gix::objs::Kind::Commit)
            .map_err(|error| unknown(error.into()))?;
        Ok(Revision::commit(&commit.id.to_string()))
    }

    /// Reads the site at a commit.
    pub(crate) fn read(
        &self,
        revision: &Revision,
        sink: &mut dyn ContentSink,
    ) -> Result<Snapshot, SourceError> {
        let repo = self.open()?;
        let unknown = |source: Cause| SourceError::UnknownRevision {
            revision: revision.to_string(),
            path: self.path.clone(),
            source,
        };
        let id = ObjectId::from_hex(revision.as_str().as_bytes());
        let id = id.map_err(|error| unknown(error.into()))?;
        let commit = repo
            .find_commit(id)
            .map_err(|error| unknown(error.into()))?;
        let tree = self.site(&commit)?;
        let mut reader = Reader {
            repository: self,
            repo: &repo,
            intake: Intake::new(revision.to_string(), sink),
        };
        reader.tree(tree, "", 0)?;
        Ok(reader.intake.finish())
    }

    /// The folder of a commit that is the site.
    fn site(&self, commit: &gix::Commit<'_>) -> Result<ObjectId, SourceError> {
        let unreadable = |error: Cause| self.failed("read the commit")(error);
        let tree = commit.tree().map_err(|error| unreadable(error.into()))?;
        if self.folder.as_os_str().is_empty() {
            return Ok(tree.id);
        }
        let entry = tree.lookup_entry_by_path(&self.folder);
        let entry = entry.map_err(|error| unreadable(error.into()))?;
        let folder = entry.filter(|entry| entry.mode().is_tree());
        let missing = || SourceError::NoFolder {
            folder: self.folder.clone(),
            revision: commit.id.to_string(),
        };
        Ok(folder.ok_or_else(missing)?.object_id())
    }
}

struct Reader<'a> {
    repository: &'a Repository,
    repo: &'a gix::Repository,
    intake: Intake<'a>,
}

impl Reader<'_> {
    fn size(&self, id: ObjectId) -> Result<u64, SourceError> {
        let header = self.repo.find_header(id);
        let header = header.map_err(|error| self.failed("look up an object")(error.into()))?;
        Ok(header.size())
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(Cause) -> SourceError + use<> {
        self.repository.failed(action)
    }

    fn load(&self, id: ObjectId) -> Result<Vec<u8>, SourceError> {
        let object = self.repo.find_object(id);
        let object = object.map_err(|error| self.failed("read an object")(error.into()))?;
        Ok(object.detach().data)
    }

    fn tree(&mut self, id: ObjectId, folder: &str, depth: usize) -> Result<(), SourceError> {
        let size = self.size(id)?;
        if size > MAX_TREE {
            let limit = MAX_TREE;
            let path = joined(folder, ".");
            self.intake.add(path, Entry::TooLarge { size, limit });
            return Ok(());
        }
        let bytes = self.load(id)?;
        for entry in gix::objs::TreeRefIter::from_bytes(&bytes, id.kind()) {
            let entry = entry.map_err(|error| self.failed("read a tree")(error.into()))?;
            let name: &[u8] = entry.filename;
            if depth == 0 && is_outside(name) {
                continue;
            }
            self.intake.count()?;
            let shown = entry_name(name);
            let path = match &shown {
                Ok(name) => joined(folder, name),
                Err(escaped) => joined(folder, escaped),
            };
            // Git itself would not write these names into a working tree.
            let odd = matches!(name, b"" | b"." | b".." | b".git")
                || name.iter().any(|&byte| matches!(byte, b'/' | 0));
            match entry.mode.kind() {
                _ if shown.is_err() => self.intake.foreign(path, "a name that is not UTF-8"),
                _ if odd => self.intake.foreign(path, "a name that no file can have"),
                EntryKind::Tree if depth >= MAX_DEPTH => self
                    .intake
                    .foreign(path, format!("a folder deeper than {MAX_DEPTH}")),
                EntryKind::Tree => self.tree(entry.oid.to_owned(), &path, depth + 1)?,
                EntryKind::Blob | EntryKind::BlobExecutable => {
                    self.blob(entry.oid.to_owned(), path)?;
                }
                EntryKind::Link => self.link(entry.oid.to_owned(), path)?,
                EntryKind::Commit => self.intake.foreign(path, "a submodule"),
            }
        }
        Ok(())
    }

    fn blob(&mut self, id: ObjectId, path: String) -> Result<(), SourceError> {
        let size = self.size(id)?;
        if self.intake.admits(&path, size)? {
            let bytes = self.load(id)?;
            self.intake.whole(path, bytes)?;
        }
        Ok(())
    }

    fn link(&mut self, id: ObjectId, path: String) -> Result<(), SourceError> {
        let target = match self.size(id)? {
            size if size > MAX_TARGET => format!("a path of {size} bytes"),
            _ => String::from_utf8_lossy(&self.load(id)?).into_owned(),
        };
        self.intake.add(path, Entry::Link { target });
        Ok(())
    }
}
