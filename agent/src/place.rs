//! Which host is managed: this machine, or a tree of files in a folder (`--root`).

use std::path::PathBuf;
use std::sync::Arc;

use holdfast_modules::host::{ContentSource, Host, HostError, RealHost, RootedHost};
use holdfast_modules::inventory::Tree;

/// Where the host is that a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// This machine.
    Machine,
    /// A tree of files.
    Root(PathBuf),
}

impl Place {
    /// The place that an option names.
    pub(crate) fn from_option(root: Option<PathBuf>) -> Self {
        root.map_or(Self::Machine, Self::Root)
    }

    /// The host there, with a source of content.
    pub(crate) fn host(&self, content: Arc<dyn ContentSource>) -> Result<Box<dyn Host>, HostError> {
        Ok(match self {
            Self::Machine => Box::new(RealHost::new(content)?),
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
