//! Transcripts: what a command line writes, to which stream, and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod diff;
mod expect;
mod formatting;
mod groups;
mod help;
mod init;
mod lint;
mod records;
mod repo;
mod secret;
mod server;
mod site;

use std::fmt;

use clap::{CommandFactory, Parser};

use crate::cmd::{Verb, perform};
use crate::exit::Exit;
use crate::output::Output;

#[derive(Debug, Parser)]
#[command(name = "holdfast", disable_help_subcommand = true)]
struct Line {
    #[command(subcommand)]
    verb: Verb,
}

/// What came of a command line.
pub(crate) struct Transcript {
    pub(crate) exit: Exit,
    pub(crate) answer: String,
    pub(crate) asides: String,
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit {} ({:?})", self.exit as u8, self.exit)?;
        write!(f, "── stdout\n{}── stderr\n{}", self.answer, self.asides)
    }
}

/// Runs a command line, without `holdfast` in front.
pub(crate) fn transcript(arguments: &[&str]) -> Transcript {
    let line = Line::try_parse_from([&["holdfast"], arguments].concat()).unwrap();
    let (mut answer, mut asides) = (Vec::new(), Vec::new());
    let exit = perform(
        line.verb,
        Line::command,
        &mut Output::new(&mut answer, &mut asides),
    );
    Transcript {
        exit,
        answer: plain(&answer),
        asides: plain(&asides),
    }
}

fn plain(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).unwrap();
    anstream::adapter::strip_str(text).to_string()
}

/// A reader who went away.
struct Gone;

impl std::io::Write for Gone {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn a_reader_who_went_away_is_no_error() {
    for form in [vec![], vec!["--json"]] {
        let arguments = ["holdfast", "check", "--site", site::FLEET];
        let line = Line::try_parse_from(arguments.into_iter().chain(form)).unwrap();
        let mut asides = Vec::new();
        let exit = perform(
            line.verb,
            Line::command,
            &mut Output::new(Gone, &mut asides),
        );
        assert_eq!((exit, asides.as_slice()), (Exit::Fine, [].as_slice()));
    }
}

#[test]
fn the_command_line_is_well_formed() {
    Line::command().debug_assert();
}
