//! Accounts by useradd(8), usermod(8) and userdel(8).
//!
//! Values are written `--option=value`, so that none can be taken for an option.

use std::time::Duration;

use holdfast_schemas::resource::User;

use super::Difference;
use super::home::{self, Fate};
use crate::host::accounts::UserEntry;
use crate::host::{Host, HostError};
use crate::programs;

/// Deadline of one program: usermod gives all files of a home folder to a new number.
const DEADLINE: Duration = Duration::from_secs(300);

/// Makes the account; without a primary group it gets one of its own name, as useradd does.
pub(super) fn create(user: &User, host: &dyn Host) -> Result<(), HostError> {
    let mut argv = programs::argv(&["useradd"]);
    let accounts = host.accounts()?;
    let namesake = accounts
        .groups
        .contains_key(&user.name)
        .then_some(&user.name);
    let mut option = |name: &str, value: Option<String>| {
        argv.extend(value.map(|value| format!("--{name}={value}")));
    };
    option("uid", user.uid.map(|uid| uid.to_string()));
    option("gid", user.group.as_ref().or(namesake).cloned());
    option(
        "groups",
        user.groups
            .as_ref()
            .filter(|groups| !groups.is_empty())
            .map(|groups| groups.join(",")),
    );
    option("comment", user.comment.clone());
    option("home-dir", user.home.as_ref().map(ToString::to_string));
    option("shell", user.shell.as_ref().map(ToString::to_string));
    if user.system {
        argv.push("--system".to_owned());
    }
    let home = if user.manage_home {
        "--create-home"
    } else {
        "--no-create-home"
    };
    argv.extend([home, "--", &user.name].map(str::to_owned));
    run(argv, host)
}

/// Changes what differs, in one run. A home folder moves with its account when it is managed.
pub(super) fn modify(
    user: &User,
    differences: &[Difference],
    host: &dyn Host,
) -> Result<(), HostError> {
    let mut argv = programs::argv(&["usermod"]);
    for difference in differences {
        let option = match difference {
            Difference::Uid(uid) => format!("--uid={uid}"),
            Difference::Gid(gid) => format!("--gid={gid}"),
            Difference::Groups(groups) => format!("--groups={}", groups.join(",")),
            Difference::Comment(comment) => format!("--comment={comment}"),
            Difference::Home(home) => {
                if user.manage_home && host.stat(home)?.is_none() {
                    argv.push("--move-home".to_owned());
                }
                format!("--home={home}")
            }
            Difference::Shell(shell) => format!("--shell={shell}"),
            Difference::MakeHome | Difference::Create | Difference::Remove => continue,
        };
        argv.push(option);
    }
    if argv.len() == 1 {
        return Ok(()); // only the home folder is missing
    }
    argv.extend(["--".to_owned(), user.name.clone()]);
    run(argv, host)
}

/// Removes the account, and its home folder where that is managed and its own.
pub(super) fn remove(user: &User, entry: &UserEntry, host: &dyn Host) -> Result<(), HostError> {
    let mut argv = programs::argv(&["userdel"]);
    if let Fate::Goes(_) = home::fate(user, entry, host)? {
        argv.push("--remove".to_owned());
    }
    argv.extend(["--".to_owned(), user.name.clone()]);
    run(argv, host)
}

fn run(argv: Vec<String>, host: &dyn Host) -> Result<(), HostError> {
    programs::run(host, &programs::invocation(argv, DEADLINE)).map(drop)
}
