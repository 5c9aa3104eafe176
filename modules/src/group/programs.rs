//! Groups by groupadd(8), groupmod(8) and groupdel(8).

use std::time::Duration;

use holdfast_schemas::resource::Group;

use super::Difference;
use crate::host::{Host, HostError};
use crate::programs;

/// Deadline of one program; they touch a few short files.
const DEADLINE: Duration = Duration::from_secs(60);

/// Makes one property as wanted.
pub(super) fn apply(
    group: &Group,
    difference: Difference,
    host: &dyn Host,
) -> Result<(), HostError> {
    let mut argv = match difference {
        Difference::Create => programs::argv(&["groupadd"]),
        Difference::Gid(_) => programs::argv(&["groupmod"]),
        Difference::Remove => programs::argv(&["groupdel"]),
    };
    match difference {
        Difference::Create => argv.extend(group.gid.map(|gid| format!("--gid={gid}"))),
        Difference::Gid(gid) => argv.push(format!("--gid={gid}")),
        Difference::Remove => {}
    }
    if difference == Difference::Create && group.system {
        argv.push("--system".to_owned());
    }
    argv.extend(["--".to_owned(), group.name.clone()]);
    programs::run(host, &programs::invocation(argv, DEADLINE)).map(drop)
}
