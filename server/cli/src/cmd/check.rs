//! `holdfast check`: does everything compile, for every host?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use holdfast_catalog::{Diagnostics, Examined, HostInput, Obstacle};
use holdfast_schemas::HostName;
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::error::CliError;
use crate::exit::Exit;
use crate::offline::SiteArgs;
use crate::output::{Form, JsonSwitch, Output};
use crate::records::{Known, RecordsArgs};
use crate::side_by_side::gather;
use crate::words;

/// Checks a site.
#[derive(Debug, Clone, clap::Args)]
pub struct Check {
    #[command(flatten)]
    json: JsonSwitch,
    /// Fail where a host cannot be checked for want of facts
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    records: RecordsArgs,
    #[command(flatten)]
    site: SiteArgs,
}

/// Most diagnostics kept before those that say the same are folded: what ten thousand hosts share
/// is in memory a few thousand times, not once for each.
const MAX_UNFOLDED: usize = 4096;

/// What checking a site found.
#[derive(Debug, Default, Serialize)]
struct Findings {
    /// Hosts that the site declares, and those that are in the records.
    hosts: usize,
    /// Hosts whose catalog compiled.
    compiled: usize,
    /// Hosts that cannot be checked offline, by what they need.
    unchecked: BTreeMap<String, Vec<HostName>>,
    /// Hosts that were not looked into, by the broken file that they depend on.
    held: BTreeMap<String, Vec<HostName>>,
    /// Everything that is wrong.
    diagnostics: Diagnostics,
    /// How many were left when they were folded last.
    #[serde(skip)]
    folded: usize,
    /// What may well be a mistake, and keeps nothing from compiling.
    advice: Diagnostics,
    /// How long it took, reading included.
    duration_ms: u64,
}

impl Check {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let began = Instant::now();
        let mut findings = compile_every_host(&self.site.examine()?, &self.records.read()?);
        let took = began.elapsed();
        findings.duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        match self.json.form() {
            Form::Json => out.json(&findings)?,
            Form::Text => {
                out.diagnostics(&findings.diagnostics);
                out.diagnostics(&findings.advice);
                out.text(&summary(&findings, took))?;
            }
        }
        let unchecked = self.strict && !findings.unchecked.is_empty();
        Ok(match (findings.diagnostics.is_empty(), unchecked) {
            (false, _) => Exit::Invalid,
            (true, true) => Exit::Found,
            (true, false) => Exit::Fine,
        })
    }
}

/// Compiles every host, on every processor.
fn compile_every_host(site: &Examined, known: &Known) -> Findings {
    let hosts: BTreeSet<&HostName> = site.hosts().chain(known.hosts()).collect();
    let hosts: Vec<&HostName> = hosts.into_iter().collect();
    let check = |host: &&HostName, own: &mut Findings| own.check(site, &known.input(host));
    let mut findings = gather(&hosts, check, Findings::take);
    findings.hosts = hosts.len();
    findings.advice = site.advice().clone();
    findings.diagnostics.extend(site.wrong().clone());
    findings.diagnostics = findings.diagnostics.sorted();
    let lists = [&mut findings.unchecked, &mut findings.held];
    for hosts in lists.into_iter().flat_map(BTreeMap::values_mut) {
        hosts.sort();
    }
    findings
}

impl Findings {
    fn check(&mut self, site: &Examined, input: &HostInput) {
        let host = &input.name;
        match site.compile(input) {
            Ok(_) => self.compiled += 1,
            Err(Obstacle::Held(file)) => {
                let hosts = self.held.entry(file.to_string()).or_default();
                hosts.push(host.clone());
            }
            Err(Obstacle::Wrong(wrong)) if wrong.needs_only_facts() => {
                let needs: Vec<&str> = wrong.needed_facts().into_iter().collect();
                let needs = format!("needs {}", needs.join(", "));
                let hosts = self.unchecked.entry(needs).or_default();
                hosts.push(host.clone());
            }
            Err(Obstacle::Wrong(wrong)) => self.tell(wrong),
        }
    }

    fn tell(&mut self, wrong: Diagnostics) {
        self.diagnostics.extend(wrong);
        if self.diagnostics.len() > MAX_UNFOLDED.max(2 * self.folded) {
            self.diagnostics = std::mem::take(&mut self.diagnostics).sorted();
            self.folded = self.diagnostics.len();
        }
    }

    fn take(&mut self, other: Findings) {
        self.compiled += other.compiled;
        self.tell(other.diagnostics);
        for (needs, hosts) in other.unchecked {
            self.unchecked.entry(needs).or_default().extend(hosts);
        }
        for (file, hosts) in other.held {
            self.held.entry(file).or_default().extend(hosts);
        }
    }
}

fn summary(findings: &Findings, took: Duration) -> String {
    let mut text = String::new();
    for (needs, hosts) in &findings.unchecked {
        // Into memory, which does not fail.
        let _ = writeln!(
            text,
            "{} {}: {needs}",
            "unchecked".yellow().bold(),
            words::names(hosts)
        );
    }
    for (file, hosts) in &findings.held {
        let _ = writeln!(
            text,
            "{} {}: not looked into before {file} is mended",
            "held".yellow().bold(),
            words::names(hosts)
        );
    }
    let unchecked: usize = findings.unchecked.values().map(Vec::len).sum();
    let hosts = words::count(findings.hosts, "host");
    let took = words::took(took);
    let held: usize = findings.held.values().map(Vec::len).sum();
    let wrong = findings.diagnostics.len();
    let mut parts = vec![
        match (findings.compiled == findings.hosts, findings.hosts) {
            (true, 1) => format!("{hosts} compiles"),
            (true, _) => format!("{hosts} compile"),
            (false, _) => format!("{} of {hosts} compile", words::thousands(findings.compiled)),
        },
    ];
    if unchecked > 0 {
        parts.push(format!("{} unchecked", words::thousands(unchecked)));
    }
    if held > 0 {
        parts.push(format!("{} held", words::thousands(held)));
    }
    let parts = parts.join(", ");
    let _ = match wrong {
        0 => writeln!(text, "{} {parts} ({took})", "ok".green().bold()),
        _ => writeln!(
            text,
            "{} {} in the site; {parts} ({took})",
            "wrong".red().bold(),
            words::count(wrong, "error"),
        ),
    };
    text
}
