//! A tree of files in some folder, managed as if it were a host's: for images, for trying a
//! catalog out, for a demonstration without root.
//!
//! Files, folders and links are real, accounts are the ones in its own `etc`; what would need the
//! running system is unsupported, and says so. Nothing outside the folder is ever touched.

use std::path::Path;
use std::sync::Arc;

use nix::unistd::geteuid;

use super::accounts::Accounts;
use super::content::ContentSource;
use super::disk::{DiskHost, System};
use super::tree::Tree;
use super::{Facility, HostError, Invocation, Output, Query, Support};
use crate::package::Memo;

/// A tree of files in some folder.
pub type RootedHost = DiskHost<NoSystem>;

/// No system is running in a folder.
#[derive(Debug)]
pub struct NoSystem(());

/// Why there is none.
const NO_PROGRAMS: &str = "a root directory has no running system: no programs are run in it";

impl RootedHost {
    /// The tree in a folder that exists.
    pub fn new(root: &Path, content: Arc<dyn ContentSource>) -> Result<Self, HostError> {
        Ok(Self::with(Tree::new(root, content)?, NoSystem(())))
    }
}

impl System for NoSystem {
    fn query(&self, _query: &Query, _accounts: &Accounts) -> Result<Output, HostError> {
        Err(HostError::Unsupported(NO_PROGRAMS.to_owned()))
    }

    fn run(&self, _invocation: &Invocation, _accounts: &Accounts) -> Result<Output, HostError> {
        Err(HostError::Unsupported(NO_PROGRAMS.to_owned()))
    }

    fn supports(&self, facility: Facility) -> Support {
        let why = match facility {
            Facility::Ownership if geteuid().is_root() => return Support::Yes,
            Facility::Ownership => "only root can give files away",
            Facility::Programs => NO_PROGRAMS,
            Facility::Apt => {
                "a root directory has no running system: packages are not managed in it"
            }
            Facility::Systemd => "a root directory has no running system: it has no services",
        };
        Support::No(why.to_owned())
    }

    fn memo(&self) -> Option<&Memo> {
        None
    }
}
