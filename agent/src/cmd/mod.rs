//! One verb per file: its options, and what it does.

pub(crate) mod apply;
pub(crate) mod enroll;
pub(crate) mod facts;
pub(crate) mod once;
pub(crate) mod run;
pub(crate) mod status;

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice, StripStream};
use holdfast_schemas::report::Report;
use serde::Serialize;

use crate::show;

/// Bytes of output that are written at a time.
const OUTPUT_BUFFER: usize = 64 * 1024;

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

/// Writes a report for people to standard output.
pub(crate) fn print_report(report: &Report) -> Result<(), OutputError> {
    let stdout = io::stdout();
    // Colour is taken out behind the buffer, not before it: else every piece of text between two
    // colours is a write of its own.
    let colour = AutoStream::choice(&stdout);
    let buffered = io::BufWriter::with_capacity(OUTPUT_BUFFER, stdout.lock());
    let mut out: Box<dyn Write> = match colour {
        ColorChoice::Never => {
            let plain: Box<dyn Write> = Box::new(buffered);
            Box::new(StripStream::new(plain))
        }
        _ => Box::new(buffered),
    };
    show::report(report, &mut *out)?;
    Ok(out.flush()?)
}

/// Runs what waits for the server or for signals: on one thread, and one more that executes. When
/// it returns, nothing is waited for that still goes on: then the end was asked for twice.
pub(crate) fn block_on<F: Future>(work: F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .build()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(done)
}
