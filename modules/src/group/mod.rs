//! Local groups, by one of two providers as accounts are (see `user`): groupadd(8) and its kin,
//! or edits of `/etc/group` and `/etc/gshadow`.
//!
//! Groups are those of `/etc/group`; one that the host knows from elsewhere (LDAP, sssd) is as wanted
//! if it has the declared number, and else that is an error. A group that is somebody's primary group
//! is not removed, and neither is the one numbered 0.

mod files;
mod programs;
#[cfg(test)]
mod tests;

use holdfast_schemas::resource::{Ensure, Group};

use crate::Shown;
use crate::host::{Facility, Host, HostError, Probe, Support, name_service};
use crate::module::Module;
use crate::user::name::check_name;

/// What was found of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Its number in `/etc/group`.
    gid: Option<u32>,
    /// Its number in the name service, where it has none there and is to be there.
    elsewhere: Option<u32>,
    /// Users whose primary group it is.
    primary_of: Vec<String>,
    /// Another group that has the declared number.
    namesake: Option<String>,
}

/// One property of a group that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// There is no such group.
    Create,
    /// There is one, and there should be none.
    Remove,
    /// The group number.
    Gid(u32),
}

impl Module for Group {
    type Observed = Observed;
    type Difference = Difference;

    fn observe(&self, probe: &dyn Probe) -> Result<Observed, HostError> {
        check_name("group", &self.name)?;
        let accounts = probe.accounts()?;
        let gid = accounts.groups.get(&self.name).map(|group| group.gid);
        let elsewhere = match (gid, self.ensure) {
            (None, Ensure::Present) => name_service::group(&self.name, probe)?,
            _ => None,
        };
        let users = accounts
            .users
            .iter()
            .filter(|(_, user)| Some(user.gid) == gid);
        let same_number = self.gid.and_then(|gid| accounts.group_name(gid));
        Ok(Observed {
            gid,
            elsewhere: elsewhere.map(|group| group.gid),
            primary_of: users.map(|(name, _)| name.clone()).collect(),
            namesake: same_number
                .filter(|name| *name != self.name)
                .map(str::to_owned),
        })
    }

    fn diff(&self, observed: &Observed) -> Result<Vec<Difference>, HostError> {
        let difference = match (self.ensure, observed.gid) {
            (Ensure::Absent, None) => None,
            (Ensure::Absent, Some(0)) => {
                return Err(refused(self, "the group with number 0 is not removed"));
            }
            (Ensure::Absent, Some(_)) if !observed.primary_of.is_empty() => {
                let users = observed.primary_of.join(", ");
                return Err(refused(self, format!("it is the primary group of {users}")));
            }
            (Ensure::Absent, Some(_)) => Some(Difference::Remove),
            (Ensure::Present, None) => match observed.elsewhere {
                Some(found) => return as_elsewhere(self, found),
                None => Some(Difference::Create),
            },
            (Ensure::Present, Some(gid)) => self
                .gid
                .filter(|wanted| *wanted != gid)
                .map(Difference::Gid),
        };
        match (difference, &observed.namesake, self.gid) {
            (Some(Difference::Create | Difference::Gid(_)), Some(other), Some(gid)) => Err(
                refused(self, format!("the group number {gid} is that of {other}")),
            ),
            _ => Ok(difference.into_iter().collect()),
        }
    }

    fn apply(
        &self,
        observed: &Observed,
        differences: &[Difference],
        host: &dyn Host,
    ) -> Result<(), HostError> {
        let support = host.supports(Facility::Programs);
        differences.iter().try_for_each(|difference| match support {
            Support::Yes => programs::apply(self, *difference, host),
            Support::No(_) => files::apply(self, *difference, observed, host),
        })
    }

    fn remark(&self, observed: &Observed) -> Option<String> {
        let elsewhere = observed.elsewhere;
        elsewhere.map(|_| "known from the name service, not from /etc/group".to_owned())
    }

    fn show(&self, observed: &Observed, differences: &[Difference]) -> Shown {
        let mut shown = Shown::default();
        let gid = |gid: Option<u32>| gid.map(|gid| gid.to_string());
        for difference in differences {
            match difference {
                Difference::Create => {
                    shown.push("ensure", Some("absent".into()), Some("present".into()));
                    if self.gid.is_some() {
                        shown.push("gid", None, gid(self.gid));
                    }
                }
                Difference::Remove => {
                    shown.push("ensure", Some("present".into()), Some("absent".into()))
                }
                Difference::Gid(wanted) => shown.push("gid", gid(observed.gid), gid(Some(*wanted))),
            }
        }
        shown
    }
}

/// What differs of a group that is known from elsewhere: nothing, or that is an error.
fn as_elsewhere(group: &Group, found: u32) -> Result<Vec<Difference>, HostError> {
    match group.gid.filter(|wanted| *wanted != found) {
        None => Ok(Vec::new()),
        Some(wanted) => Err(refused(
            group,
            format!(
                "the host knows it from its name service (LDAP, sssd), not from /etc/group, and it \
                 cannot be changed here: gid is {found}, not {wanted}; change it there, or declare \
                 it as it is there"
            ),
        )),
    }
}

fn refused(group: &Group, reason: impl Into<String>) -> HostError {
    HostError::refused(format!("group {}", group.name), reason)
}
