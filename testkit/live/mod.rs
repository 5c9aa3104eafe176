//! Real hosts: Debian, booted with systemd as process 1, a second each, gone afterwards.
//!
//! [`Machine::this`] says whether this machine can boot hosts, or why not; a test that needs one
//! calls [`machine_or_skip`] and returns when there is none. The root is made once by debootstrap
//! from the mirror that the machine's own apt uses; a host is a throw-away overlay of it under
//! `systemd-nspawn`, entered with `nsenter`. The network is the machine's own: a server on its
//! loopback is reached, and so is the mirror.

mod error;
mod host;
mod mirror;
mod requirements;
mod root;
mod sweep;

pub use error::LiveError;
pub use host::{Answer, Host};
pub use mirror::Archive;
pub use requirements::Machine;

/// This machine if it can boot hosts; else the test `name` is counted as skipped, with the reason.
pub fn machine_or_skip(name: &str) -> Option<Machine> {
    match Machine::this() {
        Ok(machine) => Some(machine),
        Err(reason) => {
            crate::skip(name, &reason);
            None
        }
    }
}
