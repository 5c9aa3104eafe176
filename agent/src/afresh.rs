//! Memory that a large run took, given back.
//!
//! A first apply of thousands of files goes through every allocation arena of eight threads, and
//! the allocator keeps what it once had: 17 MiB for an agent that then sits still for a month. The
//! process takes its own place (`execve`): same process id, nothing lost, because between two runs
//! all that it needs is on disk. It costs about as much as a run with nothing to do, and happens
//! only after one that had a lot. In its new place the allocator is told, by its environment, to
//! give back what is free at the end of its memory (mallopt(3)), which it else does less the more
//! it was once asked for.
#![allow(clippy::disallowed_types)] // No program is started: this one goes on.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use crate::said::chain;

/// The option that tells a process that it goes on where another left off; its value is the
/// interval that the server asked for last, in seconds.
pub(crate) const RESUMED: &str = "--resumed";

/// Memory of its own, in bytes, by which a process may grow before it is worth the change.
const WORTH_IT: u64 = 2 * 1024 * 1024;

/// What the allocator is told: give back more than this at the end of its memory, and have two
/// arenas. Programs that the agent starts have an environment of their own.
const ALLOCATOR: [(&str, &str); 2] = [
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
    ("MALLOC_ARENA_MAX", "2"),
];

/// How much memory of its own this process has, in bytes; 0 where the kernel does not tell.
pub(crate) fn own_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or_default() * 1024
}

/// Takes this process's place if it has grown far beyond what it began with. Returns when it has
/// not, or cannot: then it goes on as it is.
pub(crate) fn take_own_place(began_with: u64, interval: Duration) {
    let memory = own_memory();
    if memory < began_with.saturating_add(WORTH_IT) {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    tracing::debug!(
        memory.bytes = memory,
        "beginning afresh, to give memory back"
    );
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(at) = arguments.iter().position(|word| word == RESUMED) {
        arguments.drain(at..arguments.len().min(at + 2));
    }
    let seconds = interval.as_secs().to_string();
    let failed = Command::new(program)
        .args(arguments)
        .args([RESUMED, &seconds])
        .envs(ALLOCATOR)
        .exec();
    tracing::warn!(error = chain(&failed), "memory is not given back");
}
