//! Where words go: the answer to stdout, everything about it to stderr, colour only to a terminal.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};

use anstream::AutoStream;
use holdfast_catalog::diag::Code;
use holdfast_catalog::{Diagnostics, Paint};
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::error::CliError;

/// In which form an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The switch of every verb that can answer programs.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct JsonSwitch {
    /// Write JSON, for programs
    #[arg(long)]
    json: bool,
}

impl JsonSwitch {
    pub(crate) fn form(&self) -> Form {
        match self.json {
            true => Form::Json,
            false => Form::Text,
        }
    }
}

/// The two streams of a command.
pub(crate) struct Output<'o> {
    answer: Box<dyn Write + 'o>,
    asides: Box<dyn Write + 'o>,
}

impl<'o> Output<'o> {
    /// Those of this process; colours are dropped where there is no terminal.
    pub(crate) fn standard() -> Self {
        Self {
            answer: Box::new(AutoStream::auto(io::stdout())),
            asides: Box::new(AutoStream::auto(io::stderr())),
        }
    }

    /// Two others.
    #[cfg(test)]
    pub(crate) fn new(answer: impl Write + 'o, asides: impl Write + 'o) -> Self {
        Self {
            answer: Box::new(answer),
            asides: Box::new(asides),
        }
    }

    /// Writes the answer as text.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), CliError> {
        self.answer.write_all(text.as_bytes())?;
        self.answer.flush()?;
        Ok(())
    }

    /// Writes the answer as one JSON document, indented: people read it as well.
    pub(crate) fn json<T: Serialize>(&mut self, document: &T) -> Result<(), CliError> {
        let mut answer = BufWriter::new(&mut self.answer);
        serde_json::to_writer_pretty(&mut answer, document)?;
        answer.write_all(b"\n")?;
        answer.flush()?;
        Ok(())
    }

    /// Writes the answer as one line of JSON: large, and for programs alone.
    pub(crate) fn json_line<T: Serialize>(&mut self, document: &T) -> Result<(), CliError> {
        let mut answer = BufWriter::new(&mut self.answer);
        serde_json::to_writer(&mut answer, document)?;
        answer.write_all(b"\n")?;
        answer.flush()?;
        Ok(())
    }

    /// Says something about the answer. Lost where nobody listens.
    pub(crate) fn aside(&mut self, text: &str) {
        let _ = self.asides.write_all(text.as_bytes());
    }

    /// `hint: …`.
    pub(crate) fn hint(&mut self, text: &str) {
        self.aside(&format!("{} {text}\n", "hint:".cyan().bold()));
    }

    /// What is wrong with a site, and where each kind of it is explained.
    pub(crate) fn diagnostics(&mut self, diagnostics: &Diagnostics) {
        /// More codes than these at once are looked up in the list of all.
        const NAMED: usize = 3;
        self.aside(&diagnostics.render(Paint::Coloured));
        let codes: BTreeSet<Code> = diagnostics.iter().map(|one| one.code).collect();
        let named: Vec<String> = codes
            .iter()
            .take(NAMED)
            .map(|code| format!("`holdfast help {code}`"))
            .collect();
        let more = match codes.len() > NAMED {
            true => ", …",
            false => "",
        };
        if !named.is_empty() {
            let explained = format!("explained by {}{more}", named.join(", "));
            self.aside(&format!("{}\n", explained.dimmed()));
        }
    }

    /// An error with its causes and its hint.
    pub(crate) fn error(&mut self, error: &CliError) {
        if let CliError::Invalid(diagnostics) = error {
            return self.diagnostics(diagnostics);
        }
        self.aside(&format!("{} {error}\n", "error:".red().bold()));
        if let CliError::InvalidAt { diagnostics, .. } = error {
            self.diagnostics(diagnostics);
        }
        for cause in error.causes() {
            self.aside(&format!("  {} {cause}\n", "caused by:".dimmed()));
        }
        if let Some(advice) = error.hint() {
            self.hint(&advice);
        }
    }
}
