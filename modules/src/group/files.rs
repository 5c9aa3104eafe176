//! Groups by editing the databases: for a host on which no program can be run.

use std::collections::BTreeSet;

use holdfast_schemas::resource::Group;

use super::{Difference, Observed, refused};
use crate::host::{Host, HostError};
use crate::user::database::{Table, edit};
use crate::user::files::add_group;
use crate::user::ranges::{LoginDefs, Number, Range};

/// Fields of a line: the number in group(5), the primary group's number in passwd(5).
const GID: usize = 2;
const PRIMARY_GID: usize = 3;

/// Makes one property as wanted.
pub(super) fn apply(
    group: &Group,
    difference: Difference,
    observed: &Observed,
    host: &dyn Host,
) -> Result<(), HostError> {
    match difference {
        Difference::Create => add_group(&group.name, new_gid(group, host)?, host),
        Difference::Remove => {
            edit(Table::Group, host, |lines| lines.remove(&group.name))?;
            edit(Table::Gshadow, host, |lines| lines.remove(&group.name))
        }
        Difference::Gid(gid) => {
            let gid = gid.to_string();
            edit(Table::Passwd, host, |lines| {
                for user in &observed.primary_of {
                    lines.set_field(user, PRIMARY_GID, &gid);
                }
            })?;
            edit(Table::Group, host, |lines| {
                lines.set_field(&group.name, GID, &gid)
            })
        }
    }
}

fn new_gid(group: &Group, host: &dyn Host) -> Result<u32, HostError> {
    if let Some(gid) = group.gid {
        return Ok(gid);
    }
    let accounts = host.accounts()?;
    let used: BTreeSet<u32> = accounts.groups.values().map(|group| group.gid).collect();
    let range = Range::declared(&group.system);
    let free = LoginDefs::of(host.as_probe())?.free(Number::Gid, range, &used);
    free.ok_or_else(|| {
        refused(
            group,
            "every group number of its range is taken; declare a `gid`",
        )
    })
}
