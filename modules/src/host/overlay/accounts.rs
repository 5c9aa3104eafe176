//! Which users and groups there would be.

use std::sync::Arc;

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::{Ensure, Group, Mode, User};

use super::Overlay;
use super::paths::{Assumed, Inside};
use crate::host::accounts::{Accounts, GroupEntry, UserEntry};
use crate::host::{Database, FileType, HostError, Probe, name_service};

impl Overlay<'_> {
    /// Whether an account is the host's own now and would be removed: the name service does not
    /// know that yet.
    pub(super) fn is_gone(&self, database: Database, name: &str) -> Result<bool, HostError> {
        let Some(assumed) = &self.accounts else {
            return Ok(false);
        };
        let now = self.base.accounts()?;
        Ok(match database {
            Database::Passwd => now.users.contains_key(name) && !assumed.users.contains_key(name),
            Database::Group => now.groups.contains_key(name) && !assumed.groups.contains_key(name),
        })
    }

    pub(super) fn assume_user(&mut self, user: &User) -> Result<(), HostError> {
        let mut accounts = Accounts::clone(&*self.accounts()?);
        if user.ensure == Ensure::Absent {
            accounts.users.remove(&user.name);
            self.accounts = Some(Arc::new(accounts));
            return Ok(());
        }
        let group = user
            .group
            .as_deref()
            .map(|group| name_service::gid(group, &accounts, self))
            .transpose()?;
        let known = accounts.users.get(&user.name).cloned();
        let uid = user.uid.or(known.as_ref().map(|known| known.uid));
        let gid = group.or(known.as_ref().map(|known| known.gid));
        let uid = uid.unwrap_or_else(|| self.number());
        // useradd makes a group of the user's name when it is given none.
        let gid = gid.unwrap_or_else(|| {
            let gid = accounts.groups.get(&user.name).map(|group| group.gid);
            gid.unwrap_or_else(|| self.number())
        });
        let own = GroupEntry {
            gid,
            members: Vec::new(),
        };
        if group.is_none() {
            accounts.groups.entry(user.name.clone()).or_insert(own);
        }
        let text = |wanted: Option<String>, known: fn(&UserEntry) -> &String, usual: &str| {
            let known = || {
                accounts
                    .users
                    .get(&user.name)
                    .map(|entry| known(entry).clone())
            };
            wanted.or_else(known).unwrap_or_else(|| usual.to_owned())
        };
        let path = |path: &Option<HostPath>| path.as_ref().map(|path| path.to_string());
        let entry = UserEntry {
            uid,
            gid,
            comment: text(user.comment.clone(), |known| &known.comment, ""),
            home: text(
                path(&user.home),
                |known| &known.home,
                &format!("/home/{}", user.name),
            ),
            shell: text(path(&user.shell), |known| &known.shell, "/bin/sh"),
        };
        let home = entry.home.parse::<HostPath>();
        accounts.users.insert(user.name.clone(), entry);
        for group in user.groups.iter().flatten() {
            if let Some(group) = accounts.groups.get_mut(group)
                && !group.members.contains(&user.name)
            {
                group.members.push(user.name.clone());
            }
        }
        self.accounts = Some(Arc::new(accounts));
        match home {
            Ok(home) if user.manage_home && self.stat(&home)?.is_none() => {
                let mode = Mode::from_bits(0o700);
                let owner = (Some(user.name.as_str()), None);
                let mut stat = self.new_stat(FileType::Directory, None, (None, mode), owner)?;
                stat.gid = gid;
                self.put(&home, Assumed::Directory(stat, Inside::Nothing))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn assume_group(&mut self, group: &Group) -> Result<(), HostError> {
        let mut accounts = Accounts::clone(&*self.accounts()?);
        if group.ensure == Ensure::Absent {
            accounts.groups.remove(&group.name);
        } else {
            let known = accounts.groups.get(&group.name);
            let gid = group.gid.or(known.map(|known| known.gid));
            let members = known.map(|known| known.members.clone()).unwrap_or_default();
            let gid = gid.unwrap_or_else(|| self.number());
            accounts
                .groups
                .insert(group.name.clone(), GroupEntry { gid, members });
        }
        self.accounts = Some(Arc::new(accounts));
        Ok(())
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }
}
