//! One side of a comparison: the site at a revision, or the working tree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use holdfast_catalog::{Site, Snapshot};
use holdfast_schemas::Digest;
use holdfast_source::{Discard, Revision, Source};

use crate::error::CliError;
use crate::offline::{Collect, SiteArgs};
use crate::words;

/// A state of the site, read and not parsed yet.
pub(super) struct Side {
    source: Source,
    revision: Revision,
    folder: PathBuf,
    pub(super) snapshot: Snapshot,
}

impl Side {
    /// The folder as it stands, committed or not.
    pub(super) fn working_tree(site: &SiteArgs) -> Result<Self, CliError> {
        let source = Source::working_tree(site.folder()).map_err(site.unreadable())?;
        Self::read(site, source, Revision::working_tree())
    }

    /// What was committed: a branch, a tag, a commit, `HEAD~2`.
    pub(super) fn committed(site: &SiteArgs, revision: &str) -> Result<Self, CliError> {
        let source = Source::committed(site.folder()).map_err(site.unreadable())?;
        let revision = source.resolve(revision).map_err(site.unreadable())?;
        Self::read(site, source, revision)
    }

    fn read(site: &SiteArgs, source: Source, revision: Revision) -> Result<Self, CliError> {
        let snapshot = source.read(&revision, &mut Discard);
        Ok(Self {
            snapshot: snapshot.map_err(site.unreadable())?,
            source,
            revision,
            folder: site.folder().to_owned(),
        })
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        words::revision(self.revision.as_str())
    }

    /// Reads everything, or says what is wrong and in which revision.
    pub(super) fn parse(&self) -> Result<Site, CliError> {
        Site::parse(&self.snapshot).map_err(|wrong| CliError::InvalidAt {
            revision: self.name().to_owned(),
            diagnostics: wrong,
        })
    }

    /// The bytes of those content files that it has, by digest.
    pub(super) fn contents(
        &self,
        wanted: BTreeSet<Digest>,
    ) -> Result<BTreeMap<Digest, Vec<u8>>, CliError> {
        let mut sink = Collect::of(wanted);
        if !sink.is_complete() {
            let read = self.source.read(&self.revision, &mut sink);
            read.map_err(|source| CliError::Site {
                site: self.folder.clone(),
                source,
            })?;
        }
        Ok(sink.into_found())
    }
}
