//! Local accounts, by one of two providers: the programs of the shadow suite (`programs.rs`), or
//! edits of the databases themselves (`files.rs`) where no program can be run.
//!
//! Accounts are those of `/etc/passwd`. One that the host knows from elsewhere (LDAP, sssd) cannot
//! be made or changed here: it is as wanted if it happens to be, and else that is an error. One that
//! is to be absent is absent when it is not in `/etc/passwd`.
//!
//! A new account is locked until it is given a password. Groups that are not declared are left
//! alone; the account with number 0 is never removed.

pub(crate) mod database;
pub(crate) mod files;
mod home;
pub(crate) mod name;
mod programs;
pub(crate) mod ranges;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use holdfast_schemas::HostPath;
use holdfast_schemas::report::Change;
use holdfast_schemas::resource::{Ensure, User};

use crate::Shown;
use crate::host::accounts::{Accounts, UserEntry};
use crate::host::{Facility, Host, HostError, Probe, Support, name_service};
use crate::module::Module;
use name::{check_field, check_name};

/// What was found of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Its line in `/etc/passwd`.
    entry: Option<UserEntry>,
    /// Its entry in the name service, where it has no such line and is to be there.
    elsewhere: Option<UserEntry>,
    /// Groups that list it as a member.
    groups: BTreeSet<String>,
    /// The declared primary group: its number, where there is such a group.
    wanted_gid: Option<u32>,
    /// Declared groups that are not in `/etc/group`.
    unknown_groups: Vec<String>,
    /// Those of them that the name service knows.
    foreign_groups: Vec<String>,
    /// Name of the primary group, where it has one.
    primary: Option<String>,
    /// Whether the folder that should be its home is there.
    home: Home,
}

/// Whether a home folder is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Home {
    There,
    Missing,
}

/// One property of an account that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// There is no such account.
    Create,
    /// There is one, and there should be none.
    Remove,
    /// The user number.
    Uid(u32),
    /// The number of the primary group.
    Gid(u32),
    /// The supplementary groups.
    Groups(Vec<String>),
    /// The comment field.
    Comment(String),
    /// The home folder.
    Home(HostPath),
    /// The login shell.
    Shell(HostPath),
    /// The home folder is missing.
    MakeHome,
}

impl Module for User {
    type Observed = Observed;
    type Difference = Difference;

    fn observe(&self, probe: &dyn Probe) -> Result<Observed, HostError> {
        check(self)?;
        let accounts = probe.accounts()?;
        let entry = accounts.users.get(&self.name).cloned();
        let listed = accounts
            .groups
            .iter()
            .filter(|(_, group)| group.members.contains(&self.name));
        let declared = self.groups.iter().flatten();
        let elsewhere = match (&entry, self.ensure) {
            (None, Ensure::Present) => name_service::user(&self.name, probe)?,
            _ => None,
        };
        let unknown_groups: Vec<String> = declared
            .filter(|group| !accounts.groups.contains_key(*group))
            .cloned()
            .collect();
        let mut foreign_groups = unknown_groups.clone();
        let mut known = Vec::with_capacity(foreign_groups.len());
        for group in &foreign_groups {
            known.push(name_service::group(group, probe)?.is_some());
        }
        let mut known = known.into_iter();
        foreign_groups.retain(|_| known.next().unwrap_or_default());
        let found = entry.as_ref().or(elsewhere.as_ref());
        let home = match home_of(self, found) {
            Some(home) if probe.stat(&home)?.is_none() => Home::Missing,
            _ => Home::There,
        };
        Ok(Observed {
            groups: listed.map(|(name, _)| name.clone()).collect(),
            wanted_gid: wanted_gid(self, &accounts, probe)?,
            unknown_groups,
            foreign_groups,
            primary: found
                .and_then(|entry| accounts.group_name(entry.gid))
                .map(str::to_owned),
            entry,
            elsewhere,
            home,
        })
    }

