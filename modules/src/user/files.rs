//! Accounts by editing the databases: for a host on which no program can be run.
//!
//! Each file is put back whole, `/etc/passwd` last when an account is made and first when it is
//! removed: an account that is seen has all its lines, and a run that was cut short is made good
//! by the next.

use std::collections::BTreeSet;
use std::time::SystemTime;

use holdfast_schemas::resource::User;

use super::database::{Table, edit, read};
use super::home::{self, Fate};
use super::ranges::{LoginDefs, Number, Range};
use super::{Difference, Observed, refused};
use crate::host::accounts::{Accounts, UserEntry};
use crate::host::{Host, HostError};

/// Fields of a line of passwd(5).
mod passwd {
    pub(super) const UID: usize = 2;
    pub(super) const GID: usize = 3;
    pub(super) const COMMENT: usize = 4;
    pub(super) const HOME: usize = 5;
    pub(super) const SHELL: usize = 6;
}

/// The field of group(5) and gshadow(5) that lists the members.
const MEMBERS: usize = 3;

/// The shell of an account that declares none: what useradd gives.
const DEFAULT_SHELL: &str = "/bin/sh";

/// Seconds of a day: shadow(5) counts days.
const DAY: u64 = 86_400;

/// Makes the account, locked, and a group of its own name where no primary group is declared.
pub(super) fn create(user: &User, observed: &Observed, host: &dyn Host) -> Result<(), HostError> {
    let accounts = host.accounts()?;
    let uid = new_uid(user, &accounts, host)?;
    let gid = match observed.wanted_gid {
        Some(gid) => gid,
        None => own_group(user, uid, &accounts, host)?,
    };
    if let Some(groups) = &user.groups {
        set_groups(user, groups, host)?;
    }
    let home = user
        .home
        .as_ref()
        .map_or_else(|| format!("/home/{}", user.name), ToString::to_string);
    let shell = user
        .shell
        .as_ref()
        .map_or(DEFAULT_SHELL, |shell| shell.as_str());
    let comment = user.comment.clone().unwrap_or_default();
    edit(Table::Shadow, host, |lines| {
        if lines.entry(&user.name).is_none() {
            lines.set(&shadow_line(user));
        }
    })?;
    let numbers = (uid.to_string(), gid.to_string());
    let line = [
        user.name.clone(),
        "x".into(),
        numbers.0,
        numbers.1,
        comment,
        home,
        shell.to_owned(),
    ];
    edit(Table::Passwd, host, |lines| lines.set(&line))
}

/// Changes what differs.
pub(super) fn modify(
    user: &User,
    differences: &[Difference],
    host: &dyn Host,
) -> Result<(), HostError> {
    let accounts = host.accounts()?;
    for difference in differences {
        match difference {
            Difference::Uid(uid) => taken(user, *uid, &accounts)?,
            Difference::Groups(groups) => set_groups(user, groups, host)?,
            _ => {}
        }
    }
    edit(Table::Passwd, host, |lines| {
        for difference in differences {
            let (field, value) = match difference {
                Difference::Uid(uid) => (passwd::UID, uid.to_string()),
                Difference::Gid(gid) => (passwd::GID, gid.to_string()),
                Difference::Comment(comment) => (passwd::COMMENT, comment.clone()),
                Difference::Home(home) => (passwd::HOME, home.to_string()),
                Difference::Shell(shell) => (passwd::SHELL, shell.to_string()),
                _ => continue,
            };
            lines.set_field(&user.name, field, &value);
        }
    })
}

