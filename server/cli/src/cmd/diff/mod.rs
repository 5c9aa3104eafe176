//! `holdfast diff`: what a change of the repo does to the catalogs of all hosts.

mod range;
mod side;

use std::collections::BTreeSet;

use holdfast_catalog::diff::{FleetDiff, Outcome, SiteDiff};
use holdfast_catalog::{Compiled, Diagnostics, Site};
use holdfast_schemas::HostName;
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::error::CliError;
use crate::exit::Exit;
use crate::offline::{SiteArgs, chosen};
use crate::output::{Form, JsonSwitch, Output};
use crate::records::{Known, RecordsArgs};
use crate::side_by_side::gather;
use range::Range;
use side::Side;

/// Compares two revisions of a site.
#[derive(Debug, Clone, clap::Args)]
pub struct Diff {
    /// Two revisions, as in `main~3..main`, or one against the working tree; HEAD unless named
    #[arg(value_name = "REV..REV|REV", value_parser = str::parse::<Range>)]
    range: Option<Range>,
    /// Only these hosts, by name or pattern (`web-*`); may be repeated
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    #[command(flatten)]
    json: JsonSwitch,
    #[command(flatten)]
    records: RecordsArgs,
    #[command(flatten)]
    site: SiteArgs,
}

/// The answer for programs.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    /// What the first side is called.
    before: &'a str,
    /// What the second side is called.
    after: &'a str,
    /// Whether anything differs.
    differs: bool,
    #[serde(flatten)]
    diff: &'a SiteDiff,
}

impl Diff {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let range = self.range.clone().unwrap_or_default();
        let before = Side::committed(&self.site, &range.before)?;
        let after = match &range.after {
            Some(revision) => Side::committed(&self.site, revision)?,
            None => Side::working_tree(&self.site)?,
        };
        let diff = compared((&before, &after), &self.hosts, self.records.read()?)?;
        match self.json.form() {
            Form::Json => out.json(&Answer {
                before: before.name(),
                after: after.name(),
                differs: !diff.is_empty(),
                diff: &diff,
            })?,
            Form::Text => {
                out.text(&coloured(&diff.to_string()))?;
                out.diagnostics(&diff.diagnostics);
            }
        }
        Ok(match (diff.diagnostics.is_empty(), diff.is_empty()) {
            (false, _) => Exit::Invalid,
            (true, false) => Exit::Found,
            (true, true) => Exit::Fine,
        })
    }
}

/// The two sides of one comparison, parsed.
struct Sites {
    before: Site,
    after: Site,
    known: Known,
}

fn compared(
    (before, after): (&Side, &Side),
    wanted: &[String],
    known: Known,
) -> Result<SiteDiff, CliError> {
    // Both are read side by side: it takes as long as to compile a good part of the hosts.
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| before.parse());
        let second = after.parse();
        (first.join(), second)
    });
    let first = first.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let sites = Sites {
        before: first?,
        after: second?,
        known,
    };
    let declared = sites.before.hosts().chain(sites.after.hosts());
    let declared = declared.chain(sites.known.hosts());
    let hosts = chosen(&declared.collect::<BTreeSet<&HostName>>(), wanted)?;
    let same = before.snapshot.files == after.snapshot.files;
    let fleet = gather(
        &hosts,
        |host, fleet: &mut FleetDiff| sites.compare(host, fleet, Same(same)),
        FleetDiff::extend,
    );
    let mut diff = fleet.finish();
    let mut contents = before.contents(diff.unread())?;
    let missing = diff.unread().into_iter();
    let missing = missing.filter(|digest| !contents.contains_key(digest));
    contents.append(&mut after.contents(missing.collect())?);
    diff.read(&contents);
    Ok(diff)
}

/// Whether the two sides hold the same files, and so the same catalogs.
#[derive(Clone, Copy)]
struct Same(bool);

impl Sites {
    fn compare(&self, host: &HostName, fleet: &mut FleetDiff, Same(same): Same) {
        let after = self.compiled(&self.after, host);
        let before = match same {
            true => after.clone(),
            false => self.compiled(&self.before, host),
        };
        fleet.host(host, outcome(&before), outcome(&after));
    }

    fn compiled(&self, site: &Site, host: &HostName) -> Option<Result<Compiled, Diagnostics>> {
        let is_there = site.declares(host) || self.known.has(host);
        is_there.then(|| site.compile(&self.known.input(host)))
    }
}

fn outcome(compiled: &Option<Result<Compiled, Diagnostics>>) -> Outcome<'_> {
    match compiled {
        None => Outcome::Absent,
        Some(Ok(compiled)) => Outcome::Compiled(compiled),
        Some(Err(wrong)) => Outcome::Failed(wrong),
    }
}

/// The text with colours: what comes green, what goes red, places and headings apart.
fn coloured(text: &str) -> String {
    let mut drawn = String::with_capacity(text.len() * 2);
    for line in text.lines() {
        let bare = line.trim_start();
        let depth = line.len() - bare.len();
        let line = match (depth, bare.chars().next()) {
            (0, Some(_)) => line.bold().to_string(),
            (2 | 8, Some('+')) => line.green().to_string(),
            (2 | 8, Some('-')) => line.red().to_string(),
            (2, Some('~')) => line.yellow().to_string(),
            (8, Some('@')) => line.cyan().to_string(),
            _ => line.to_owned(),
        };
        drawn.push_str(&line);
        drawn.push('\n');
    }
    drawn
}
