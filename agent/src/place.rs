//! Which host is managed: this machine, or a tree of files in a folder (`--root`).

use std::path::PathBuf;
use std::sync::Arc;

use holdfast_modules::host::{ContentSource, Host, HostError, RealHost, RootedHost, Stop};
use holdfast_modules::inventory::Tree;

use crate::cli::Failure;

/// Where the host is that a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// This machine.
    Machine,
    /// A tree of files.
    Root(PathBuf),
}

/// A tree that is not there.
#[derive(Debug, thiserror::Error)]
#[error("{} is not a folder", .0.display())]
struct NoRoot(PathBuf);

impl Place {
    /// The place that an option names.
    pub(crate) fn from_option(root: Option<PathBuf>) -> Self {
        root.map_or(Self::Machine, Self::Root)
    }

    /// Refuses a tree that is not there. It is not made: a misspelt `--root` would become a second
    /// host beside the one that was meant.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self {
            Self::Root(root) if !root.is_dir() => {
                let hint = "make the folder first; it is managed as if it were the host's /";
                Err(Failure::with_hint(NoRoot(root.clone()), hint))
            }
            Self::Root(_) | Self::Machine => Ok(()),
        }
    }

    /// The host there, with a source of content; its commands end when the run is asked to.
    pub(crate) fn host(
        &self,
        content: Arc<dyn ContentSource>,
        stop: &Arc<Stop>,
    ) -> Result<Box<dyn Host>, HostError> {
        Ok(match self {
            Self::Machine => Box::new(RealHost::new(content, Arc::clone(stop))?),
            Self::Root(root) => Box::new(RootedHost::new(root, content)?),
        })
    }

    /// What facts are read from.
    pub(crate) fn tree(&self) -> Tree {
        match self {
            Self::Machine => Tree::machine(),
            Self::Root(root) => Tree::rooted(root),
        }
    }

    /// Where a path of the host is on this machine.
    pub(crate) fn locate(&self, path: &std::path::Path) -> PathBuf {
        match self {
            Self::Machine => path.to_owned(),
            Self::Root(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
        }
    }
}
