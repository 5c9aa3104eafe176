//! How often the watch may set off a run.
//!
//! A file that is touched all the time without leaving its desired state, and a file that
//! somebody else writes as often as it is mended, must not keep the agent running for ever.

use std::time::{Duration, Instant};

use holdfast_schemas::report::RunStatus;

/// Time for a writer to finish what it began, and for further events to join the first.
pub(crate) const DEBOUNCE: Duration = Duration::from_millis(150);

/// Runs in a row, each mending something, after which it counts as a fight.
const FIGHT: u32 = 5;

/// Runs of a fight lie closer together than this.
const FIGHT_WINDOW: Duration = Duration::from_secs(60);

/// Longest time for which the watch is not listened to.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Shortest, after the first run that was for nothing.
const FIRST_REST: Duration = Duration::from_millis(500);

/// How the watch is listened to.
#[derive(Debug, Default)]
pub(crate) struct Rhythm {
    for_nothing: u32,
    mended: Vec<Instant>,
}

impl Rhythm {
    /// A run that the watch had set off ended so. The time for which the watch is not listened to
    /// next.
    pub(crate) fn after_run(&mut self, status: RunStatus, now: Instant) -> Duration {
        if status == RunStatus::InSync {
            self.for_nothing += 1;
            let doubled = 1_u32.checked_shl(self.for_nothing - 1).unwrap_or(u32::MAX);
            return FIRST_REST.saturating_mul(doubled).min(LONGEST_REST);
        }
        self.for_nothing = 0;
        self.mended
            .retain(|&at| now.duration_since(at) < FIGHT_WINDOW);
        self.mended.push(now);
        if self.mended.len() < FIGHT as usize {
            return Duration::ZERO;
        }
        tracing::error!(
            watch.rest_s = LONGEST_REST.as_secs(),
            "something on this host undoes what is mended, again and again: the watch rests, the \
             timer goes on"
        );
        LONGEST_REST
    }

    /// A run that the timer had set off: the watch gets another chance.
    pub(crate) fn refresh(&mut self) {
        self.for_nothing = 0;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn runs_for_nothing_grow_apart() {
        let (mut rhythm, now) = (Rhythm::default(), Instant::now());
        let mut rests = (0..12).map(|_| rhythm.after_run(RunStatus::InSync, now));
        assert_eq!(rests.next(), Some(FIRST_REST));
        assert_eq!(rests.next(), Some(2 * FIRST_REST));
        assert_eq!(rests.last(), Some(LONGEST_REST));
        rhythm.refresh();
        assert_eq!(rhythm.after_run(RunStatus::InSync, now), FIRST_REST);
    }

    #[test]
    fn a_fight_is_not_fought_for_ever() {
        let (mut rhythm, start) = (Rhythm::default(), Instant::now());
        for round in 0..4 {
            let now = start + Duration::from_secs(round);
            assert_eq!(rhythm.after_run(RunStatus::Changed, now), Duration::ZERO);
        }
        let now = start + Duration::from_secs(4);
        assert_eq!(rhythm.after_run(RunStatus::Changed, now), LONGEST_REST);
        let later = now + FIGHT_WINDOW;
        assert_eq!(rhythm.after_run(RunStatus::Changed, later), Duration::ZERO);
    }
}
