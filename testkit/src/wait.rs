//! Waiting for a level: a test looks until what it waits for is so, or too much time has passed.

use std::thread;
use std::time::{Duration, Instant};

/// How long between two looks: short beside everything that is waited for.
const GLANCE: Duration = Duration::from_millis(50);

/// Looks until `holds` says yes; `false` when it has not within the deadline.
pub fn wait_until(deadline: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        if holds() {
            return true;
        }
        if begin.elapsed() >= deadline {
            return false;
        }
        thread::sleep(GLANCE);
    }
}
