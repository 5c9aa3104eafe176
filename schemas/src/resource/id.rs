//! What a resource is called: its type and its title, `file[/etc/motd]`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest title accepted, in bytes: a path always fits.
pub(super) const MAX_TITLE: usize = 4095;

/// The type of a resource.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A package of the system's package manager.
    Package,
    /// A service of the init system.
    Service,
    /// A local account.
    User,
    /// A local group.
    Group,
    /// A command that runs when its guards say so.
    Exec,
}

impl Kind {
    /// Every type there is.
    pub const ALL: [Kind; 8] = [
        Self::File,
        Self::Directory,
        Self::Symlink,
        Self::Package,
        Self::Service,
        Self::User,
        Self::Group,
        Self::Exec,
    ];

    /// The word for it in a catalog repo, a catalog and a report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Symlink => "symlink",
            Self::Package => "package",
            Self::Service => "service",
            Self::User => "user",
            Self::Group => "group",
            Self::Exec => "exec",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = ResourceIdError;

    fn from_str(text: &str) -> Result<Self, ResourceIdError> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| ResourceIdError::UnknownType(text.to_owned()))
    }
}

/// A resource's name within a catalog: `type[title]`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId {
    kind: Kind,
    title: Arc<str>,
}

impl ResourceId {
    /// Names the resource of a type by its title.
    pub fn new(kind: Kind, title: impl Into<Arc<str>>) -> Result<Self, ResourceIdError> {
        let title = title.into();
        if title.is_empty() {
            return Err(ResourceIdError::EmptyTitle(kind));
        }
        if title.len() > MAX_TITLE {
            return Err(ResourceIdError::LongTitle {
                kind,
                length: title.len(),
            });
        }
        if title.chars().any(char::is_control) {
            return Err(ResourceIdError::ControlCharacter {
                kind,
                title: title.to_string(),
            });
        }
        Ok(Self { kind, title })
    }

    /// The type.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The title: a path, a name, or for an exec what it is for.
    pub fn title(&self) -> &str {
        &self.title
    }
}

/// Text that names no resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResourceIdError {
    /// Not of the form `type[title]`.
    #[error("a resource is written `type[title]`, as in `service[nginx]`, not {0:?}")]
    Shape(String),
    /// A type that does not exist.
    #[error("there is no resource type {0:?}")]
    UnknownType(String),
    /// A title of no characters.
    #[error("a {0} has a title that is not empty")]
    EmptyTitle(Kind),
    /// A title longer than any path.
    #[error("the title of a {kind} has at most {MAX_TITLE} bytes, this one has {length}")]
    LongTitle {
        /// The type.
        kind: Kind,
        /// Bytes given.
        length: usize,
    },
    /// A line break, a tab or another control character in a title.
    #[error("the title of a {kind} has no control characters, unlike {title:?}")]
    ControlCharacter {
        /// The type.
        kind: Kind,
        /// The title given.
        title: String,
    },
}

impl FromStr for ResourceId {
    type Err = ResourceIdError;

    fn from_str(text: &str) -> Result<Self, ResourceIdError> {
        let parts = text.strip_suffix(']').and_then(|text| text.split_once('['));
        let (kind, title) = parts.ok_or_else(|| ResourceIdError::Shape(text.to_owned()))?;
        Self::new(kind.parse()?, title)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.kind, self.title)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

crate::text_form::text_form!(
    ResourceId,
    "ResourceId",
    pattern = r"^[a-z_]+\[.+\]$",
    "resource, `type[title]`"
);
