//! `holdfast groups`: the groups of a site, why a host is in one, who joins and leaves.

use std::fmt::Write as _;
use std::path::PathBuf;

use holdfast_catalog::{
    GroupChange, GroupRow, GroupStanding, HostInput, Preview, Reach, Reason, Site, Standing,
    preview,
};
use holdfast_schemas::HostName;
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::error::CliError;
use crate::exit::Exit;
use crate::offline::{SiteArgs, read_facts};
use crate::output::{Form, JsonSwitch, Output};
use crate::table::{Listing, Tone};
use crate::words;

/// What `--preview` compares with when no revision is named.
const HEAD: &str = "HEAD";

/// Tells of groups.
#[derive(Debug, Clone, clap::Args)]
pub struct Groups {
    /// Say why this host is in its groups, and what keeps it out of the others
    host: Option<HostName>,
    /// What the host's agent found, as JSON (`holdfast-agent facts --json`)
    #[arg(long, value_name = "FILE", requires = "host")]
    facts: Option<PathBuf>,
    /// Say who joins and leaves each group, compared with a revision (HEAD unless named)
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = HEAD, conflicts_with = "host")]
    preview: Option<String>,
    #[command(flatten)]
    site: SiteArgs,
    #[command(flatten)]
    json: JsonSwitch,
}

/// A host and how it stands to every group.
#[derive(Debug, Serialize)]
struct OfHost<'a> {
    host: &'a HostName,
    groups: &'a [GroupStanding],
}

impl Groups {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let site = self.site.open()?.site;
        match (&self.host, &self.preview) {
            (Some(host), _) => self.one_host(&site, host, out)?,
            (None, Some(revision)) => {
                let before = self.site.open_at(revision)?;
                let found = preview(&before, &site, |name| HostInput::new(name.clone()));
                match self.json.form() {
                    Form::Json => out.json(&found)?,
                    Form::Text => out.text(&previewed(&found, revision))?,
                }
            }
            (None, None) => {
                let hosts: Vec<HostInput> =
                    site.known_hosts().into_iter().map(HostInput::new).collect();
                let rows = site.groups(&hosts);
                match self.json.form() {
                    Form::Json => out.json(&rows)?,
                    Form::Text => out.text(&table(&rows))?,
                }
            }
        }
        Ok(Exit::Fine)
    }

    fn one_host(&self, site: &Site, host: &HostName, out: &mut Output<'_>) -> Result<(), CliError> {
        if !site.names(host) {
            let known = site.known_hosts();
            let near =
                holdfast_catalog::diag::nearest(host.as_str(), known.iter().map(HostName::as_str));
            return Err(CliError::UnknownHost {
                name: host.clone(),
                nearest: near.map(str::to_owned),
            });
        }
        let mut input = HostInput::new(host.clone());
        if let Some(path) = &self.facts {
            input = input.with_facts(read_facts(path)?);
        }
        let groups = site.standing(&input);
        match self.json.form() {
            Form::Json => out.json(&OfHost {
                host,
                groups: &groups,
            }),
            Form::Text => out.text(&explained(host, &groups)),
        }
    }
}

/// The groups, from those that apply first to those that have the last word.
fn table(rows: &[GroupRow]) -> String {
    if rows.is_empty() {
        return "the site has no groups\n".to_owned();
    }
    let mut listing = Listing::new(&[
        "GROUP",
        "TIER",
        "PRIORITY",
        "HOSTS",
        "VARIABLES",
        "ROLES",
        "",
    ]);
    for row in rows {
        let (tone, aside) = match row.reach {
            Reach::Never => (Tone::Bad, "nobody can be in it".to_owned()),
            Reach::Nobody => (Tone::Notable, "nobody is in it".to_owned()),
            Reach::Reached if row.unknown.is_empty() => (Tone::Good, String::new()),
            Reach::Reached => {
                let unknown = words::thousands(row.unknown.len());
                (Tone::Quiet, format!("unknown of {unknown}: facts decide"))
            }
        };
        let roles: Vec<&str> = row.roles.iter().map(|role| &**role).collect();
        listing.row(
            tone,
            [
                row.group.to_string(),
                row.tier.to_string(),
                row.priority.to_string(),
                words::thousands(row.members.len()),
                words::thousands(row.variables),
                roles.join(", "),
                aside,
            ],
        );
    }
    listing.draw()
}

