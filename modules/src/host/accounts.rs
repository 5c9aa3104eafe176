//! Names and numbers of a host's own users and groups, as passwd(5) and group(5) have them; those
//! that it knows from elsewhere are asked for by name (`name_service`).
//!
//! Lines that are no entries (comments, blank lines, `+` and `-` of the old network lookup, and
//! what is malformed) name nobody, as for the C library: one bad line must not make every owner on
//! a host unknown.

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
    /// Reads the texts of `/etc/passwd` and `/etc/group`. Of two lines with one name the first
    /// counts, as for the C library.
    pub fn parse(passwd: &str, group: &str) -> Self {
        let mut accounts = Self::default();
        for (name, entry) in passwd.lines().filter_map(user_line) {
            accounts.users.entry(name).or_insert(entry);
        }
        for (name, entry) in group.lines().filter_map(group_line) {
            accounts.groups.entry(name).or_insert(entry);
        }
        accounts
    }

    /// The number that a user's name or number stands for.
    pub fn uid(&self, user: &str) -> Result<u32, HostError> {
        let known = self.users.get(user).map(|entry| entry.uid);
        known
            .or_else(|| user.parse().ok())
            .ok_or_else(|| HostError::NoSuchAccount {
                what: "user",
                name: user.to_owned(),
            })
    }

    /// The number that a group's name or number stands for.
    pub fn gid(&self, group: &str) -> Result<u32, HostError> {
        let known = self.groups.get(group).map(|entry| entry.gid);
        known
            .or_else(|| group.parse().ok())
            .ok_or_else(|| HostError::NoSuchAccount {
                what: "group",
                name: group.to_owned(),
            })
    }

    /// The name of a user number; the first in alphabetical order where there are several.
    pub fn user_name(&self, uid: u32) -> Option<&str> {
        let mut users = self.users.iter();
        users
            .find(|(_, user)| user.uid == uid)
            .map(|(name, _)| name.as_str())
    }

    /// The name of a group number; the first in alphabetical order where there are several.
    pub fn group_name(&self, gid: u32) -> Option<&str> {
        let mut groups = self.groups.iter();
        groups
            .find(|(_, group)| group.gid == gid)
            .map(|(name, _)| name.as_str())
    }
}

pub(super) fn user_line(line: &str) -> Option<(String, UserEntry)> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _password, uid, gid, comment, home, shell] = fields[..] else {
        return None;
    };
    let entry = UserEntry {
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        comment: comment.to_owned(),
        home: home.to_owned(),
        shell: shell.to_owned(),
    };
    is_entry(name).then(|| (name.to_owned(), entry))
}

pub(super) fn group_line(line: &str) -> Option<(String, GroupEntry)> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _password, gid, members] = fields[..] else {
        return None;
    };
    let listed = members.split(',').filter(|member| !member.is_empty());
    let entry = GroupEntry {
        gid: gid.parse().ok()?,
        members: listed.map(str::to_owned).collect(),
    };
    is_entry(name).then(|| (name.to_owned(), entry))
}

fn is_entry(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(['#', '+', '-'])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n# a comment\n+nis::::::\nbroken:x\n\n\
        ann:x:1000:100:Ann Ä,,,:/home/ann:/bin/sh\nann:x:7:7::/:/bin/false\n";
    const GROUP: &str = "root:x:0:\nusers:x:100:\nadm:x:4:ann,bob\n-:x:1:\n";

    #[test]
    fn entries_are_read_and_the_rest_names_nobody() {
        let accounts = Accounts::parse(PASSWD, GROUP);
        assert_eq!(accounts.users.keys().collect::<Vec<_>>(), ["ann", "root"]);
        assert_eq!(accounts.users["ann"].comment, "Ann Ä,,,");
        assert_eq!(accounts.uid("ann").unwrap(), 1000);
        assert_eq!(accounts.groups["adm"].members, ["ann", "bob"]);
        assert_eq!(accounts.groups.len(), 3);
    }

    #[test]
    fn numbers_stand_for_themselves() {
        let accounts = Accounts::parse(PASSWD, GROUP);
        assert_eq!(accounts.gid("4242").unwrap(), 4242);
        accounts.gid("wheel").unwrap_err();
    }
}
