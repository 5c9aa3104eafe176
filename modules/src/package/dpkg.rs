//! What dpkg has written down of the packages on a host.
//!
//! Read from `/var/lib/dpkg/status` and from the entries that an interrupted dpkg left in
//! `/var/lib/dpkg/updates` (dpkg(1), deb-control(5)), so a look at fifty packages starts no
//! program. The text is parsed once and remembered for as long as the files are the same.

use std::collections::HashMap;
use std::sync::Arc;

use holdfast_schemas::HostPath;

use super::name::Name;
use crate::host::{HostError, Probe, Stat};

/// Longest status file that is read: Debian's whole archive, all of it installed, would need
/// about as much.
const MAX_STATUS: usize = 128 * 1024 * 1024;

const STATUS: &str = "/var/lib/dpkg/status";
const UPDATES: &str = "/var/lib/dpkg/updates";

/// Tells one state of dpkg's files from another.
pub(super) type Version = (Option<Identity>, Option<Identity>);
type Identity = (u64, u64, i128, i128);

/// All packages that dpkg knows of.
#[derive(Debug, Default)]
pub(crate) struct Database {
    packages: HashMap<Box<str>, Vec<Entry>>,
    providers: HashMap<Box<str>, Vec<Box<str>>>,
    native: Option<Box<str>>,
    interrupted: bool,
}

/// One package in one architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) architecture: Box<str>,
    pub(crate) version: Box<str>,
    pub(crate) held: bool,
    pub(crate) state: State,
}

/// How far a package is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    NotInstalled,
    ConfigFiles,
    /// Neither installed nor gone; the word dpkg has for it.
    Broken(&'static str),
    Installed,
}

impl Database {
    /// What dpkg has written down, as remembered by the host or read anew.
    pub(crate) fn of(probe: &dyn Probe) -> Result<Arc<Self>, HostError> {
        let version = Self::version(probe)?;
        match probe.memo() {
            Some(memo) => memo.database(version, || Self::read(probe)),
            None => Self::read(probe).map(Arc::new),
        }
    }

    pub(super) fn version(probe: &dyn Probe) -> Result<Version, HostError> {
        let identity = |found: Option<Stat>| found.map(|stat| stat.identity);
        Ok((
            identity(probe.stat(&path(STATUS)?)?),
            identity(probe.stat(&path(UPDATES)?)?),
        ))
    }

    fn read(probe: &dyn Probe) -> Result<Self, HostError> {
        let mut database = Self::parse(&text(probe, &path(STATUS)?)?, STATUS)?;
        let updates = path(UPDATES)?;
        if probe.stat(&updates)?.is_none() {
            return Ok(database);
        }
        let numbered = |name: &String| name.bytes().all(|b| b.is_ascii_digit());
        for name in probe.list(&updates)?.iter().filter(|name| numbered(name)) {
            let entry = updates
                .join(name)
                .map_err(|error| garbled(UPDATES, error.to_string()))?;
            database.merge(&text(probe, &entry)?, entry.as_str())?;
            database.interrupted = true;
        }
        Ok(database)
    }

    /// Reads the text of a status file; `place` names it in errors.
    pub(crate) fn parse(text: &str, place: &str) -> Result<Self, HostError> {
        let mut database = Self::default();
        database.merge(text, place)?;
        database.native = database.packages.get("dpkg").and_then(|entries| {
            let installed = entries.iter().find(|entry| entry.state == State::Installed);
            installed.map(|entry| entry.architecture.clone())
        });
        Ok(database)
    }

    fn merge(&mut self, text: &str, place: &str) -> Result<(), HostError> {
        for stanza in text.split("\n\n") {
            if let Some(parsed) = Stanza::parse(stanza, place)? {
                self.take(parsed);
            }
        }
        Ok(())
    }

    fn take(&mut self, stanza: Stanza<'_>) {
        let entries = self.packages.entry(stanza.package.into()).or_default();
        entries.retain(|entry| entry.architecture != stanza.entry.architecture);
        if stanza.entry.state == State::Installed {
            for name in stanza.provides {
                let providers = self.providers.entry(name.into()).or_default();
                providers.push(stanza.package.into());
            }
        }
        entries.push(stanza.entry);
    }

    /// What is known of a package; without an architecture the host's own is meant.
    pub(crate) fn find(&self, name: Name<'_>) -> Option<&Entry> {
        let native = self.native.as_deref();
        let wanted = match name.architecture {
            Some("native") | None => native,
            named => named,
        };
        let fits = |entry: &&Entry| match wanted {
            None => true,
            Some(wanted) => *entry.architecture == *wanted || *entry.architecture == *"all",
        };
        let entries = self.packages.get(name.package)?;
        entries
            .iter()
            .filter(fits)
            .max_by_key(|entry| entry.state == State::Installed)
    }

    /// The installed packages that provide a name.
    pub(crate) fn providers(&self, name: &str) -> impl Iterator<Item = &str> {
        let listed = self.providers.get(name).into_iter().flatten();
        listed.map(|package| &**package).filter(|package| {
            let installed = |entry: &Entry| entry.state == State::Installed;
            self.packages
                .get(*package)
                .is_some_and(|all| all.iter().any(installed))
        })
    }

    /// The host's own architecture, where dpkg itself tells it.
    pub(crate) fn native(&self) -> Option<&str> {
        self.native.as_deref()
    }

