//! A host as it would be once earlier resources were applied: what a no-op run looks at.
//!
//! The run looks at a resource, and if it differs tells the overlay, which from then on answers as
//! if it had been applied: the folder is there, the file holds that, the user exists. What cannot
//! be foreseen (what a package brings, what a command does) is not made up: the overlay only
//! remembers that it was to happen, so that what is found missing afterwards can be called unknown.

mod accounts;
mod paths;
mod probe;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::{Content, PackageState, Spec};

use self::paths::Assumed;
use super::accounts::Accounts;
use super::{HostError, Probe};

/// A host seen through what earlier resources would have made of it.
pub struct Overlay<'a> {
    base: &'a dyn Probe,
    paths: BTreeMap<String, Assumed>,
    accounts: Option<Arc<Accounts>>,
    next: u32,
    unforeseen: Vec<String>,
}

/// Numbers of accounts that would be made with a number of the system's choosing begin here, far
/// above what a system chooses.
const FIRST_ASSUMED: u32 = 0xf000_0000;

impl<'a> Overlay<'a> {
    /// The host as it is.
    pub fn new(base: &'a dyn Probe) -> Self {
        Self {
            base,
            paths: BTreeMap::new(),
            accounts: None,
            next: FIRST_ASSUMED,
            unforeseen: Vec::new(),
        }
    }

    /// Takes a resource that differs as applied.
    pub fn assume(&mut self, spec: &Spec) -> Result<(), HostError> {
        match spec {
            Spec::File(file) => self.assume_file(file),
            Spec::Directory(folder) => self.assume_directory(folder),
            Spec::Symlink(link) => self.assume_symlink(link),
            Spec::User(user) => self.assume_user(user),
            Spec::Group(group) => self.assume_group(group),
            Spec::Package(package) => {
                let verb = match package.state {
                    PackageState::Installed | PackageState::Latest => "installing",
                    PackageState::Absent | PackageState::Purged => "removing",
                };
                self.unforeseen
                    .push(format!("what {verb} package {} changes", package.name));
                Ok(())
            }
            Spec::Exec(exec) => {
                let program = super::command::program_of(&exec.command);
                self.unforeseen
                    .push(format!("what the command {program:?} changes"));
                Ok(())
            }
            Spec::Service(_) => Ok(()),
        }
    }

    /// What cannot be foreseen and would have happened by now; empty when all can. A resource
    /// that fails to be observed because something is missing may find it there after all.
    pub fn unforeseen(&self) -> &[String] {
        &self.unforeseen
    }

    fn on_base(&self, path: &HostPath) -> Result<HostPath, HostError> {
        let settled = self.settle(path)?;
        let refused = |error: holdfast_schemas::HostPathError| {
            HostError::refused(&settled, error.to_string())
        };
        settled.parse().map_err(refused)
    }

    /// The assumed content of a file, if it is assumed.
    fn content_of(&self, path: &HostPath) -> Result<Option<&Content>, HostError> {
        match self.assumed(&self.settle(path)?) {
            Some(Assumed::File(_, content)) => Ok(content.as_ref()),
            _ => Ok(None),
        }
    }
}
