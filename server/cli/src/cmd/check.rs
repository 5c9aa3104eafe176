//! `holdfast check`: does everything compile, for every host?

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use holdfast_catalog::{Diagnostics, HostInput, Site};
use holdfast_schemas::HostName;
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::error::CliError;
use crate::exit::Exit;
use crate::offline::SiteArgs;
use crate::output::{Form, JsonSwitch, Output};
use crate::words;

/// Checks a site.
#[derive(Debug, Clone, clap::Args)]
pub struct Check {
    #[command(flatten)]
    json: JsonSwitch,
    #[command(flatten)]
    site: SiteArgs,
}

/// What checking a site found.
#[derive(Debug, Default, Serialize)]
struct Findings {
    /// Hosts that the site declares.
    hosts: usize,
    /// Hosts whose catalog compiled.
    compiled: usize,
    /// Hosts that cannot be checked offline, by what they need.
    unchecked: BTreeMap<String, Vec<HostName>>,
    /// Everything that is wrong.
    diagnostics: Diagnostics,
    /// What may well be a mistake, and keeps nothing from compiling.
    advice: Diagnostics,
    /// How long it took, reading included.
    duration_ms: u64,
}

impl Check {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let began = Instant::now();
        let mut findings = match self.site.open() {
            Ok(opened) => compile_every_host(&opened.site),
            Err(CliError::Invalid(diagnostics)) => Findings {
                diagnostics,
                ..Findings::default()
            },
            Err(error) => return Err(error),
        };
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
        Ok(match findings.diagnostics.is_empty() {
            true => Exit::Fine,
            false => Exit::Invalid,
        })
    }
}

/// Compiles every host, on every processor.
fn compile_every_host(site: &Site) -> Findings {
    let hosts: Vec<&HostName> = site.hosts().collect();
    let next = AtomicUsize::new(0);
    let findings = Mutex::new(Findings {
        hosts: hosts.len(),
        advice: site.advice().clone(),
        ..Findings::default()
    });
    let work = || {
        let mut own = Findings::default();
        while let Some(host) = hosts.get(next.fetch_add(1, Ordering::Relaxed)) {
            check_host(site, host, &mut own);
        }
        if let Ok(mut all) = findings.lock() {
            all.take(own);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 1..threads.min(hosts.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut findings = findings
        .into_inner()
        .unwrap_or_else(|broken| broken.into_inner());
    findings.diagnostics = findings.diagnostics.sorted();
    for hosts in findings.unchecked.values_mut() {
        hosts.sort();
    }
    findings
}

fn check_host(site: &Site, host: &HostName, findings: &mut Findings) {
    match site.compile(&HostInput::new(host.clone())) {
        Ok(_) => findings.compiled += 1,
        Err(wrong) if wrong.needs_only_facts() => {
            let needs: Vec<&str> = wrong.iter().map(|one| one.message.as_str()).collect();
            let hosts = findings.unchecked.entry(needs.join("; ")).or_default();
            hosts.push(host.clone());
        }
        Err(wrong) => findings.diagnostics.extend(wrong),
    }
}

impl Findings {
    fn take(&mut self, other: Findings) {
        self.compiled += other.compiled;
        self.diagnostics.extend(other.diagnostics);
        for (needs, hosts) in other.unchecked {
            self.unchecked.entry(needs).or_default().extend(hosts);
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
    let unchecked: usize = findings.unchecked.values().map(Vec::len).sum();
    let hosts = words::count(findings.hosts, "host");
    let hosts = match findings.hosts {
        1 => format!("{hosts} compiles"),
        _ => format!("{hosts} compile"),
    };
    let took = words::took(took);
    let wrong = findings.diagnostics.len();
    let _ = match (wrong, unchecked) {
        (0, 0) => writeln!(text, "{} {hosts} ({took})", "ok".green().bold()),
        (0, _) => writeln!(
            text,
            "{} {} of {hosts}, {} unchecked ({took})",
            "ok".green().bold(),
            words::thousands(findings.compiled),
            words::thousands(unchecked)
        ),
        _ if findings.hosts == 0 => writeln!(
            text,
            "{} {} in the site; no host was compiled ({took})",
            "wrong".red().bold(),
            words::count(wrong, "error"),
        ),
        _ => writeln!(
            text,
            "{} {} in the site; {} of {hosts} ({took})",
            "wrong".red().bold(),
            words::count(wrong, "error"),
            words::thousands(findings.compiled)
        ),
    };
    text
}
