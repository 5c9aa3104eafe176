//! Names and numbers of a host's users and groups.

use std::collections::BTreeMap;

use super::HostError;

/// Users and groups of a host, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accounts {
    /// Users by name.
    pub users: BTreeMap<String, UserEntry>,
    /// Groups by name.
    pub groups: BTreeMap<String, GroupEntry>,
}

/// One user, as `passwd(5)` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserEntry {
    /// The user number.
    pub uid: u32,
    /// The number of the primary group.
    pub gid: u32,
    /// The comment (GECOS) field.
    pub comment: String,
    /// The home folder.
    pub home: String,
    /// The login shell.
    pub shell: String,
}

/// One group, as `group(5)` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupEntry {
    /// The group number.
    pub gid: u32,
    /// Users listed as members.
    pub members: Vec<String>,
}

impl Accounts {
    /// The number that a user's name or number stands for.
    pub fn uid(&self, user: &str) -> Result<u32, HostError> {
        let known = self.users.get(user).map(|entry| entry.uid);
        known.or_else(|| user.parse().ok()).ok_or_else(|| HostError::NoSuchAccount {
            what: "user",
            name: user.to_owned(),
        })
    }

    /// The number that a group's name or number stands for.
    pub fn gid(&self, group: &str) -> Result<u32, HostError> {
        let known = self.groups.get(group).map(|entry| entry.gid);
        known.or_else(|| group.parse().ok()).ok_or_else(|| HostError::NoSuchAccount {
            what: "group",
            name: group.to_owned(),
        })
    }

    /// The name of a user number; the first in alphabetical order where there are several.
    pub fn user_name(&self, uid: u32) -> Option<&str> {
        let mut users = self.users.iter();
        users.find(|(_, user)| user.uid == uid).map(|(name, _)| name.as_str())
    }

    /// The name of a group number; the first in alphabetical order where there are several.
    pub fn group_name(&self, gid: u32) -> Option<&str> {
        let mut groups = self.groups.iter();
        groups.find(|(_, group)| group.gid == gid).map(|(name, _)| name.as_str())
    }
}
