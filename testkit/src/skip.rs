//! Skipping a test out loud.
//!
//! A test that cannot run here (no root, no mirror) passes as far as its runner knows. So that
//! nobody mistakes that for a success, it says so, and notes it in the file that
//! `$HOLDFAST_SKIPS` names, which `testkit/check` counts and shows at the end.

use std::fs::OpenOptions;
use std::io::Write;

/// Notes that a test did not run, and why.
pub fn skip(name: &str, reason: &str) {
    eprintln!("SKIPPED {name}: {reason}");
    let Some(path) = std::env::var_os("HOLDFAST_SKIPS") else {
        return;
    };
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).open(&path);
    let line = format!("{name}: {reason}\n");
    if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
        eprintln!("cannot note the skip in {}: {error}", path.display());
    }
}
