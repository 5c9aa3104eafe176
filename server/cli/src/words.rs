//! Times, sizes and states in words that people read.

use std::time::Duration;

use holdfast_schemas::HostName;
use holdfast_schemas::operator_api::HostStatus;
use holdfast_schemas::report::{Cause, RunStatus, Trigger};
use jiff::Timestamp;

/// From this age on a date says more than a distance.
const DATED_FROM_S: i64 = 14 * 24 * 3600;

/// How long ago: `just now`, `12 s ago`, `3 min ago`, `5 h ago`, `2 days ago`, then the date.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - then.as_second();
    match seconds {
        // Clocks differ a little, and a moment is not worth a number.
        -60..2 => "just now".to_owned(),
        _ if seconds < 0 => format!("in {}", span(-seconds)),
        _ if seconds < DATED_FROM_S => format!("{} ago", span(seconds)),
        _ => then.strftime("%Y-%m-%d").to_string(),
    }
}

/// A length of time in one unit: `12 s`, `3 min`, `5 h`, `2 days`.
pub(crate) fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A short length of time: `3 ms`, `1.24 s`.
pub(crate) fn took(time: Duration) -> String {
    match time.as_millis() {
        0 => "under 1 ms".to_owned(),
        millis @ 1..1000 => format!("{millis} ms"),
        _ => format!("{:.2} s", time.as_secs_f64()),
    }
}

/// `1 host`, `2 hosts`; thousands apart.
pub(crate) fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {one}s", thousands(number)),
    }
}

/// `12,345`.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A few names, and how many more there are.
pub(crate) fn names(hosts: &[HostName]) -> String {
    /// More names than these make a line that nobody reads.
    const SHOWN: usize = 4;
    let names: Vec<&str> = hosts.iter().take(SHOWN).map(HostName::as_str).collect();
    match hosts.len() > SHOWN {
        true => format!(
            "{} and {} more",
            names.join(", "),
            thousands(hosts.len() - SHOWN)
        ),
        false => names.join(", "),
    }
}

/// A size: `812 B`, `14.2 KiB`, `3.0 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 3] = ["KiB", "MiB", "GiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

/// A revision, short enough for a table: a commit's digest by its first ten digits.
pub(crate) fn revision(revision: &str) -> &str {
    let is_commit = revision.len() >= 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_commit {
        true => &revision[..10],
        false => revision,
    }
}

/// How a host stands.
pub(crate) fn host_status(status: HostStatus) -> &'static str {
    match status {
        HostStatus::InSync => "in sync",
        HostStatus::Drifted => "drifted",
        HostStatus::Failed => "failed",
        HostStatus::Pending => "pending",
        HostStatus::Silent => "silent",
        HostStatus::NeverSeen => "never seen",
        HostStatus::Held => "held",
    }
}

/// How a run ended.
pub(crate) fn run_status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::InSync => "in sync",
        RunStatus::Changed => "changed",
        RunStatus::Drifted => "drifted",
        RunStatus::Failed => "failed",
        RunStatus::NotRun => "not run",
    }
}

/// What set a run off.
pub(crate) fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Timer => "timer",
        Trigger::Manual => "by hand",
        Trigger::Catalog => "new catalog",
        Trigger::Watch => "change on host",
    }
}

/// Why a resource differed.
pub(crate) fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Drift => "drift",
        Cause::Intended => "intended",
        Cause::New => "new",
        Cause::Unknown => "unknown",
    }
}

/// The first line of a text, cut to a number of characters; what is left out shows as `…`.
pub(crate) fn short(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    let more = text.lines().nth(1).is_some();
    match line.chars().count() > most || more {
        true => {
            let kept: String = line.chars().take(most.saturating_sub(1)).collect();
            format!("{kept}…")
        }
        false => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_800_000_000 + second, 0)
    }

    #[test]
    fn ages_read_as_people_say_them() {
        let cases = [
            (0, "just now"),
            (1, "just now"),
            (-30, "just now"),
            (-600, "in 10 min"),
            (12, "12 s ago"),
            (119, "119 s ago"),
            (180, "3 min ago"),
            (5 * 3600, "5 h ago"),
            (3 * 86_400, "3 days ago"),
            (DATED_FROM_S, "2027-01-01"),
        ];
        for (age, words) in cases {
            assert_eq!(ago(at(-age), at(0)), words);
        }
    }

    #[test]
    fn numbers_are_grouped_and_words_agree() {
        assert_eq!(count(1, "host"), "1 host");
        assert_eq!(count(0, "host"), "0 hosts");
        assert_eq!(count(1_234_567, "host"), "1,234,567 hosts");
        assert_eq!(thousands(999), "999");
    }

    #[test]
    fn sizes_have_one_unit() {
        assert_eq!(size(812), "812 B");
        assert_eq!(size(14_541), "14.2 KiB");
        assert_eq!(size(5 * 1024 * 1024 * 1024 * 1024), "5120.0 GiB");
    }

    #[test]
    fn a_commit_is_shortened_and_words_are_not() {
        assert_eq!(revision(&"a1".repeat(20)), "a1a1a1a1a1");
        assert_eq!(revision("working tree"), "working tree");
    }

    #[test]
    fn long_text_is_cut_where_it_shows() {
        assert_eq!(short("abc", 3), "abc");
        assert_eq!(short("abcd", 3), "ab…");
        assert_eq!(short("abc\ndef", 10), "abc…");
        assert_eq!(short("", 3), "");
    }
}
