//! The user and group that own a file or folder.

use std::sync::Arc;

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::Mode;

use crate::host::accounts::Accounts;
use crate::host::name_service;
use crate::host::{Facility, Host, HostError, Owner, Probe, Stat, Support};
use crate::shown::Shown;

/// Who is to own something, as declared and as numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    declared: [Option<String>; 2],
    numbers: Owner,
    accounts: Option<Arc<Accounts>>,
    lacking: Option<String>,
}

impl Wanted {
    /// Looks up what the specification names; asks nothing of the host when it names nobody.
    pub(crate) fn look_up(
        user: Option<&String>,
        group: Option<&String>,
        probe: &dyn Probe,
    ) -> Result<Self, HostError> {
        if user.is_none() && group.is_none() {
            return Ok(Self::default());
        }
        let accounts = probe.accounts()?;
        let numbers = Owner {
            uid: user
                .map(|name| name_service::uid(name, &accounts, probe))
                .transpose()?,
            gid: group
                .map(|name| name_service::gid(name, &accounts, probe))
                .transpose()?,
        };
        let lacking = match probe.supports(Facility::Ownership) {
            Support::Yes => None,
            Support::No(why) => Some(why),
        };
        Ok(Self {
            declared: [user.cloned(), group.cloned()],
            numbers,
            accounts: Some(accounts),
            lacking,
        })
    }

    /// What is to be set on something found; `None` when it is owned as wanted.
    pub(crate) fn differs(&self, found: &Stat) -> Option<Owner> {
        let Owner { uid, gid } = self.numbers;
        let differing = Owner {
            uid: uid.filter(|wanted| *wanted != found.uid),
            gid: gid.filter(|wanted| *wanted != found.gid),
        };
        (differing != Owner::default()).then_some(differing)
    }

    /// What is to be set on something new.
    pub(crate) fn of_new(&self) -> Owner {
        match self.lacking {
            None => self.numbers,
            Some(_) => Owner::default(),
        }
    }

    /// What a file that is written anew is to have: what is not declared stays as it was.
    pub(crate) fn of_written(&self, found: Option<&Stat>) -> Owner {
        let Owner { uid, gid } = self.of_new();
        Owner {
            uid: uid.or(found.map(|stat| stat.uid)),
            gid: gid.or(found.map(|stat| stat.gid)),
        }
    }

    /// Sets the owner of something that is there, and the mode again if one is declared: changing
    /// the owner takes set-user-id bits away. Does nothing where no owner can be set.
    pub(crate) fn set(
        &self,
        owner: Owner,
        mode: Option<Mode>,
        path: &HostPath,
        host: &dyn Host,
    ) -> Result<(), HostError> {
        if self.lacking.is_some() {
            return Ok(());
        }
        host.set_owner(path, owner)?;
        mode.map_or(Ok(()), |mode| host.set_mode(path, mode))
    }

    /// Fails where no owner can be set and another one than the one found is wanted: what else
    /// was wrong has been mended by then.
    pub(crate) fn admit(&self, path: &HostPath, probe: &dyn Host) -> Result<(), HostError> {
        let Some(why) = &self.lacking else {
            return Ok(());
        };
        match probe.stat(path)?.and_then(|found| self.differs(&found)) {
            None => Ok(()),
            Some(_) => Err(HostError::Unsupported(format!(
                "the owner of {path}: {why}"
            ))),
        }
    }

    /// What apply cannot do as the differences say; `found` is what is there, if anything is.
    pub(crate) fn unknown(&self, found: Option<&Stat>) -> Option<String> {
        let why = self.lacking.as_ref()?;
        let concerned = match found {
            Some(stat) => self.differs(stat).is_some(),
            None => self.numbers != Owner::default(),
        };
        concerned.then(|| format!("unsupported: the owner: {why}"))
    }

    /// Shows whom something new is to belong to.
    pub(crate) fn show_new(&self, shown: &mut Shown) {
        self.show(shown, None, self.numbers);
    }

    /// Shows who was found to own it, if something was there, and who is to.
    pub(crate) fn show(&self, shown: &mut Shown, found: Option<&Stat>, differing: Owner) {
        let [user, group] = &self.declared;
        if differing.uid.is_some() {
            let found = found.map(|stat| self.user(stat.uid));
            shown.push("owner", found, user.clone());
        }
        if differing.gid.is_some() {
            let found = found.map(|stat| self.group(stat.gid));
            shown.push("group", found, group.clone());
        }
    }

    fn user(&self, uid: u32) -> String {
        let accounts = self.accounts.as_deref();
        let name = accounts.and_then(|accounts| accounts.user_name(uid));
        name.map_or_else(|| uid.to_string(), str::to_owned)
    }

    fn group(&self, gid: u32) -> String {
        let accounts = self.accounts.as_deref();
        let name = accounts.and_then(|accounts| accounts.group_name(gid));
        name.map_or_else(|| gid.to_string(), str::to_owned)
    }
}
