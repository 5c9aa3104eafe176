//! The layers that can set a variable, in their order, and the rules by which they combine.
//!
//! Exactly these set values, from the lowest to the highest: the default of a variable that the
//! site declares, a role's default, a role that includes it, the globals, groups (by tier, then
//! priority), the host, a job. There is no other way to set one.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::Term;
use crate::site::{Group, Role, Unset, VarFile, Variables};

/// Who set a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "layer")]
pub enum LayerSource {
    /// The default of a variable in `variables.yaml`.
    Declared,
    /// The default of a role's parameter.
    RoleDefault {
        /// The role.
        role: Arc<str>,
    },
    /// What a role gives one that it includes.
    Include {
        /// The role that it is given.
        role: Arc<str>,
        /// The role that includes it.
        by: Arc<str>,
    },
    /// `globals.yaml`.
    Global,
    /// A group.
    Group {
        /// The group.
        name: Arc<str>,
        /// Its tier.
        tier: Arc<str>,
        /// Its priority within the tier.
        priority: i64,
    },
    /// The host's own file.
    Host,
    /// A job.
    Job,
}

impl fmt::Display for LayerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared => f.write_str("default of variables.yaml"),
            Self::RoleDefault { role } => write!(f, "default of role {role}"),
            Self::Include { role, by } => write!(f, "role {by}, which includes {role}"),
            Self::Global => f.write_str("globals"),
            Self::Group {
                name,
                tier,
                priority,
            } => write!(f, "group {name} (tier {tier}, priority {priority})"),
            Self::Host => f.write_str("host"),
            Self::Job => f.write_str("job"),
        }
    }
}

/// How the values that several layers give one variable combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeRule {
    /// The highest layer's value stands alone.
    #[default]
    Replace,
    /// Mappings unite key by key, lists unite without repeating an item, else the highest stands.
    Deep,
    /// Lists follow each other, the lowest layer's items first.
    Append,
    /// As `append`, each item once.
    Unique,
}

impl MergeRule {
    /// Every rule there is.
    pub const ALL: [MergeRule; 4] = [Self::Replace, Self::Deep, Self::Append, Self::Unique];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Deep => "deep",
            Self::Append => "append",
            Self::Unique => "unique",
        }
    }
}

impl fmt::Display for MergeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The place of a layer among all; equal for layers between which nothing decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(u8, usize, i64);

/// A layer that applies to a host.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) source: LayerSource,
    pub(crate) rank: Rank,
    /// A mapping.
    pub(crate) vars: Arc<Term>,
    pub(crate) unset: Vec<Unset>,
}

impl Layer {
    /// The defaults of the variables that the site declares.
    pub(crate) fn declared(variables: &Variables) -> Self {
        Self {
            source: LayerSource::Declared,
            rank: Rank(0, 0, 0),
            vars: Arc::clone(&variables.defaults),
            unset: Vec::new(),
        }
    }

    /// The defaults of a role.
    pub(crate) fn role(role: &Role) -> Self {
        let source = LayerSource::RoleDefault {
            role: Arc::clone(&role.name),
        };
        Self {
            source,
            rank: Rank(1, 0, 0),
            vars: Arc::clone(&role.defaults),
            unset: Vec::new(),
        }
    }

    /// What a role gives one that it includes. Roles that include the same one agree, so which
    /// of them is above the other makes no difference.
    pub(crate) fn include(by: &Role, role: &Arc<str>, (place, vars): (usize, Arc<Term>)) -> Self {
        Self {
            source: LayerSource::Include {
                role: Arc::clone(role),
                by: Arc::clone(&by.name),
            },
            rank: Rank(1, place + 1, 0),
            vars,
            unset: Vec::new(),
        }
    }

    /// The globals.
    pub(crate) fn global(file: &VarFile) -> Self {
        Self::of(LayerSource::Global, Rank(2, 0, 0), file)
    }

    /// A group.
    pub(crate) fn group(group: &Group) -> Self {
        let source = LayerSource::Group {
            name: Arc::clone(&group.name),
            tier: Arc::clone(&group.tier),
            priority: group.priority,
        };
        Self::of(
            source,
            Rank(3, group.tier_rank, group.priority),
            &group.file,
        )
    }

    /// The host's own file.
    pub(crate) fn host(file: &VarFile) -> Self {
        Self::of(LayerSource::Host, Rank(4, 0, 0), file)
    }

    /// The variables of a job.
    pub(crate) fn job(vars: Arc<Term>) -> Self {
        Self {
            source: LayerSource::Job,
            rank: Rank(5, 0, 0),
            vars,
            unset: Vec::new(),
        }
    }

    fn of(source: LayerSource, rank: Rank, file: &VarFile) -> Self {
        Self {
            source,
            rank,
            vars: Arc::clone(&file.vars),
            unset: file.unset.clone(),
        }
    }
}