    fn diff(&self, observed: &Observed) -> Result<Vec<Difference>, HostError> {
        match (self.ensure, &observed.entry) {
            (Ensure::Absent, None) => Ok(vec![]),
            (Ensure::Absent, Some(entry)) if entry.uid == 0 || self.name == "root" => Err(refused(
                self,
                "the account with user number 0 is not removed",
            )),
            (Ensure::Absent, Some(_)) => Ok(vec![Difference::Remove]),
            (Ensure::Present, entry) => {
                if let Some(group) = observed.foreign_groups.first() {
                    let why = format!(
                        "the group {group} is not in /etc/group: the host knows it from its name \
                         service (LDAP, sssd), where its members are listed, not here"
                    );
                    return Err(refused(self, why));
                }
                let missing = observed.unknown_groups.first();
                let primary = self
                    .group
                    .as_ref()
                    .filter(|_| observed.wanted_gid.is_none());
                if let Some(name) = primary.or(missing) {
                    return Err(HostError::NoSuchAccount {
                        what: "group",
                        name: name.clone(),
                    });
                }
                match (entry, &observed.elsewhere) {
                    (Some(entry), _) => Ok(properties(self, entry, observed)),
                    (None, None) => Ok(vec![Difference::Create]),
                    (None, Some(entry)) => as_elsewhere(self, entry, observed),
                }
            }
        }
    }

    fn apply(
        &self,
        observed: &Observed,
        differences: &[Difference],
        host: &dyn Host,
    ) -> Result<(), HostError> {
        let entry = observed.entry.as_ref();
        match (host.supports(Facility::Programs), differences, entry) {
            (Support::Yes, [Difference::Create], _) => programs::create(self, host)?,
            (Support::No(_), [Difference::Create], _) => files::create(self, observed, host)?,
            (Support::Yes, [Difference::Remove], Some(entry)) => {
                programs::remove(self, entry, host)?
            }
            (Support::No(_), [Difference::Remove], Some(entry)) => {
                files::remove(self, entry, host)?
            }
            (Support::Yes, ..) => programs::modify(self, differences, host)?,
            (Support::No(_), ..) => files::modify(self, differences, host)?,
        }
        match (self.ensure, self.manage_home) {
            (Ensure::Present, true) => make_home(self, host),
            _ => Ok(()),
        }
    }

    fn remark(&self, observed: &Observed) -> Option<String> {
        let elsewhere = observed.elsewhere.as_ref();
        elsewhere.map(|_| "known from the name service, not from /etc/passwd".to_owned())
    }

    fn show(&self, observed: &Observed, differences: &[Difference]) -> Shown {
        let mut shown = Shown::default();
        for difference in differences {
            match (difference, &observed.entry) {
                (Difference::Create, _) => show_creation(self, &mut shown),
                (Difference::Remove, _) => {
                    shown.push("ensure", Some("present".into()), Some("absent".into()))
                }
                (difference, Some(entry)) => show_property(&mut shown, difference, entry, observed),
                (_, None) => {}
            }
        }
        shown
    }
}

fn check(user: &User) -> Result<(), HostError> {
    check_name("user", &user.name)?;
    let groups = user.groups.iter().flatten();
    groups
        .into_iter()
        .try_for_each(|group| check_name("group", group))?;
    let home = user.home.as_ref().map(HostPath::as_str);
    let shell = user.shell.as_ref().map(HostPath::as_str);
    for (field, text) in [
        ("comment", user.comment.as_deref()),
        ("home", home),
        ("shell", shell),
    ] {
        check_field(&user.name, field, text.unwrap_or_default())?;
    }
    Ok(())
}

