//! One difference between two catalogs of a host, typed.
//!
//! Differences are told apart by what they do, not by where: two hosts have the same one when the
//! same lines come and go, whatever stands around them and on whichever line they are.

use holdfast_schemas::catalog::Enforcement;
use holdfast_schemas::resource::ResourceId;
use holdfast_schemas::{Digest, Hasher};
use serde::Serialize;
use serde_json::Value;

use super::text::TextDiff;

/// One difference between two catalogs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Differences on the host are mended instead of recorded, or the other way round.
    Mode {
        /// What it was.
        before: Enforcement,
        /// What it is.
        after: Enforcement,
    },
    /// Other probes that tell whether a role is well.
    Health {
        /// The role.
        role: String,
        /// What they were; nothing where there were none.
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<Value>,
        /// What they are; nothing where there are none.
        #[serde(skip_serializing_if = "Option::is_none")]
        after: Option<Value>,
    },
    /// A resource that was not there.
    Added {
        /// The resource.
        resource: ResourceId,
        /// What is wanted of it; nothing stands `before`.
        attributes: Vec<AttributeChange>,
    },
    /// A resource that is not there any more.
    Removed {
        /// The resource.
        resource: ResourceId,
        /// What was wanted of it; nothing stands `after`.
        attributes: Vec<AttributeChange>,
    },
    /// A resource of which something else is wanted.
    Changed {
        /// The resource.
        resource: ResourceId,
        /// The attributes that differ.
        attributes: Vec<AttributeChange>,
    },
    /// A resource that waits for others than before, or is refreshed by others.
    Edges {
        /// The resource.
        resource: ResourceId,
        /// What it waits for.
        requires: EdgeChange,
        /// What refreshes it.
        subscribes: EdgeChange,
    },
    /// Resources that are applied earlier or later, edges aside.
    Order {
        /// The fewest that have to move to get from one order to the other.
        moved: Vec<ResourceId>,
    },
}

/// An attribute before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttributeChange {
    /// The attribute; an entry of a mapping as `env.PATH`.
    pub name: String,
    /// What it was; content by digest and size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// The lines that differ, where it is content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<TextDiff>,
}

/// Edges that come and go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EdgeChange {
    /// New ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<ResourceId>,
    /// Those that are gone though what they lead to is still there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<ResourceId>,
}

impl EdgeChange {
    /// Whether nothing comes or goes.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

impl Change {
    /// The resource it is about, where it is about one.
    pub fn resource(&self) -> Option<&ResourceId> {
        match self {
            Self::Mode { .. } | Self::Health { .. } | Self::Order { .. } => None,
            Self::Added { resource, .. }
            | Self::Removed { resource, .. }
            | Self::Changed { resource, .. }
            | Self::Edges { resource, .. } => Some(resource),
        }
    }

    /// The attributes that differ.
    pub fn attributes(&self) -> &[AttributeChange] {
        match self {
            Self::Added { attributes, .. }
            | Self::Removed { attributes, .. }
            | Self::Changed { attributes, .. } => attributes,
            Self::Mode { .. } | Self::Health { .. } | Self::Edges { .. } | Self::Order { .. } => {
                &[]
            }
        }
    }

    pub(super) fn attributes_mut(&mut self) -> &mut [AttributeChange] {
        match self {
            Self::Added { attributes, .. }
            | Self::Removed { attributes, .. }
            | Self::Changed { attributes, .. } => attributes,
            Self::Mode { .. } | Self::Health { .. } | Self::Edges { .. } | Self::Order { .. } => {
                &mut []
            }
        }
    }

    /// Where it stands among the changes of a group: what is about the whole host last.
    pub(super) fn rank(&self) -> (u8, Option<&ResourceId>, u8) {
        let (part, kind) = match self {
            Self::Removed { .. } => (0, 0),
            Self::Added { .. } => (0, 1),
            Self::Changed { .. } => (0, 2),
            Self::Edges { .. } => (1, 0),
            Self::Order { .. } => (2, 0),
            Self::Health { .. } => (3, 0),
            Self::Mode { .. } => (4, 0),
        };
        (part, self.resource(), kind)
    }

    /// What it is known by: equal for differences that do the same.
    pub(super) fn fingerprint(&self) -> Digest {
        let mut key = Key(Hasher::new());
        match self {
            Self::Mode { after, .. } => key.word(match after {
                Enforcement::Enforce => "enforce",
                Enforcement::Audit => "audit",
            }),
            Self::Health {
                role,
                before,
                after,
            } => {
                key.word("health");
                key.word(role);
                key.value(before.as_ref());
                key.value(after.as_ref());
            }
            Self::Added { .. } => key.word("added"),
            Self::Removed { .. } => key.word("removed"),
            Self::Changed { .. } => key.word("changed"),
            Self::Edges {
                requires,
                subscribes,
                ..
            } => {
                key.word("edges");
                for edges in [requires, subscribes] {
                    key.resources(&edges.added);
                    key.resources(&edges.removed);
                }
            }
            Self::Order { moved } => {
                key.word("order");
                key.resources(moved);
            }
        }
        key.resources(self.resource());
        for attribute in self.attributes() {
            key.word(&attribute.name);
            match &attribute.text {
                Some(TextDiff::Lines { hunks }) => {
                    let lines = hunks.iter().flat_map(|hunk| &hunk.lines);
                    lines
                        .filter(|line| !line.starts_with(' '))
                        .for_each(|line| key.word(line));
                }
                _ => {
                    key.value(attribute.before.as_ref());
                    key.value(attribute.after.as_ref());
                }
            }
        }
        key.0.finish()
    }
}

/// Words one after the other, so that no two lists of them read alike.
struct Key(Hasher);

impl Key {
    fn word(&mut self, word: &str) {
        self.0.update(&(word.len() as u64).to_le_bytes());
        self.0.update(word.as_bytes());
    }

    fn value(&mut self, value: Option<&Value>) {
        self.word(&value.map(Value::to_string).unwrap_or_default());
    }

    fn resources<'a>(&mut self, resources: impl IntoIterator<Item = &'a ResourceId>) {
        for resource in resources {
            self.word(resource.kind().as_str());
            self.word(resource.title());
        }
        self.word("");
    }
}
