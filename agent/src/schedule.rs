//! When the next run is due. Pure: given the time, it says how long to wait.
//!
//! Every host has a place of its own in the interval, found from its name, so that a fleet that
//! was started at once does not call at once; a little chance is added, so that two hosts of one
//! place do not meet for ever.

use std::time::Duration;

use holdfast_schemas::HostName;

/// Interval unless somebody says otherwise.
pub(crate) const DEFAULT_INTERVAL: Duration = Duration::from_secs(300);

/// Shortest interval that a server may ask for: a typing error must not keep a host busy.
const SHORTEST_ASKED: Duration = Duration::from_secs(10);

/// Longest interval that a server may ask for: drift is found at least once a day.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// The part of an interval by which chance delays a run: a twentieth.
const JITTER_PART: u32 = 20;

/// First pause after a failure to reach the server.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause: a server that comes back has all its hosts within this.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// How long the interval is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interval {
    /// An operator said so on this host.
    Fixed(Duration),
    /// The server's last word, else the default.
    Asked(Option<Duration>),
}

impl Interval {
    /// Hears what the server asks for.
    pub(crate) fn hear(&mut self, next_s: u32) {
        if let Self::Asked(asked) = self {
            let next = Duration::from_secs(u64::from(next_s));
            *asked = Some(next.clamp(SHORTEST_ASKED, LONGEST_ASKED));
        }
    }

    /// The interval.
    pub(crate) fn length(self) -> Duration {
        match self {
            Self::Fixed(length) => length,
            Self::Asked(asked) => asked.unwrap_or(DEFAULT_INTERVAL),
        }
    }
}

/// How long until a host's next turn. `since_epoch` is the time, `chance` a number drawn evenly.
pub(crate) fn until_next(
    host: &HostName,
    interval: Duration,
    since_epoch: Duration,
    chance: u32,
) -> Duration {
    let length = interval.as_millis().max(1);
    let own = place(host, length);
    let into = since_epoch.as_millis() % length;
    let wait = match (own + length - into) % length {
        0 => length,
        wait => wait,
    };
    // A turn that has only just been taken is not taken again at once.
    let wait = if wait < length / 4 {
        wait + length
    } else {
        wait
    };
    let most = interval / JITTER_PART;
    millis(wait) + most.mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

/// How long to wait after so many failures in a row, the first being 1.
pub(crate) fn pause_after(failures: u32, chance: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(
        1_u32
            .checked_shl(failures.saturating_sub(1))
            .unwrap_or(u32::MAX),
    );
    let most = doubled.min(LONGEST_PAUSE);
    // Between half of it and all of it: hosts that failed at once do not try again at once.
    most / 2 + (most / 2).mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

/// A number drawn evenly.
pub(crate) fn chance() -> u32 {
    getrandom::u32().unwrap_or_default()
}

/// A host's place in an interval of so many milliseconds.
fn place(host: &HostName, length: u128) -> u128 {
    let digest = blake3::hash(host.as_str().as_bytes());
    let mut number = [0; 16];
    number.copy_from_slice(&digest.as_bytes()[..16]);
    u128::from_le_bytes(number) % length
}

fn millis(count: u128) -> Duration {
    Duration::from_millis(u64::try_from(count).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_fleet_is_spread_over_the_interval() {
        let mut quarters = [0_u32; 4];
        for number in 0..400 {
            let host: HostName = format!("web-{number}").parse().unwrap();
            let at = until_next(&host, MINUTE, Duration::ZERO, 0).as_secs() % 60;
            quarters[(at / 15) as usize] += 1;
        }
        assert!(quarters.iter().all(|&hosts| hosts > 50), "{quarters:?}");
    }

    #[test]
    fn a_server_is_heard_within_bounds_and_not_over_an_operator() {
        let mut asked = Interval::Asked(None);
        assert_eq!(asked.length(), DEFAULT_INTERVAL);
        asked.hear(0);
        assert_eq!(asked.length(), SHORTEST_ASKED);
        asked.hear(u32::MAX);
        assert_eq!(asked.length(), LONGEST_ASKED);
        let mut fixed = Interval::Fixed(MINUTE);
        fixed.hear(5);
        assert_eq!(fixed.length(), MINUTE);
    }

    #[test]
    fn pauses_grow_to_a_bound() {
        assert_eq!(pause_after(1, u32::MAX), FIRST_PAUSE);
        assert_eq!(pause_after(2, u32::MAX), 2 * FIRST_PAUSE);
        assert_eq!(pause_after(1000, u32::MAX), LONGEST_PAUSE);
    }

    proptest! {
        #[test]
        fn the_next_turn_is_neither_at_once_nor_far(
            seconds in 0_u64..10_000_000,
            interval in 1_u64..100_000,
            chance: u32,
        ) {
            let interval = Duration::from_secs(interval);
            let host: HostName = "web-1".parse().unwrap();
            let wait = until_next(&host, interval, Duration::from_secs(seconds), chance);
            prop_assert!(wait >= interval / 5);
            prop_assert!(wait <= interval * 2);
        }
    }
}
