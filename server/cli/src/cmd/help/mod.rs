//! `holdfast help`: what a verb does, and what a code of the compiler means.
//!
//! A word may be both, as `secret` is; then both are told. Codes are taken as they are printed,
//! `error[unknown_key]` included.

mod lesson;

use holdfast_catalog::diag::{Code, Lesson, nearest};
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{Form, JsonSwitch, Output};

/// Explains a verb or a code.
#[derive(Debug, Clone, clap::Args)]
pub struct Help {
    /// A verb (`check`, `secret encrypt`), or a code (`unknown_key`); everything there is without
    #[arg(value_name = "VERB|CODE")]
    words: Vec<String>,
    #[command(flatten)]
    json: JsonSwitch,
}

/// What there is to ask about.
#[derive(Debug, Serialize)]
struct Contents {
    verbs: Vec<Line>,
    codes: Vec<Line>,
}

/// A word, and what it is in a line.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    about: String,
}

/// What there is to say about a word.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    verb: Option<VerbHelp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lesson: Option<Lesson>,
}

/// The help of a verb.
#[derive(Debug, Serialize)]
struct VerbHelp {
    name: String,
    help: String,
    /// With colours, as a terminal gets it.
    #[serde(skip)]
    drawn: String,
}

impl Help {
    pub(crate) fn run(
        self,
        program: fn() -> clap::Command,
        out: &mut Output<'_>,
    ) -> Result<Exit, CliError> {
        let mut program = program();
        // Says what each verb is called with, nested ones included.
        program.build();
        match self.words.is_empty() {
            true => self.contents(&mut program, out)?,
            false => self.told(&mut program, out)?,
        }
        Ok(Exit::Fine)
    }

    fn contents(&self, program: &mut clap::Command, out: &mut Output<'_>) -> Result<(), CliError> {
        if self.json.form() == Form::Json {
            let codes = Code::ALL.iter().map(|code| Line {
                name: code.to_string(),
                about: code.lesson().title.to_owned(),
            });
            return out.json(&Contents {
                verbs: verbs(program).map(line).collect(),
                codes: codes.collect(),
            });
        }
        let help = program.render_help().ansi().to_string();
        out.text(&format!("{}\n\n{}", help.trim_end(), lesson::listing()))
    }

    fn told(&self, program: &mut clap::Command, out: &mut Output<'_>) -> Result<(), CliError> {
        let told = Told {
            verb: verb_help(program, &self.words),
            lesson: self.code().map(Code::lesson),
        };
        if told.verb.is_none() && told.lesson.is_none() {
            return Err(self.unknown(program));
        }
        if self.json.form() == Form::Json {
            return out.json(&told);
        }
        let verb = told.verb.map(|verb| verb.drawn);
        let lesson = told.lesson.map(|lesson| lesson::drawn(&lesson));
        let parts: Vec<String> = verb.into_iter().chain(lesson).collect();
        out.text(&parts.join(&format!("\n{}\n\n", "It is a code as well:".dimmed())))
    }

    /// The code that the one word is.
    fn code(&self) -> Option<Code> {
        let [word] = self.words.as_slice() else {
            return None;
        };
        let bracketed = word.split_once('[').map_or(word.as_str(), |both| both.1);
        let word = bracketed.trim_end_matches([']', ':']).replace('-', "_");
        word.to_ascii_lowercase().parse().ok()
    }

    fn unknown(&self, program: &clap::Command) -> CliError {
        let asked = self.words.join(" ");
        let codes = Code::ALL.iter().map(|code| code.as_str());
        let verbs: Vec<&str> = verbs(program).map(clap::Command::get_name).collect();
        let first = self.words.first().map_or("", String::as_str);
        CliError::NoHelp {
            nearest: nearest(first, verbs.into_iter().chain(codes)).map(str::to_owned),
            asked,
        }
    }
}

fn verbs(program: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    program.get_subcommands().filter(|verb| !verb.is_hide_set())
}

fn line(verb: &clap::Command) -> Line {
    Line {
        name: verb.get_name().to_owned(),
        about: verb
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

/// The help of the verb that words name, one within the other.
fn verb_help(program: &mut clap::Command, words: &[String]) -> Option<VerbHelp> {
    let mut verb = program;
    for word in words {
        verb = verb.find_subcommand_mut(word)?;
    }
    let help = verb.render_long_help();
    Some(VerbHelp {
        name: words.join(" "),
        help: help.to_string(),
        drawn: help.ansi().to_string(),
    })
}
