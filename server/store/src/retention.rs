//! How long history is kept.

use jiff::SignedDuration;

/// How long a report is kept unless said otherwise: a month of incidents can be looked into.
pub const RETENTION_AGE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many reports of one host are kept unless said otherwise: thirty-odd a day for a month.
/// A report that says the same as the last is a heartbeat, so that is a busy host.
pub const RETENTION_PER_HOST: usize = 1000;

/// How much history is kept. The last report of a host is kept for ever: it says how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Older reports go.
    pub age: SignedDuration,
    /// More reports of one host go, oldest first.
    pub per_host: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            age: RETENTION_AGE,
            per_host: RETENTION_PER_HOST,
        }
    }
}

/// What was thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Reports, with their drift events.
    pub reports: u64,
    /// Tokens that nobody can use any more.
    pub tokens: u64,
    /// Files that a crash left without a record.
    pub files: u64,
}
