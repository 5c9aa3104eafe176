//! One verb per file: its options, and what it does.

pub(crate) mod apply;
pub(crate) mod enroll;
pub(crate) mod facts;
pub(crate) mod once;
pub(crate) mod run;
pub(crate) mod status;

use std::io::{self, Write};

use serde::Serialize;

/// Why something could not be said.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output")]
pub(crate) struct OutputError(#[from] io::Error);

/// Writes a document as JSON to standard output.
pub(crate) fn print_json<T: Serialize>(document: &T) -> Result<(), OutputError> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    serde_json::to_writer_pretty(&mut out, document).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// A runtime for the verbs that talk to the server: one thread, and one more that executes.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .build()
}
