//! A role as it stands in a host's catalog: once, or once per title. Its resources are in it, and
//! those of the roles that it includes, so that all of it can be waited for.

use std::fmt;
use std::sync::Arc;

use super::wanted::Edges;

/// One role in a catalog.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) role: Arc<str>,
    /// What a repeatable role is called this time.
    pub(crate) title: Option<Arc<str>>,
    /// The frames of the roles that it includes.
    pub(crate) contains: Vec<usize>,
    /// What the role as a whole waits for, and what waits for it.
    pub(crate) edges: Edges,
}

impl Frame {
    /// What the role is called: `nginx`, `vhost/shop`.
    pub(super) fn name(&self) -> String {
        match &self.title {
            Some(title) => format!("{}/{title}", self.role),
            None => self.role.to_string(),
        }
    }
}

/// A role that something names: `role[nginx]`, or one of a repeatable role, `role[vhost/shop]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RoleName {
    pub(crate) role: Arc<str>,
    /// Without one, all there are of a repeatable role.
    pub(crate) title: Option<Arc<str>>,
}

impl RoleName {
    /// Reads `role[NAME]` and `role[NAME/TITLE]`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix("role[")?.strip_suffix(']')?;
        let (role, title) = match inner.split_once('/') {
            Some((role, title)) => (role, Some(title.into())),
            None => (inner, None),
        };
        let role = role.into();
        Some(Self { role, title })
    }

    /// Whether a frame is (one of) what is named.
    pub(crate) fn names(&self, frame: &Frame) -> bool {
        self.role == frame.role && (self.title.is_none() || self.title == frame.title)
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.title {
            Some(title) => write!(f, "role[{}/{title}]", self.role),
            None => write!(f, "role[{}]", self.role),
        }
    }
}
