//! What a host remembers of its packages between two looks: dpkg's files parsed, and what apt said
//! of candidates. Good for as long as dpkg's files are the same and no program has run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::dpkg::{Database, Version};
use super::policy::Policy;
use crate::host::HostError;

/// What is remembered of packages; a host owns one and forgets it when it runs a program.
#[derive(Debug, Default)]
pub struct Memo {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    version: Version,
    database: Option<Arc<Database>>,
    policies: BTreeMap<String, Policy>,
}

impl Memo {
    /// Forgets everything.
    pub fn forget(&self) {
        *self.kept() = Kept::default();
    }

    /// The database as remembered, or as read now. The lock is held meanwhile: of many that look
    /// at the same time, one reads and the others wait for what it read.
    pub(super) fn database(
        &self,
        version: Version,
        read: impl FnOnce() -> Result<Database, HostError>,
    ) -> Result<Arc<Database>, HostError> {
        let mut kept = self.kept();
        if let (Some(database), true) = (&kept.database, kept.version == version) {
            return Ok(Arc::clone(database));
        }
        let database = Arc::new(read()?);
        *kept = Kept {
            version,
            database: Some(Arc::clone(&database)),
            policies: BTreeMap::new(),
        };
        Ok(database)
    }

    /// What apt said of a package, if it was asked.
    pub(super) fn policy(&self, package: &str) -> Option<Policy> {
        self.kept().policies.get(package).cloned()
    }

    /// Remembers what apt said of a package.
    pub(super) fn keep_policy(&self, package: &str, policy: &Policy) {
        self.kept()
            .policies
            .insert(package.to_owned(), policy.clone());
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
