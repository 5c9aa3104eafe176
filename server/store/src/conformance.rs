//! One suite, every store: what a backend must do to be one.
//!
//! `check` takes a way to make an empty store and runs every case on a fresh one. Cases that need
//! a restart, a crash or a disk are a backend's own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod enrolment;
mod fixtures;
mod history;
mod hosts;
mod server;

use std::sync::Arc;

use crate::Store;
pub use fixtures::{host, report, time};

/// A case: what it shows, and how.
type Case = (&'static str, fn(&Arc<dyn Store>));

/// Runs every case on a fresh store from `empty`; panics with the case's name where one fails.
pub fn check(mut empty: impl FnMut() -> Arc<dyn Store>) {
    let cases: Vec<Case> = [
        hosts::CASES,
        enrolment::CASES,
        history::CASES,
        server::CASES,
    ]
    .concat();
    for (shows, case) in cases {
        let store = empty();
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(&store)));
        assert!(ran.is_ok(), "not so: {shows}");
    }
}
