//! `holdfast test`: does the repo make what its tests expect?

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use holdfast_catalog::expect::{Found, Suite, Verdict};
use holdfast_catalog::{Diagnostics, Paint};
use holdfast_schemas::HostName;
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::error::CliError;
use crate::exit::Exit;
use crate::offline::SiteArgs;
use crate::output::{Form, JsonSwitch, Output};
use crate::records::RecordsArgs;
use crate::side_by_side::gather;
use crate::words;

/// What the help of the verb says: how a test looks.
pub(crate) const ABOUT: &str = "\
Run the tests of the repo: what tests/*.yaml expect of the catalogs of hosts

A test names hosts, by name, pattern or group, and may give them facts and variables. It
says which resources their catalogs hold, with which attributes, content, order and edges,
which they do not hold, of which types there are no others, or with which error they fail:

  - test: web servers listen
    hosts: web-*
    expect:
      - file: /etc/nginx/nginx.conf
        content: { contains: \"listen 80;\" }
        notify: service[nginx]
    absent: [{ package: apache2 }]

Ends with 0 where everything holds, 4 where a test fails, 2 where the site or a test is
wrong in itself, 1 where there is no test. Needs no server.";

/// Runs the tests of a site.
#[derive(Debug, Clone, clap::Args)]
pub struct Test {
    /// Only the tests whose name or file holds this
    filter: Option<String>,
    #[command(flatten)]
    json: JsonSwitch,
    #[command(flatten)]
    records: RecordsArgs,
    #[command(flatten)]
    site: SiteArgs,
}

/// The answer for programs.
#[derive(Debug, Serialize)]
struct Answer {
    /// Tests that ran.
    tests: usize,
    /// Those of them that failed.
    failed: usize,
    /// What came of each.
    verdicts: Vec<Verdict>,
    /// How long it took, reading included.
    duration_ms: u64,
}

impl Test {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let began = Instant::now();
        let opened = self.site.open()?;
        let mut suite = Suite::of(&opened.site).map_err(CliError::Invalid)?;
        if suite.is_empty() {
            return Err(CliError::NoTests);
        }
        if let Some(filter) = &self.filter {
            suite.keep(filter);
            if suite.is_empty() {
                return Err(CliError::NoTest(filter.clone()));
            }
        }
        let known = self.records.read()?;
        let hosts: BTreeSet<&HostName> = opened.site.hosts().chain(known.hosts()).collect();
        let hosts: Vec<&HostName> = hosts.into_iter().collect();
        let found = gather(
            &hosts,
            |host, found: &mut Found| suite.run(&opened.site, &known.input(host), found),
            Found::extend,
        );
        let verdicts = suite.verdicts(found);
        let took = began.elapsed();
        let answer = Answer {
            tests: verdicts.len(),
            failed: verdicts.iter().filter(|one| !one.passed()).count(),
            verdicts,
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        };
        match self.json.form() {
            Form::Json => out.json(&answer)?,
            Form::Text => {
                out.aside(&failures(&answer.verdicts).render(Paint::Coloured));
                out.text(&summary(&answer, took))?;
            }
        }
        Ok(match answer.failed {
            0 => Exit::Fine,
            _ => Exit::Found,
        })
    }
}

fn failures(verdicts: &[Verdict]) -> Diagnostics {
    let mut all = Diagnostics::new();
    for verdict in verdicts {
        all.extend(verdict.failures.clone());
    }
    all
}

fn summary(answer: &Answer, took: Duration) -> String {
    let mut text = String::new();
    for verdict in answer.verdicts.iter().filter(|one| !one.passed()) {
        let (file, line, hosts) = (&verdict.file, verdict.line, verdict.hosts);
        // Into memory, which does not fail.
        let _ = writeln!(
            text,
            "{} {}  {}",
            "failed".red().bold(),
            verdict.test,
            format!("{file}:{line}, {}", words::count(hosts, "host")).dimmed()
        );
    }
    let tests = words::count(answer.tests, "test");
    let took = words::took(took);
    let _ = match (answer.tests, answer.failed) {
        (_, 0) => writeln!(text, "{} {tests} ({took})", "ok".green().bold()),
        (_, failed) => {
            let failed = words::thousands(failed);
            writeln!(
                text,
                "{} {failed} of {tests} ({took})",
                "failed".red().bold()
            )
        }
    };
    text
}
