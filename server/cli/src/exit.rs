//! Exit codes by kind of error, so that a script knows whom to blame without reading.

use std::process::ExitCode;

use clap::error::ErrorKind;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked, and nothing is wrong.
    Fine = 0,
    /// It could not be carried out: wrong usage, a file that is not there.
    CouldNotRun = 1,
    /// The site does not compile; the diagnostics say why.
    Invalid = 2,
    /// The server was not reached, or refused.
    Server = 3,
    /// It did what was asked, and found something: revisions differ, a test failed, lint has a
    /// finding.
    Found = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The table of [`Exit`], for help texts.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done, nothing wrong
  1  could not run: wrong usage, a missing file
  2  the site does not compile
  3  the server was not reached, or refused
  4  done, and something was found: `diff` a difference, `test` a failure,
     `lint` a finding, `check --strict` a host that cannot be checked";

/// Prints what clap has to say of a command line, help and version included. Wrong usage ends
/// with 1, not with clap's 2, which here says that a site does not compile.
pub fn usage(error: &clap::Error) -> ExitCode {
    // clap colours by itself; a stream that is closed has nobody left to tell.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Fine.into(),
        _ => Exit::CouldNotRun.into(),
    }
}
