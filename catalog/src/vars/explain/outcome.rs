//! What is told of a line of the repo: what stands in it, and what that does to whom.

use std::sync::Arc;

use holdfast_schemas::HostName;
use serde::Serialize;

/// Whom a line concerns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineReach {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// How many hosts were looked at.
    pub hosts: usize,
    /// What stands in the line, each with the hosts that it concerns.
    pub effects: Vec<LineEffect>,
    /// Hosts of which it cannot be said, for want of facts say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<HostName>,
}

/// Something that stands in a line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineEffect {
    /// What it is.
    #[serde(flatten)]
    pub what: LineSubject,
    /// The hosts, by what it does to them.
    pub concerns: Vec<LineConcern>,
    /// What cannot be told by looking at the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<&'static str>,
}

/// What stands in a line.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum LineSubject {
    /// A variable's value, or a part of it.
    Sets {
        /// Its path.
        variable: String,
    },
    /// That a variable of lower layers does not hold.
    Unsets {
        /// Its path.
        variable: String,
    },
    /// What a variable or a parameter may be.
    Declares {
        /// Its path.
        variable: String,
    },
    /// How a variable merges.
    Merges {
        /// The pattern.
        pattern: String,
    },
    /// Who is in a group, and what it is.
    Group {
        /// The group.
        group: Arc<str>,
    },
    /// A role, or a part of it.
    Role {
        /// The role.
        role: String,
    },
    /// A host.
    Host {
        /// The host.
        host: String,
    },
    /// The settings of the site.
    Settings,
    /// Something of which no catalog is made.
    Nothing,
}

/// What a line does to hosts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineConcern {
    /// What.
    #[serde(flatten)]
    pub how: LineOutcome,
    /// To whom.
    pub hosts: Vec<HostName>,
}

/// What a line does to a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum LineOutcome {
    /// Its value is, or is a part of, the host's.
    Used,
    /// Something above it takes its place.
    Overridden {
        /// What, as a layer is named.
        by: String,
        /// `file:line:column`.
        place: String,
    },
    /// A role of the host reads it, or something made of it: the catalog may change with it.
    Reaches {
        /// Which roles do.
        roles: Vec<Arc<str>>,
    },
    /// The host is in the group now.
    Member,
    /// The host has the role.
    HasRole,
    /// The line holds for the host.
    Holds,
}
