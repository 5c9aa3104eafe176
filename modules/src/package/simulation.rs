//! What `apt-get --simulate` says a transaction would do, and what it says is in its way.

use std::collections::BTreeSet;

use crate::host::Output;

/// What a transaction would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Plan {
    /// Packages that would be installed, upgraded or configured.
    pub(super) installs: BTreeSet<String>,
    /// Packages that would be removed or purged.
    pub(super) removes: BTreeSet<String>,
    /// Names for which apt took another package: (asked, taken).
    pub(super) stand_ins: Vec<(String, String)>,
    /// Names that apt took for patterns.
    pub(super) patterns: Vec<String>,
    /// Names that apt has nothing to do for.
    pub(super) settled: BTreeSet<String>,
}

impl Plan {
    /// Reads the simulation's output. Its prose is apt's to change, its `Inst`, `Remv`, `Purg` and
    /// `Conf` lines are documented (apt-get(8)) to be for programs.
    pub(super) fn parse(stdout: &str) -> Self {
        let mut plan = Self::default();
        for line in stdout.lines() {
            let mut words = line.split(' ');
            match (words.next(), words.next()) {
                (Some("Inst" | "Conf"), Some(name)) => {
                    plan.installs.insert(name.to_owned());
                }
                (Some("Remv" | "Purg"), Some(name)) => {
                    plan.removes.insert(name.to_owned());
                }
                (Some("Note,"), Some("selecting")) => plan.note(line),
                (Some(name), Some("is")) if line.contains(" is already the newest version") => {
                    plan.settled.insert(name.to_owned());
                }
                _ => {}
            }
        }
        plan
    }

    /// `Note, selecting 'mawk' instead of 'awk'`, `Note, selecting 'bash' for regex 'ba.h'`.
    fn note(&mut self, line: &str) {
        let quoted: Vec<&str> = line.split('\'').skip(1).step_by(2).collect();
        match quoted[..] {
            [taken, asked] if line.contains("' instead of '") => {
                self.stand_ins.push((asked.to_owned(), taken.to_owned()));
            }
            [.., asked] => self.patterns.push(asked.to_owned()),
            [] => {}
        }
    }
}

/// Why apt cannot do a transaction, as far as its messages tell whose fault it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// A package or a version of it that the lists of the repositories do not have.
    Unknown {
        /// The package.
        package: String,
    },
    /// Something that the lists promised and the repository no longer has.
    Vanished,
    /// A lock that another program holds, or a repository out of reach: it is in the way of any
    /// other transaction as well.
    OfTheHost,
    /// Anything else.
    Other,
}

impl Obstacle {
    /// Whether fresh lists might remove it.
    pub(super) fn outdated_lists(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Vanished)
    }

    /// Reads apt's messages.
    pub(super) fn of(output: &Output) -> Vec<Self> {
        let lines = output.stderr.lines().chain(output.stdout.lines());
        let found: Vec<Self> = lines.filter_map(Self::line).collect();
        match found.is_empty() {
            true => vec![Self::Other],
            false => found,
        }
    }

    fn line(line: &str) -> Option<Self> {
        let error = line.strip_prefix("E: ")?;
        let quoted = || error.split('\'').nth(1).map(str::to_owned);
        if let Some(package) = error.strip_prefix("Unable to locate package ") {
            let package = package.trim().to_owned();
            return Some(Self::Unknown { package });
        }
        if error.starts_with("Package '") && error.ends_with("has no installation candidate") {
            return quoted().map(|package| Self::Unknown { package });
        }
        if error.starts_with("Version '") && error.ends_with("was not found") {
            let package = error.split('\'').nth(3)?.to_owned();
            return Some(Self::Unknown { package });
        }
        if error.starts_with("Failed to fetch ") {
            let gone = error.contains(" 404 ");
            return Some(if gone {
                Self::Vanished
            } else {
                Self::OfTheHost
            });
        }
        let lock = [
            "Could not get lock",
            "Unable to acquire the dpkg",
            "Unable to lock",
        ];
        let locked = lock.iter().any(|message| error.starts_with(message));
        locked.then_some(Self::OfTheHost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(stderr: &str) -> Output {
        Output {
            code: Some(100),
            signal: None,
            stdout: String::new(),
            stderr: stderr.to_owned(),
            truncated: false,
        }
    }

    /// Messages as apt 2.6 prints them on Debian 12.
    #[test]
    fn messages_name_the_package_that_is_in_the_way() {
        let unknown = |package: &str| Obstacle::Unknown {
            package: package.into(),
        };
        let cases = [
            (
                "E: Unable to locate package nosuchpkg\n",
                unknown("nosuchpkg"),
            ),
            (
                "E: Version '1.0' for 'bash' was not found\n",
                unknown("bash"),
            ),
            (
                "E: Package 'mail-transport-agent' has no installation candidate\n",
                unknown("mail-transport-agent"),
            ),
            (
                "E: Failed to fetch http://deb.debian.org/pool/a.deb  404  Not Found [IP: 1.2.3.4 80]\n",
                Obstacle::Vanished,
            ),
            (
                "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 77 (apt-get)\n",
                Obstacle::OfTheHost,
            ),
            (
                "E: Unable to correct problems, you have held broken packages.\n",
                Obstacle::Other,
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(Obstacle::of(&failed(message)), [expected], "{message}");
        }
    }

    #[test]
    fn lines_for_programs_are_read() {
        let plan = Plan::parse(
            "Reading package lists...\nNote, selecting 'exim4' instead of 'default-mta'\n\
             sl is already the newest version (5.02-1+b1).\n\
             Remv postfix [3.7.11-0+deb12u1]\n\
             Inst exim4 (4.96-15+deb12u10 Debian:12.15/oldstable [all])\n\
             Inst libc6:i386 [2.36-9] (2.36-10 Debian:12.15/oldstable [i386])\n\
             Conf exim4 (4.96-15+deb12u10 Debian:12.15/oldstable [all])\n",
        );
        assert!(plan.installs.contains("exim4") && plan.installs.contains("libc6:i386"));
        assert!(plan.removes.contains("postfix") && plan.settled.contains("sl"));
        assert_eq!(
            plan.stand_ins,
            [("default-mta".to_owned(), "exim4".to_owned())]
        );
        assert!(plan.patterns.is_empty());
        let plan = Plan::parse("Note, selecting 'bash' for regex 'ba.h'\n");
        assert_eq!(plan.patterns, ["ba.h"]);
    }
}
