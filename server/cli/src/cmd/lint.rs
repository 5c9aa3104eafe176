//! `holdfast lint`: what works, and looks like a mistake?

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use holdfast_catalog::lint::{Allowed, Linter, Seen};
use holdfast_catalog::{Diagnostics, HostInput, Paint};
use holdfast_schemas::HostName;
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::error::CliError;
use crate::exit::Exit;
use crate::offline::SiteArgs;
use crate::output::{Form, JsonSwitch, Output};
use crate::side_by_side::gather;
use crate::words;

/// What the help of the verb says.
pub(crate) const ABOUT: &str = "\
Look for what works and looks like a mistake

Variables and parameters that nothing reads, values that no host gets, groups that no host is in,
paths that two roles claim, services that nothing installs, edges to nothing, execs that nothing
notifies. `holdfast help CODE` explains each; where something cannot be known, less is said.

A finding is silenced in its line, or in the comment right above it, with a reason:

  # lint: allow service_without_package — nginx is part of the image of our hosts
  - service: nginx

A comment that silences nothing is a finding itself. Ends with 0 where nothing is found, 4 where
something is, 2 where the site does not compile. Needs no server.";

/// Looks for what looks like a mistake in a site.
#[derive(Debug, Clone, clap::Args)]
pub struct Lint {
    #[command(flatten)]
    json: JsonSwitch,
    #[command(flatten)]
    site: SiteArgs,
}

/// The answer for programs.
#[derive(Debug, Serialize)]
struct Answer {
    /// Hosts that were looked at.
    hosts: usize,
    /// Hosts that could not be looked at, for their facts are not known.
    unchecked: Vec<HostName>,
    /// What keeps hosts from having a catalog.
    errors: Diagnostics,
    /// What looks like a mistake.
    findings: Diagnostics,
    /// What comments silence.
    allowed: Vec<Allowed>,
    /// How long it took, reading included.
    duration_ms: u64,
}

impl Lint {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let began = Instant::now();
        let opened = self.site.open()?;
        let linter = Linter::of(&opened.site);
        let hosts: Vec<&HostName> = opened.site.hosts().collect();
        let seen = gather(
            &hosts,
            |host, seen: &mut Seen| linter.look(&HostInput::new((*host).clone()), seen),
            Seen::extend,
        );
        let found = linter.findings(&seen);
        let took = began.elapsed();
        let answer = Answer {
            hosts: hosts.len() - seen.unknown().len(),
            unchecked: seen.unknown().cloned().collect(),
            errors: seen.wrong(),
            findings: found.told,
            allowed: found.allowed,
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        };
        match self.json.form() {
            Form::Json => out.json(&answer)?,
            Form::Text => {
                out.aside(&answer.errors.render(Paint::Coloured));
                out.aside(&answer.findings.render(Paint::Coloured));
                out.text(&summary(&answer, took))?;
            }
        }
        Ok(
            match (answer.errors.is_empty(), answer.findings.is_empty()) {
                (false, _) => Exit::Invalid,
                (true, false) => Exit::Found,
                (true, true) => Exit::Fine,
            },
        )
    }
}

fn summary(answer: &Answer, took: Duration) -> String {
    let mut text = String::new();
    if !answer.unchecked.is_empty() {
        // Into memory, which does not fail.
        let _ = writeln!(
            text,
            "{} {}: their facts are not known, so less is said",
            "unchecked".yellow().bold(),
            words::names(&answer.unchecked)
        );
    }
    let hosts = words::count(answer.hosts, "host");
    let took = words::took(took);
    let allowed = match answer.allowed.len() {
        0 => String::new(),
        allowed => format!(", {} allowed", words::thousands(allowed)),
    };
    let _ = match (answer.errors.len(), answer.findings.len()) {
        (0, 0) => writeln!(
            text,
            "{} nothing found in {hosts}{allowed} ({took})",
            "ok".green().bold()
        ),
        (0, found) => writeln!(
            text,
            "{} {} in {hosts}{allowed} ({took})",
            "found".yellow().bold(),
            words::count(found, "finding")
        ),
        (wrong, found) => writeln!(
            text,
            "{} {} in the site, and {}{allowed} ({took})",
            "wrong".red().bold(),
            words::count(wrong, "error"),
            words::count(found, "finding")
        ),
    };
    text
}
