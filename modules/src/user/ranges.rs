//! The numbers that new accounts get, by login.defs(5).

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use holdfast_schemas::HostPath;

use crate::host::{HostError, Probe};

const LOGIN_DEFS: &str = "/etc/login.defs";

/// Longest login.defs that is read.
const MAX_LOGIN_DEFS: usize = 1024 * 1024;

/// The settings of login.defs(5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LoginDefs(String);

/// Which range a number is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Range {
    /// That of people.
    Ordinary,
    /// That of services.
    System,
}

impl Range {
    /// The range of an account that `system: …` declares.
    pub(crate) const fn declared(system: &bool) -> Self {
        match *system {
            true => Self::System,
            false => Self::Ordinary,
        }
    }
}

/// What a number is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// Of a user.
    Uid,
    /// Of a group.
    Gid,
}

impl LoginDefs {
    /// Reads the file; without one the defaults hold.
    pub(crate) fn of(probe: &dyn Probe) -> Result<Self, HostError> {
        let path: HostPath = LOGIN_DEFS.parse().map_err(|error| HostError::Garbled {
            what: LOGIN_DEFS.to_owned(),
            detail: format!("{error}"),
        })?;
        if probe.stat(&path)?.is_none() {
            return Ok(Self::default());
        }
        let text = probe.read(&path, MAX_LOGIN_DEFS)?;
        Ok(Self(String::from_utf8_lossy(&text).into_owned()))
    }

    /// Permission bits of a new home folder: `HOME_MODE`, else what `UMASK` leaves.
    pub(crate) fn home_mode(&self) -> u32 {
        let octal = |name| {
            self.value(name)
                .and_then(|text| u32::from_str_radix(text, 8).ok())
        };
        octal("HOME_MODE").unwrap_or(0o777 & !octal("UMASK").unwrap_or(0o022))
    }

    /// A free number: for an ordinary account the one after the highest in use, for a system
    /// account the highest that is free, as useradd(8) and groupadd(8) choose.
    pub(crate) fn free(&self, number: Number, range: Range, used: &BTreeSet<u32>) -> Option<u32> {
        let mut numbers = self.range(number, range);
        let is_free = |candidate: &u32| !used.contains(candidate);
        if range == Range::System {
            return numbers.rev().find(is_free);
        }
        let highest = used.range(numbers.clone()).next_back();
        let next = highest.map_or(*numbers.start(), |last| last + 1);
        match numbers.contains(&next) {
            true => Some(next),
            false => numbers.find(is_free),
        }
    }

    fn range(&self, number: Number, range: Range) -> RangeInclusive<u32> {
        let (low, high) = match (number, range) {
            (Number::Uid, Range::Ordinary) => (("UID_MIN", 1000), ("UID_MAX", 60000)),
            (Number::Uid, Range::System) => (("SYS_UID_MIN", 100), ("SYS_UID_MAX", 999)),
            (Number::Gid, Range::Ordinary) => (("GID_MIN", 1000), ("GID_MAX", 60000)),
            (Number::Gid, Range::System) => (("SYS_GID_MIN", 100), ("SYS_GID_MAX", 999)),
        };
        let number = |(name, default): (&str, u32)| {
            self.value(name)
                .and_then(|text| text.parse().ok())
                .unwrap_or(default)
        };
        number(low)..=number(high)
    }

    fn value(&self, name: &str) -> Option<&str> {
        let lines = self.0.lines().map(|line| line.split_whitespace());
        lines
            .filter_map(|mut words| (words.next()? == name).then(|| words.next())?)
            .next_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_ranges() {
        let defs = LoginDefs("# UID_MIN 5\nUID_MIN\t\t 2000\nUMASK 027\nUID_MAX 2002\n".into());
        let used = |numbers: &[u32]| numbers.iter().copied().collect();
        assert_eq!(
            defs.free(Number::Uid, Range::Ordinary, &used(&[0, 1500])),
            Some(2000)
        );
        assert_eq!(
            defs.free(Number::Uid, Range::Ordinary, &used(&[2000, 2001])),
            Some(2002)
        );
        assert_eq!(
            defs.free(Number::Uid, Range::Ordinary, &used(&[2000, 2002])),
            Some(2001)
        );
        assert_eq!(
            defs.free(Number::Uid, Range::Ordinary, &used(&[2000, 2001, 2002])),
            None
        );
        assert_eq!(
            defs.free(Number::Gid, Range::System, &used(&[999, 100])),
            Some(998)
        );
        assert_eq!(defs.home_mode(), 0o750);
    }
}