    /// Whether dpkg was interrupted, or left packages half-way.
    pub(crate) fn needs_repair(&self) -> bool {
        let broken = |entry: &Entry| matches!(entry.state, State::Broken(_));
        self.interrupted || self.packages.values().flatten().any(broken)
    }
}

/// The fields of a stanza that matter here.
struct Stanza<'a> {
    package: &'a str,
    provides: Vec<&'a str>,
    entry: Entry,
}

impl<'a> Stanza<'a> {
    fn parse(text: &'a str, place: &str) -> Result<Option<Self>, HostError> {
        let (mut package, mut status, mut architecture) = (None, None, "");
        let (mut version, mut provides) = ("", "");
        for line in text.lines().filter(|line| !line.is_empty()) {
            if line.starts_with([' ', '\t']) {
                continue; // the rest of the field above
            }
            let (field, value) = line
                .split_once(':')
                .ok_or_else(|| garbled(place, format!("a line without a field name: {line:?}")))?;
            match field {
                "Package" => package = Some(value.trim()),
                "Status" => status = Some(value.trim()),
                "Architecture" => architecture = value.trim(),
                "Version" => version = value.trim(),
                "Provides" => provides = value,
                _ => {}
            }
        }
        let (Some(package), status) = (package, status) else {
            let blank = text.trim().is_empty();
            let nameless = || garbled(place, format!("a stanza without a name: {:.80}", text));
            return if blank { Ok(None) } else { Err(nameless()) };
        };
        let (held, state) = read_status(status.unwrap_or("unknown ok not-installed"))
            .ok_or_else(|| garbled(place, format!("the status of {package} is {status:?}")))?;
        Ok(Some(Self {
            package,
            provides: provided(provides),
            entry: Entry {
                architecture: architecture.into(),
                version: version.into(),
                held,
                state,
            },
        }))
    }
}

/// `want flag status`, as in `install ok installed`.
fn read_status(text: &str) -> Option<(bool, State)> {
    let mut words = text.split_whitespace();
    let (want, flag, status) = (words.next()?, words.next()?, words.next()?);
    let state = match (flag, status) {
        ("reinstreq", _) => State::Broken("reinstallation required"),
        (_, "not-installed") => State::NotInstalled,
        (_, "config-files") => State::ConfigFiles,
        (_, "half-installed") => State::Broken("half-installed"),
        (_, "unpacked") => State::Broken("unpacked"),
        (_, "half-configured") => State::Broken("half-configured"),
        (_, "installed" | "triggers-awaited" | "triggers-pending") => State::Installed,
        _ => return None,
    };
    Some((want == "hold", state))
}

/// The names in `Provides: a (= 1), b`.
fn provided(field: &str) -> Vec<&str> {
    let name = |item: &&str| !item.is_empty();
    let bare = |item: &'_ str| {
        item.trim()
            .split([' ', '(', ':'])
            .next()
            .unwrap_or_default()
            .len()
    };
    field
        .split(',')
        .map(|item| &item.trim()[..bare(item)])
        .filter(name)
        .collect()
}

fn text(probe: &dyn Probe, path: &HostPath) -> Result<String, HostError> {
    let bytes = probe.read(path, MAX_STATUS)?;
    String::from_utf8(bytes).or_else(|bad| Ok(String::from_utf8_lossy(bad.as_bytes()).into_owned()))
}

fn path(text: &str) -> Result<HostPath, HostError> {
    text.parse()
        .map_err(|error| garbled(text, format!("{error}")))
}

fn garbled(what: &str, detail: String) -> HostError {
    HostError::Garbled {
        what: what.to_owned(),
        detail,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// Stanzas as dpkg 1.21 wrote them on Debian 12.
    const RECORDED: &str = include_str!("fixtures/status");

    fn find<'d>(database: &'d Database, name: &str) -> Option<&'d Entry> {
        database.find(Name::parse(name).unwrap())
    }

    #[test]
    fn every_state_is_read() {
        let database = Database::parse(RECORDED, "status").unwrap();
        let state = |name| find(&database, name).map(|entry| entry.state);
        assert_eq!(state("adduser"), Some(State::Installed));
        assert_eq!(state("nginx"), Some(State::ConfigFiles));
        assert_eq!(
            state("redis-server"),
            Some(State::Broken("half-configured"))
        );
        assert_eq!(state("absent-one"), None);
        assert!(find(&database, "linux-image-amd64").unwrap().held);
        assert!(database.needs_repair());
    }

    #[test]
    fn a_bare_name_means_the_native_architecture() {
        let database = Database::parse(RECORDED, "status").unwrap();
        assert_eq!(database.native(), Some("amd64"));
        assert!(find(&database, "libz1").is_none());
        assert_eq!(
            find(&database, "libz1:i386").unwrap().state,
            State::Installed
        );
        assert_eq!(
            find(&database, "adduser:amd64").unwrap().architecture,
            "all".into()
        );
    }

    #[test]
    fn providers_are_found_by_the_bare_name() {
        let database = Database::parse(RECORDED, "status").unwrap();
        let providers: Vec<_> = database.providers("mail-transport-agent").collect();
        assert_eq!(providers, ["exim4-daemon-light"]);
        assert_eq!(database.providers("exim4-localscanapi-4.1").count(), 1);
    }

    #[test]
    fn what_is_not_a_status_file_is_an_error() {
        for text in [
            "garbage",
            "Version: 1\nStatus: install ok installed",
            "Package: a\nStatus: install ok weird",
        ] {
            Database::parse(text, "status").unwrap_err();
        }
    }
}