/// Removes the account, its memberships, the group of its own name where nobody else uses it, and
/// its home folder where that is managed and its own.
pub(super) fn remove(user: &User, entry: &UserEntry, host: &dyn Host) -> Result<(), HostError> {
    let accounts = host.accounts()?;
    let fate = home::fate(user, entry, host)?;
    edit(Table::Passwd, host, |lines| lines.remove(&user.name))?;
    edit(Table::Shadow, host, |lines| lines.remove(&user.name))?;
    set_groups(user, &[], host)?;
    let own = accounts.groups.get(&user.name).is_some_and(|group| {
        let others = group.members.iter().any(|member| *member != user.name);
        let primary = accounts
            .users
            .iter()
            .any(|(name, other)| *name != user.name && other.gid == group.gid);
        group.gid == entry.gid && !others && !primary
    });
    if own {
        edit(Table::Group, host, |lines| lines.remove(&user.name))?;
        edit(Table::Gshadow, host, |lines| lines.remove(&user.name))?;
    }
    match fate {
        Fate::Goes(home) => host.remove_tree(&home),
        Fate::Stays => Ok(()),
    }
}

fn new_uid(user: &User, accounts: &Accounts, host: &dyn Host) -> Result<u32, HostError> {
    if let Some(uid) = user.uid {
        return taken(user, uid, accounts).map(|()| uid);
    }
    let used: BTreeSet<u32> = accounts.users.values().map(|user| user.uid).collect();
    let range = Range::declared(&user.system);
    let free = LoginDefs::of(host.as_probe())?.free(Number::Uid, range, &used);
    free.ok_or_else(|| {
        refused(
            user,
            "every user number of its range is taken; declare a `uid`",
        )
    })
}

fn taken(user: &User, uid: u32, accounts: &Accounts) -> Result<(), HostError> {
    match accounts.user_name(uid).filter(|name| *name != user.name) {
        None => Ok(()),
        Some(other) => Err(refused(
            user,
            format!("the user number {uid} is that of {other}"),
        )),
    }
}

/// The group of the account's own name, made where it is missing.
fn own_group(
    user: &User,
    uid: u32,
    accounts: &Accounts,
    host: &dyn Host,
) -> Result<u32, HostError> {
    if let Some(group) = accounts.groups.get(&user.name) {
        return Ok(group.gid);
    }
    let used: BTreeSet<u32> = accounts.groups.values().map(|group| group.gid).collect();
    let range = Range::declared(&user.system);
    let defs = LoginDefs::of(host.as_probe())?;
    let same = (!used.contains(&uid)).then_some(uid);
    let gid = same.or_else(|| defs.free(Number::Gid, range, &used));
    let gid = gid.ok_or_else(|| {
        refused(
            user,
            "every group number of its range is taken; declare a `group`",
        )
    })?;
    add_group(&user.name, gid, host).map(|()| gid)
}

/// Adds the lines of a group.
pub(crate) fn add_group(name: &str, gid: u32, host: &dyn Host) -> Result<(), HostError> {
    let empty = String::new;
    edit(Table::Gshadow, host, |lines| {
        if lines.entry(name).is_none() {
            lines.set(&[name.to_owned(), "!".to_owned(), empty(), empty()]);
        }
    })?;
    edit(Table::Group, host, |lines| {
        lines.set(&[name.to_owned(), "x".to_owned(), gid.to_string(), empty()]);
    })
}

/// Makes the account a member of exactly these groups.
fn set_groups(user: &User, groups: &[String], host: &dyn Host) -> Result<(), HostError> {
    // A host without gshadow(5) does not get one here.
    if read(Table::Gshadow, host)?.entries().next().is_some() {
        edit(Table::Gshadow, host, |lines| {
            lines.set_memberships(&user.name, MEMBERS, groups)
        })?;
    }
    edit(Table::Group, host, |lines| {
        lines.set_memberships(&user.name, MEMBERS, groups)
    })
}

/// A locked account (`!`), its password aged as login.defs(5) has it by default; a service's never.
fn shadow_line(user: &User) -> Vec<String> {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let today = (since_epoch.map_or(0, |elapsed| elapsed.as_secs()) / DAY).to_string();
    let aging = if user.system {
        ["", "", ""]
    } else {
        ["0", "99999", "7"]
    };
    let mut fields = vec![user.name.clone(), "!".to_owned(), today];
    fields.extend(aging.into_iter().chain(["", "", ""]).map(str::to_owned));
    fields
}