/// The number of the declared primary group, where there is such a group.
fn wanted_gid(
    user: &User,
    accounts: &Accounts,
    probe: &dyn Probe,
) -> Result<Option<u32>, HostError> {
    let Some(group) = &user.group else {
        return Ok(None);
    };
    match name_service::gid(group, accounts, probe) {
        Ok(gid) => Ok(Some(gid)),
        Err(HostError::NoSuchAccount { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What differs of an account that is known from elsewhere: nothing, or that is an error.
fn as_elsewhere(
    user: &User,
    entry: &UserEntry,
    observed: &Observed,
) -> Result<Vec<Difference>, HostError> {
    let differences = properties(user, entry, observed);
    if differences.is_empty() {
        return Ok(differences);
    }
    let mut shown = Shown::default();
    for difference in &differences {
        show_property(&mut shown, difference, entry, observed);
    }
    let told = |change: &Change| {
        let side = |side: &Option<String>| side.clone().unwrap_or_default();
        let (from, to) = (side(&change.from), side(&change.to));
        format!("{} is {from:?}, not {to:?}", change.property)
    };
    let told: Vec<String> = shown.changes.iter().map(told).collect();
    Err(refused(
        user,
        format!(
            "the host knows it from its name service (LDAP, sssd), not from /etc/passwd, and it \
             cannot be changed here: {}; change it there, or declare it as it is there",
            told.join(", ")
        ),
    ))
}

fn properties(user: &User, entry: &UserEntry, observed: &Observed) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut differs = |difference: Option<Difference>| differences.extend(difference);
    differs(
        user.uid
            .filter(|uid| *uid != entry.uid)
            .map(Difference::Uid),
    );
    differs(
        observed
            .wanted_gid
            .filter(|gid| *gid != entry.gid)
            .map(Difference::Gid),
    );
    differs(
        user.groups
            .as_ref()
            .and_then(|wanted| groups(wanted, observed)),
    );
    let comment = user
        .comment
        .as_ref()
        .filter(|comment| **comment != entry.comment);
    differs(comment.cloned().map(Difference::Comment));
    let home = user
        .home
        .as_ref()
        .filter(|home| home.as_str() != entry.home);
    differs(home.cloned().map(Difference::Home));
    let shell = user
        .shell
        .as_ref()
        .filter(|shell| shell.as_str() != entry.shell);
    differs(shell.cloned().map(Difference::Shell));
    let homeless = user.manage_home && observed.home == Home::Missing;
    differs(homeless.then_some(Difference::MakeHome));
    differences
}

/// Where the home folder is to be: as declared, else as the account has it.
fn home_of(user: &User, entry: Option<&UserEntry>) -> Option<HostPath> {
    let found = || entry.and_then(|entry| entry.home.parse().ok());
    user.home.clone().or_else(found)
}

fn make_home(user: &User, host: &dyn Host) -> Result<(), HostError> {
    let accounts = host.accounts()?;
    let entry = accounts.users.get(&user.name);
    match (home_of(user, entry), entry) {
        (Some(home), Some(entry)) if host.stat(&home)?.is_none() => home::make(&home, entry, host),
        _ => Ok(()),
    }
}

fn show_creation(user: &User, shown: &mut Shown) {
    shown.push("ensure", Some("absent".into()), Some("present".into()));
    let groups = user.groups.as_ref().map(|groups| groups.join(","));
    let properties = [
        ("uid", user.uid.map(|uid| uid.to_string())),
        ("group", user.group.clone()),
        ("groups", groups),
        ("comment", user.comment.clone()),
        ("home", user.home.as_ref().map(ToString::to_string)),
        ("shell", user.shell.as_ref().map(ToString::to_string)),
    ];
    for (property, value) in properties {
        if value.is_some() {
            shown.push(property, None, value);
        }
    }
}

fn refused(user: &User, reason: impl Into<String>) -> HostError {
    HostError::refused(format!("user {}", user.name), reason)
}

/// The supplementary groups where they are not exactly those wanted. Listing the primary group
/// among them changes nothing.
fn groups(wanted: &[String], observed: &Observed) -> Option<Difference> {
    let primary = observed.primary.as_ref();
    let supplementary = |groups: &BTreeSet<String>| -> BTreeSet<String> {
        groups
            .iter()
            .filter(|group| Some(*group) != primary)
            .cloned()
            .collect()
    };
    let wanted: BTreeSet<String> = wanted.iter().cloned().collect();
    let differs = supplementary(&wanted) != supplementary(&observed.groups);
    differs.then(|| Difference::Groups(wanted.into_iter().collect()))
}

fn show_property(
    shown: &mut Shown,
    difference: &Difference,
    entry: &UserEntry,
    observed: &Observed,
) {
    let (property, from, to) = match difference {
        Difference::Uid(uid) => ("uid", entry.uid.to_string(), uid.to_string()),
        Difference::Gid(gid) => ("gid", entry.gid.to_string(), gid.to_string()),
        Difference::Groups(groups) => {
            let found: Vec<&str> = observed.groups.iter().map(String::as_str).collect();
            ("groups", found.join(","), groups.join(","))
        }
        Difference::Comment(comment) => ("comment", entry.comment.clone(), comment.clone()),
        Difference::Home(home) => ("home", entry.home.clone(), home.to_string()),
        Difference::Shell(shell) => ("shell", entry.shell.clone(), shell.to_string()),
        Difference::MakeHome => ("home folder", "missing".to_owned(), "present".to_owned()),
        Difference::Create | Difference::Remove => return,
    };
    shown.push(property, Some(from), Some(to));
}
