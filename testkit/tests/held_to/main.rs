//! What the whole is held to, shown through the shipped programs on loopback: bad input has a
//! clear error and loses nothing, and what is done about a change takes seconds.
//!
//! A file per thing that may be bad. Every wait is for a state, never for a time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod commits;
mod disks;
mod reaction;
mod requests;
mod server_disk;
mod tokens;
mod trust;
mod wire;
mod world;
