//! How old apt's lists of what the repositories offer are.

use std::time::{Duration, SystemTime};

use crate::host::{HostError, Probe};

/// Lists younger than this are taken at their word when they do not know a package: a catalog
/// with a misspelt name must not send every host to the mirror in every run.
pub(super) const FRESH_FOR: Duration = Duration::from_secs(3600);

/// `apt-get update` leaves a trace in these, whether or not anything was new.
const LISTS: [&str; 2] = ["/var/lib/apt/lists", "/var/lib/apt/lists/partial"];

/// Where the repositories are declared: lists older than a change here do not know it.
const SOURCES: [&str; 2] = ["/etc/apt/sources.list", "/etc/apt/sources.list.d"];

/// Whether the lists are worth refreshing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    Fresh,
    Stale,
}

/// Tells whether the lists are older than [`FRESH_FOR`], or than the declared repositories.
pub(super) fn age(probe: &dyn Probe) -> Result<Age, HostError> {
    let Some(refreshed) = newest(probe, &LISTS)? else {
        return Ok(Age::Stale);
    };
    let declared = newest(probe, &SOURCES)?;
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = since_epoch.map_or(0, nanoseconds);
    let stale = refreshed + nanoseconds(FRESH_FOR) < now || declared > Some(refreshed);
    Ok(if stale { Age::Stale } else { Age::Fresh })
}

fn newest(probe: &dyn Probe, paths: &[&str]) -> Result<Option<i128>, HostError> {
    let mut newest = None;
    for path in paths {
        let path = path.parse().map_err(|error| HostError::Garbled {
            what: (*path).to_owned(),
            detail: format!("{error}"),
        })?;
        let modified = probe.stat(&path)?.map(|stat| stat.identity.2);
        newest = newest.max(modified);
    }
    Ok(newest)
}

fn nanoseconds(time: Duration) -> i128 {
    i128::try_from(time.as_nanos()).unwrap_or(i128::MAX)
}
