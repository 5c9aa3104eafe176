//! An absolute path on a host, normal by construction.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// Longest path accepted, in bytes: Linux's `PATH_MAX` less the terminating NUL.
pub const MAX_HOST_PATH: usize = 4095;

/// An absolute path: begins with `/`, has no empty, `.` or `..` component, no NUL, and no `/` at
/// its end (but for the root itself). Two equal files in one catalog are therefore equal strings.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPath(Arc<str>);

impl HostPath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path for the standard library.
    pub fn as_path(&self) -> &Path {
        Path::new(&*self.0)
    }

    /// The folder that holds it; `None` for the root.
    pub fn parent(&self) -> Option<HostPath> {
        let cut = self.0.rfind('/')?;
        match (self.0.len(), cut) {
            (1, _) => None,
            (_, 0) => Some(Self("/".into())),
            (_, cut) => Some(Self(self.0[..cut].into())),
        }
    }

    /// The last component; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The path of `name` inside this folder; refused when `name` is not one plain component.
    pub fn join(&self, name: &str) -> Result<HostPath, HostPathError> {
        let folder = if &*self.0 == "/" { "" } else { &self.0 };
        let path: HostPath = format!("{folder}/{name}").parse()?;
        match path.parent().as_ref() == Some(self) {
            true => Ok(path),
            false => Err(HostPathError::BadComponent {
                path: path.to_string(),
                component: name.to_owned(),
            }),
        }
    }
}

/// Text that is not a normal absolute path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostPathError {
    /// Does not begin with `/`.
    #[error("a path on a host is absolute, it begins with `/`, unlike {0:?}")]
    NotAbsolute(String),
    /// Longer than the kernel takes.
    #[error("a path has at most {MAX_HOST_PATH} bytes, this one has {0}")]
    TooLong(usize),
    /// An empty, `.` or `..` component, or a `/` at the end.
    #[error(
        "a path on a host has no empty, `.` or `..` component and no `/` at its end: {component:?} in {path:?}"
    )]
    BadComponent {
        /// The text given.
        path: String,
        /// The component that is refused.
        component: String,
    },
    /// A NUL byte.
    #[error("a path cannot hold a NUL byte: {0:?}")]
    Nul(String),
}

impl FromStr for HostPath {
    type Err = HostPathError;

    fn from_str(text: &str) -> Result<Self, HostPathError> {
        if text.len() > MAX_HOST_PATH {
            return Err(HostPathError::TooLong(text.len()));
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err(HostPathError::NotAbsolute(text.to_owned()));
        };
        if text.contains('\0') {
            return Err(HostPathError::Nul(text.to_owned()));
        }
        let bad = |part: &&str| matches!(*part, "" | "." | "..");
        if !rest.is_empty()
            && let Some(component) = rest.split('/').find(bad)
        {
            return Err(HostPathError::BadComponent {
                path: text.to_owned(),
                component: component.to_owned(),
            });
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

crate::text_form::text_form!(
    HostPath,
    "HostPath",
    pattern = "^/",
    "absolute normal path on a host: no empty, `.` or `..` component"
);
