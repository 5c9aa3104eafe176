//! Home folders: making one from `/etc/skel`, and deciding whether one may go with its account.

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::{Mode, User};

use super::ranges::LoginDefs;
use crate::host::accounts::UserEntry;
use crate::host::{
    Displace, Facility, FileType, Host, HostError, NewContent, NewFile, Owner, Support,
};

const SKELETON: &str = "/etc/skel";

/// Folders within folders of the skeleton that are copied; Debian's has none.
const MAX_DEPTH: usize = 16;

/// Longest file of the skeleton that is copied.
const MAX_FILE: usize = 16 * 1024 * 1024;

/// What becomes of a home folder whose account is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is removed.
    Goes(HostPath),
    /// It is not managed, or not the account's alone.
    Stays,
}

/// Decides whether a home folder may be removed: only one that the account owns, that stands
/// below another folder, and in which no other account has its home.
pub(super) fn fate(user: &User, entry: &UserEntry, host: &dyn Host) -> Result<Fate, HostError> {
    let Ok(home) = entry.home.parse::<HostPath>() else {
        return Ok(Fate::Stays);
    };
    let top = home.parent().is_none_or(|parent| parent.parent().is_none());
    let Some(stat) = host.stat(&home)?.filter(|_| user.manage_home && !top) else {
        return Ok(Fate::Stays);
    };
    // Where owners cannot be set, they say nothing.
    let own = stat.uid == entry.uid || host.supports(Facility::Ownership) != Support::Yes;
    let inside = |other: &str| {
        let rest = other.strip_prefix(home.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let accounts = host.accounts()?;
    let mut others = accounts
        .users
        .iter()
        .filter(|(name, _)| **name != user.name);
    let shared = others.any(|(_, other)| inside(&other.home));
    Ok(
        match stat.file_type == FileType::Directory && own && !shared {
            true => Fate::Goes(home),
            false => Fate::Stays,
        },
    )
}

/// Makes a home folder with what the skeleton holds, as useradd(8) does.
pub(super) fn make(home: &HostPath, entry: &UserEntry, host: &dyn Host) -> Result<(), HostError> {
    make_parents(home, host)?;
    let owner = match host.supports(Facility::Ownership) {
        Support::Yes => Owner {
            uid: Some(entry.uid),
            gid: Some(entry.gid),
        },
        Support::No(_) => Owner::default(),
    };
    let mode = Mode::from_bits(LoginDefs::of(host.as_probe())?.home_mode());
    host.make_directory(home, mode, owner)?;
    let skeleton: HostPath = SKELETON.parse().map_err(unnameable)?;
    match host.stat(&skeleton)? {
        Some(stat) if stat.file_type == FileType::Directory => {
            copy(&skeleton, home, owner, host, MAX_DEPTH)
        }
        _ => Ok(()),
    }
}

fn make_parents(home: &HostPath, host: &dyn Host) -> Result<(), HostError> {
    let Some(parent) = home.parent() else {
        return Ok(());
    };
    if host.stat(&parent)?.is_some() {
        return Ok(());
    }
    make_parents(&parent, host)?;
    host.make_directory(&parent, Mode::from_bits(0o755), Owner::default())
}

fn copy(
    from: &HostPath,
    to: &HostPath,
    owner: Owner,
    host: &dyn Host,
    depth: usize,
) -> Result<(), HostError> {
    if depth == 0 {
        return Err(HostError::refused(
            from,
            format!("it holds more than {MAX_DEPTH} folders within folders"),
        ));
    }
    for name in host.list(from)? {
        let (source, target) = (
            from.join(&name).map_err(unnameable)?,
            to.join(&name).map_err(unnameable)?,
        );
        let Some(stat) = host.stat(&source)? else {
            continue;
        };
        match stat.file_type {
            FileType::Directory => {
                host.make_directory(&target, stat.mode, owner)?;
                copy(&source, &target, owner, host, depth - 1)?;
            }
            FileType::Symlink => host.make_symlink(&target, &host.read_link(&source)?)?,
            FileType::File => {
                let file = NewFile {
                    content: NewContent::Bytes(&host.read(&source, MAX_FILE)?),
                    mode: stat.mode,
                    owner,
                    validate: None,
                    displace: Displace::File,
                };
                host.write_file(&target, &file)?;
            }
            FileType::Special => {
                return Err(HostError::refused(
                    source,
                    "a special file is not copied to a home folder",
                ));
            }
        }
    }
    Ok(())
}

fn unnameable(error: impl std::fmt::Display) -> HostError {
    HostError::Garbled {
        what: SKELETON.to_owned(),
        detail: error.to_string(),
    }
}
