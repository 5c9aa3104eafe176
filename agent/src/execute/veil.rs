//! What is not shown of a file that may hold secrets of an earlier catalog.
//!
//! A catalog says which of its contents hold secrets, and of those nothing is shown. The content
//! that they replace, or are replaced by, says nothing: it is the ledger that remembers where
//! secrets were put. What is found at such a path, or is the same file under another name, is
//! called "other content": no diff, no digest (which can be guessed at), nothing that a check of
//! new content printed.

use std::collections::HashSet;

use holdfast_modules::Shown;
use holdfast_modules::harness::Enforced;
use holdfast_modules::host::{HostError, Probe, Stat};
use holdfast_schemas::HostPath;
use holdfast_schemas::report::Change;
use holdfast_schemas::resource::{Content, Resource, Spec};

use crate::ledger::{FileId, Knowledge, Memory, Veiled};

/// What stands for content that may be a secret.
const OTHER: &str = "other content";

/// What stands for a diff with it.
const NO_DIFF: &str =
    "content differs; what was found is not shown, for it may hold secrets of an earlier catalog\n";

/// What stands for the output of a check beside it.
const NO_OUTPUT: &str =
    "what the check printed is not shown: the file may hold secrets of an earlier catalog";

/// When it is asked whether a file may hold secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Nothing was done to it yet: it may be a file that held secrets under another name.
    Before,
    /// It was just written. Numbers of files that are gone are given to new ones, so only a path
    /// that leads to the same file as one with secrets now tells anything.
    After,
}

/// The paths where resources put contents with secrets, and which files are there now.
pub(super) fn sealed_in(resources: &[Resource], probe: &dyn Probe) -> Vec<Veiled> {
    let sealed = resources.iter().filter_map(|resource| {
        let file = file_of(resource)?;
        is_sealed(resource).then(|| at(&file.path, probe))
    });
    sealed.collect()
}

/// The paths that are remembered, and which files are there now.
pub(super) fn remembered(memory: &Memory, probe: &dyn Probe) -> Vec<Veiled> {
    memory.veiled().keys().map(|path| at(path, probe)).collect()
}

/// The files that are not shown, as they are at one moment.
pub(super) struct Veil {
    files: HashSet<FileId>,
}

impl Veil {
    /// Looks where the remembered files are; `None` where nothing has to be hidden.
    pub(super) fn drawn(memory: &Memory, probe: &dyn Probe, moment: Moment) -> Option<Self> {
        if memory.veiled().is_empty() && memory.knowledge() == Knowledge::Whole {
            return None;
        }
        let now = remembered(memory, probe).into_iter();
        let mut files: HashSet<FileId> = now.filter_map(|veiled| veiled.file).collect();
        if moment == Moment::Before {
            files.extend(memory.veiled().values().flatten());
        }
        Some(Self { files })
    }

    /// Whether what is found of a resource may be a secret of an earlier catalog. Of what holds
    /// secrets by its own word nothing is shown anyway.
    pub(super) fn is_over(&self, resource: &Resource, memory: &Memory, probe: &dyn Probe) -> bool {
        let Some(file) = file_of(resource).filter(|file| file.content.is_some()) else {
            return false;
        };
        if is_sealed(resource) {
            return false;
        }
        // A ledger that was lost may have known of secrets here.
        let unknown = memory.knowledge() == Knowledge::Lost && memory.entry(&resource.id).is_none();
        unknown
            || memory.veiled().contains_key(&file.path)
            || match probe.stat(&file.path) {
                Ok(None) => false,
                Ok(Some(stat)) => self.is_over_file(id_of(&stat)),
                // What cannot be looked at is not shown either.
                Err(_) => true,
            }
    }

    /// What an overlay assumes is no file yet, and may be one with secrets by another name.
    fn is_over_file(&self, file: FileId) -> bool {
        self.files.contains(&file) || (file == FileId::default() && !self.files.is_empty())
    }
}

/// The outcome without what may be secrets.
pub(super) fn over_outcome(enforced: Enforced) -> Enforced {
    match enforced {
        Enforced::InSync => Enforced::InSync,
        Enforced::Changed(shown) => Enforced::Changed(over(shown)),
        Enforced::NotConverged { tried, left } => Enforced::NotConverged {
            tried: over(tried),
            left: over(left),
        },
        Enforced::Failed { tried, error } => Enforced::Failed {
            tried: tried.map(over),
            error: over_error(error),
        },
    }
}

/// The differences without what may be secrets.
pub(super) fn over(mut shown: Shown) -> Shown {
    let content = |change: &&mut Change| change.property == "content";
    for change in shown.changes.iter_mut().filter(content) {
        change.from = change.from.take().map(|_| OTHER.to_owned());
    }
    shown.diff = shown.diff.take().map(|_| NO_DIFF.to_owned());
    shown
}

fn over_error(error: HostError) -> HostError {
    match error {
        HostError::Invalid { path, status, .. } => HostError::Invalid {
            path,
            status,
            output: NO_OUTPUT.to_owned(),
        },
        error => error,
    }
}

fn file_of(resource: &Resource) -> Option<&holdfast_schemas::resource::File> {
    match &resource.spec {
        Spec::File(file) => Some(file),
        _ => None,
    }
}

fn is_sealed(resource: &Resource) -> bool {
    let content = file_of(resource).and_then(|file| file.content.as_ref());
    matches!(content, Some(Content::Sealed { .. }))
}

fn at(path: &HostPath, probe: &dyn Probe) -> Veiled {
    Veiled {
        path: path.clone(),
        file: probe.stat(path).ok().flatten().map(|stat| id_of(&stat)),
    }
}

fn id_of(stat: &Stat) -> FileId {
    let (device, inode, ..) = stat.identity;
    FileId { device, inode }
}
