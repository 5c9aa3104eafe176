//! Being asked to end: SIGTERM and SIGINT, once and twice.
//!
//! The first signal lets the resource at hand come to its end (a command that an operator wrote is
//! ended with its process group) and skips the rest, which the report tells. The second ends the
//! process at once: every file is whole all the same, and what was not written down is seen by the
//! next run.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use holdfast_modules::host::Stop;
use nix::sys::signal::Signal;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::time::timeout;

use crate::agent::Executing;

/// How long work that does not execute may go on after the agent was asked to end: a report that
/// is being sent is on disk, and sent at the next start.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often it is looked whether an execution that is to end has ended.
const ENDING: Duration = Duration::from_millis(20);

/// How work ended.
pub(crate) enum Ended<T> {
    /// Nobody asked it to.
    ByItself(T),
    /// Somebody did; what came of it, if it came to that.
    Asked(Option<T>),
    /// Somebody asked twice: it was left where it was.
    AtOnce(AskedTwice),
}

/// The end was asked for twice.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("ended at once, as asked twice: the resource at hand was broken off")]
pub(crate) struct AskedTwice(Signal);

impl AskedTwice {
    /// The exit code that shells use for a process that a signal ended.
    pub(crate) fn exit_code(self) -> u8 {
        const OF_SIGNALS: u8 = 128;
        OF_SIGNALS.saturating_add(u8::try_from(self.0 as i32).unwrap_or_default())
    }
}

/// The signals that ask the agent to end.
pub(crate) struct Ends {
    term: unix::Signal,
    int: unix::Signal,
}

impl Ends {
    /// Catches them from now on. Lives in a runtime.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn asked(&mut self) -> Signal {
        tokio::select! {
            _ = self.term.recv() => Signal::SIGTERM,
            _ = self.int.recv() => Signal::SIGINT,
        }
    }

    /// Lets work go on until it ends or somebody asks; then it is given the time for the resource
    /// at hand.
    pub(crate) async fn over<T>(
        &mut self,
        work: impl Future<Output = T>,
        stop: &Arc<Stop>,
        executing: &Executing,
    ) -> Ended<T> {
        let mut work = pin!(work);
        tokio::select! {
            done = &mut work => return Ended::ByItself(done),
            _ = self.asked() => stop.ask(),
        }
        loop {
            let acting = executing.now();
            let patience = if acting { ENDING } else { LAST_WORDS };
            tokio::select! {
                done = timeout(patience, &mut work) => {
                    if done.is_ok() || !(acting || executing.now()) {
                        return Ended::Asked(done.ok());
                    }
                }
                signal = self.asked() => {
                    stop.kill_commands();
                    return Ended::AtOnce(AskedTwice(signal));
                }
            }
        }
    }
}
