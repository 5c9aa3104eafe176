//! What can be asked of the system's programs, as the command that asks it.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_schemas::resource::Command;

use super::{Database, Ends, Invocation, Query};

/// How long the init system may take to describe a unit: it answers in milliseconds unless it is
/// in trouble.
const UNIT_DEADLINE: Duration = Duration::from_secs(30);

/// How long the name service may take: a directory answers in milliseconds, and the fallback from a
/// server that is away to the next takes seconds.
const NAMES_DEADLINE: Duration = Duration::from_secs(20);

/// How long apt may take to look at its lists: seconds on a slow disk with many repositories.
const APT_DEADLINE: Duration = Duration::from_secs(120);

/// The command that answers a question.
pub(super) fn invocation(query: &Query) -> Invocation {
    match query {
        Query::UnitProperties { unit, properties } => {
            let properties = format!("--property={}", properties.join(","));
            ask(
                &["systemctl", "show", &properties, "--", unit],
                &[],
                UNIT_DEADLINE,
            )
        }
        Query::UnitFileState { unit } => {
            ask(&["systemctl", "is-enabled", "--", unit], &[], UNIT_DEADLINE)
        }
        Query::PackagePolicy { packages } => {
            ask(&["apt-cache", "policy", "--"], packages, APT_DEADLINE)
        }
        Query::SimulateApt { arguments } => {
            ask(&["apt-get", "--simulate"], arguments, APT_DEADLINE)
        }
        Query::NameService { database, name } => {
            let database = match database {
                Database::Passwd => "passwd",
                Database::Group => "group",
            };
            ask(&["getent", database, "--", name], &[], NAMES_DEADLINE)
        }
        Query::Guard(invocation) => invocation.clone(),
    }
}

fn ask(words: &[&str], more: &[String], deadline: Duration) -> Invocation {
    let words = words.iter().map(|word| (*word).to_owned());
    Invocation {
        command: Command::Argv(words.chain(more.iter().cloned()).collect()),
        cwd: None,
        env: BTreeMap::new(),
        run_as: None,
        deadline,
        ends: Ends::ByItself,
    }
}
