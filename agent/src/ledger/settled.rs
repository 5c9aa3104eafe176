//! The mark that spares a quiet run the ledger: "the journal, as long as it is exactly this one,
//! agrees with that catalog, and nothing is owed".
//!
//! It is a convenience and no truth: written without waiting for the disk, believed only when its
//! checksum, its catalog and its journal all fit.

use std::fs;
use std::path::Path;

use holdfast_schemas::Digest;
use holdfast_schemas::resource::ResourceId;
use serde::{Deserialize, Serialize};

use super::JOURNAL;
use super::journal::Identity;
use super::record::{seal, unseal};
use crate::durable::DiskError;

const FILE: &str = "settled";

/// What the journal agrees with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settled {
    /// The catalog.
    pub(crate) catalog: Digest,
    /// The journal that agrees with it.
    pub(crate) journal: Identity,
    /// What Holdfast made and the catalog does not name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) orphans: Vec<ResourceId>,
}

impl Settled {
    /// The mark of a ledger's folder, if it holds for this catalog.
    pub(crate) fn holds(folder: &Path, catalog: &Digest) -> Option<Self> {
        let line = fs::read(folder.join(FILE)).ok()?;
        let payload = unseal(line.strip_suffix(b"\n")?)?;
        let mark: Self = serde_json::from_slice(payload).ok()?;
        let journal = Identity::of(&folder.join(JOURNAL))?;
        (mark.catalog == *catalog && mark.journal == journal).then_some(mark)
    }

    /// Leaves the mark.
    pub(super) fn write(&self, folder: &Path) -> Result<(), DiskError> {
        let path = folder.join(FILE);
        // Digests, numbers and names always serialise.
        let payload = serde_json::to_vec(self).unwrap_or_default();
        fs::write(&path, seal(&payload)).map_err(DiskError::io("write", &path))
    }
}
