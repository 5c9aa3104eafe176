//! What hosts of killed test programs left behind, removed by the next one.
//!
//! A host whose test program dies is taken down by its supervisor; only when that was killed too
//! (with the whole session, say) is anything left: a folder under `/run`, and control groups.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::LiveError;

/// One folder per host: `owner`, `nspawn`, `console`.
const HOSTS: &str = "/run/holdfast-testkit";

/// Where control groups may be.
const HIERARCHIES: &[&str] = &[
    "/sys/fs/cgroup",
    "/sys/fs/cgroup/systemd",
    "/sys/fs/cgroup/unified",
];

/// Makes the folder of a host and notes whose it is.
pub(super) fn claim(name: &str) -> Result<PathBuf, LiveError> {
    let folder = Path::new(HOSTS).join(name);
    fs::create_dir_all(&folder).map_err(LiveError::file("make", &folder))?;
    let owner = folder.join("owner");
    let own = life(std::process::id()).unwrap_or_default();
    fs::write(&owner, own).map_err(LiveError::file("write", &owner))?;
    Ok(folder)
}

/// Removes what is left of hosts whose owner is gone.
pub(super) fn stale_hosts() -> Result<(), LiveError> {
    let Ok(entries) = fs::read_dir(HOSTS) else {
        return Ok(());
    };
    for folder in entries.flatten().map(|entry| entry.path()) {
        if is_stale(&folder) {
            remove(&folder)?;
        }
    }
    Ok(())
}

/// Stale is a host whose owner's life is over and whose systemd-nspawn is gone as well: one that
/// is still there is being taken down by its supervisor, or dies with it.
fn is_stale(folder: &Path) -> bool {
    let Ok(owner) = fs::read_to_string(folder.join("owner")) else {
        // Being claimed this very moment.
        return false;
    };
    let pid = owner.split(' ').next().and_then(|pid| pid.parse().ok());
    let alive = pid.and_then(life).is_some_and(|life| life == owner);
    let nspawn = fs::read_to_string(folder.join("nspawn")).unwrap_or_default();
    let running = Path::new("/proc").join(nspawn.trim()).join("comm");
    let nspawn = fs::read_to_string(running).unwrap_or_default();
    !alive && nspawn.trim() != "systemd-nspawn"
}

/// A process by its number and the time it started, so that a number given again is another.
fn life(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Fields are counted after the name, which stands in brackets and may hold blanks; the start
    // time is field 22 of proc(5).
    let (_, rest) = stat.rsplit_once(')')?;
    let started = rest.split_ascii_whitespace().nth(19)?;
    Some(format!("{pid} {started}"))
}

fn remove(folder: &Path) -> Result<(), LiveError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    for hierarchy in HIERARCHIES {
        let group = Path::new(hierarchy).join(format!("holdfast-{name}"));
        if group.exists() {
            remove_group(&group);
        }
    }
    match fs::remove_dir_all(folder) {
        // Its supervisor was faster.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result.map_err(LiveError::file("remove", folder)),
    }
}

/// Control groups are removed from the leaves; their files go with them.
fn remove_group(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_group(&entry.path());
        }
    }
    // A group in which something still runs stays until the next sweep.
    let _ = fs::remove_dir(group);
}