/// Why a host is in its groups, and what keeps it out of the others.
fn explained(host: &HostName, groups: &[GroupStanding]) -> String {
    let count = |standing| groups.iter().filter(|one| one.standing == standing).count();
    let mut text = format!(
        "{}  in {} of {}\n",
        host.to_string().bold(),
        words::thousands(count(Standing::In)),
        words::count(groups.len(), "group")
    );
    for standing in [Standing::In, Standing::Unknown, Standing::Out] {
        for group in groups.iter().filter(|one| one.standing == standing) {
            let word = match standing {
                Standing::In => "in".green().to_string(),
                Standing::Unknown => "unknown".yellow().to_string(),
                Standing::Out => "not in".dimmed().to_string(),
            };
            // Into memory, which does not fail.
            let _ = writeln!(
                text,
                "\n{word} {} (tier {}, priority {})",
                group.group.bold(),
                group.tier,
                group.priority
            );
            for reason in &group.because {
                text.push_str(&because(reason));
            }
            if group.because.is_empty() {
                text.push_str("  nothing in it holds for the host\n");
            }
        }
    }
    text
}

fn because(reason: &Reason) -> String {
    let line =
        |words: String, place: &str| format!("  {words}  {}\n", format!("({place})").dimmed());
    match reason {
        Reason::Listed { entry, place } => line(format!("listed by {entry}"), place),
        Reason::Excluded { entry, place } => line(format!("excluded by {entry}"), place),
        Reason::Nested { group, place } => line(format!("member of {group}"), place),
        Reason::Match {
            expression,
            place,
            holds,
            conditions,
            error,
        } => {
            let verdict = said(*holds);
            let mut text = line(format!("match {expression}: {verdict}"), place);
            for part in conditions.iter().filter(|_| conditions.len() > 1) {
                let _ = writeln!(text, "    {:<7} {}", said(part.holds), part.text);
            }
            if let Some(error) = error {
                let _ = writeln!(text, "    {error}");
            }
            text
        }
    }
}

fn said(holds: Option<bool>) -> &'static str {
    match holds {
        Some(true) => "holds",
        Some(false) => "fails",
        None => "unknown",
    }
}

/// Who joins and leaves.
fn previewed(found: &Preview, revision: &str) -> String {
    let hosts = words::count(found.hosts, "host");
    if found.changes.is_empty() {
        return format!("no group changes against {revision} ({hosts})\n");
    }
    let mut text = String::new();
    for change in &found.changes {
        let _ = writeln!(text, "{}{}", change.group.bold(), declared(change));
        for (mark, list) in [
            ("joins".green().to_string(), &change.joins),
            ("leaves".red().to_string(), &change.leaves),
            ("unknown".yellow().to_string(), &change.unknown),
        ] {
            if !list.is_empty() {
                let _ = writeln!(text, "  {mark} {}", words::names(list));
            }
        }
    }
    let changed = words::count(found.changes.len(), "group");
    let _ = writeln!(text, "\n{changed} of {hosts} differ from {revision}");
    text
}

/// What of the group itself changes.
fn declared(change: &GroupChange) -> String {
    match (&change.moved_from, &change.moved_to) {
        _ if change.added => "  new".to_owned(),
        _ if change.removed => "  gone".to_owned(),
        (Some((tier, priority)), Some((now, rank))) => {
            format!("  tier {tier}, priority {priority} → tier {now}, priority {rank}")
        }
        _ => String::new(),
    }
}
