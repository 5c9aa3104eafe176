//! One probe, asked until it is answered well, or often enough, or there is no time left.

use std::thread;
use std::time::{Duration, Instant};

use holdfast_modules::host::{Probe, Stop};
use holdfast_schemas::health::HealthProbe;

use super::look::look;

/// How long a pause goes on after the run was asked to end.
const GLANCE: Duration = Duration::from_millis(100);

/// What asking takes.
pub(super) struct Asking<'a> {
    pub(super) probe: &'a dyn Probe,
    pub(super) stop: &'a Stop,
    /// When all probes have had their time.
    pub(super) end: Instant,
}

/// What came of asking.
pub(super) struct Asked {
    /// What was seen last: well or not.
    pub(super) last: Result<String, String>,
    pub(super) attempts: u32,
}

impl Asking<'_> {
    /// How long is left.
    fn left(&self) -> Duration {
        match self.stop.asked() {
            true => Duration::ZERO,
            false => self.end.saturating_duration_since(Instant::now()),
        }
    }

    fn pause(&self, long: Duration) {
        let until = Instant::now() + long.min(self.left());
        while !self.left().is_zero() {
            match until.saturating_duration_since(Instant::now()) {
                Duration::ZERO => return,
                left => thread::sleep(left.min(GLANCE)),
            }
        }
    }
}

/// Asks a probe.
pub(super) fn ask(probe: &HealthProbe, asking: &Asking<'_>) -> Asked {
    let why = match asking.stop.asked() {
        true => "not asked: the run was to end",
        false => "not asked: the probes before it took all the time there is",
    };
    let mut asked = Asked {
        last: Err(why.to_owned()),
        attempts: 0,
    };
    for attempt in 0..=probe.retries {
        if attempt > 0 {
            asking.pause(Duration::from_secs(probe.interval_s.into()));
        }
        let left = asking.left();
        if left.is_zero() {
            break;
        }
        let timeout = Duration::from_secs(probe.timeout_s.into()).min(left);
        asked.last = look(&probe.check, asking.probe, timeout);
        asked.attempts += 1;
        if asked.last.is_ok() {
            break;
        }
    }
    asked
}
