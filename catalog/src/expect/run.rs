//! Running tests: host by host, each compiled once for all tests that take it as it is.

use std::collections::BTreeMap;

use holdfast_schemas::HostName;
use serde::Serialize;

use super::error::because;
use super::{Claim, Test, check, read};
use crate::compile::{Compiled, HostInput};
use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean};
use crate::groups::{Standing, standing};
use crate::site::{Pattern, Site, glob, is_pattern};

/// The tests of a repo.
#[derive(Debug)]
pub struct Suite {
    tests: Vec<Test>,
}

/// What was found so far, by test.
#[derive(Debug, Default)]
pub struct Found(BTreeMap<usize, Outcome>);

#[derive(Debug, Default)]
struct Outcome {
    hosts: usize,
    failures: Diagnostics,
}

/// What came of a test.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// The test.
    pub test: String,
    /// Its file.
    pub file: String,
    /// The line of its name.
    pub line: usize,
    /// The hosts that it looked at.
    pub hosts: usize,
    /// What does not hold; nothing where it passed.
    pub failures: Diagnostics,
}

impl Verdict {
    /// Whether everything holds.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

impl Suite {
    /// Reads the tests of a site; all that is wrong with them at once.
    pub fn of(site: &Site) -> Result<Self, Diagnostics> {
        let mut wrong = Diagnostics::new();
        let tests = read::tests(&site.parts.tests, &mut wrong);
        for test in &tests {
            check_names(test, site, &mut wrong);
        }
        wrong.into_result().map(|()| Self { tests })
    }

    /// Keeps the tests whose name or file holds a word.
    pub fn keep(&mut self, word: &str) {
        self.tests
            .retain(|test| test.name.contains(word) || test.span.path().contains(word));
    }

    /// How many tests there are.
    pub fn len(&self) -> usize {
        self.tests.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// Runs every test that means a host. What is known of it holds where the test says nothing
    /// else.
    pub fn run(&self, site: &Site, known_of: &HostInput, found: &mut Found) {
        let host = &known_of.name;
        let mut plain: Option<Result<Compiled, Diagnostics>> = None;
        let mut known: Option<Vec<Standing>> = None;
        for (number, test) in self.tests.iter().enumerate() {
            let input = HostInput {
                name: host.clone(),
                facts: test.facts.clone().or_else(|| known_of.facts.clone()),
                vars: test.vars.clone(),
            };
            let standing = || standing(&site.parts, &input);
            let means = test.names(host)
                || (!test.groups.is_empty()
                    && match test.facts.is_none() {
                        true => test.groups_hold(site, known.get_or_insert_with(standing)),
                        false => test.groups_hold(site, &standing()),
                    });
            if !means {
                continue;
            }
            let outcome = found.0.entry(number).or_default();
            outcome.hosts += 1;
            let told = match test.is_plain() {
                true => test.check(plain.get_or_insert_with(|| site.compile(&input))),
                false => test.check(&site.compile(&input)),
            };
            let told = told.into_iter().map(|one| one.in_host(host));
            told.for_each(|one| outcome.failures.push(one));
        }
    }

    /// What came of every test, in the order in which they are written.
    pub fn verdicts(&self, mut found: Found) -> Vec<Verdict> {
        let tests = self.tests.iter().enumerate();
        let verdicts = tests.map(|(number, test)| {
            let mut outcome = found.0.remove(&number).unwrap_or_default();
            if outcome.hosts == 0 {
                let message = "no host is in these groups";
                let span = test.groups.first().map_or(&test.span, |(_, span)| span);
                let told = Diagnostic::new(Code::UnmetExpectation, message, span);
                outcome.failures.push(told);
            }
            Verdict {
                test: test.name.to_string(),
                file: test.span.path().to_owned(),
                line: test.span.line_column().0,
                hosts: outcome.hosts,
                failures: outcome.failures.sorted(),
            }
        });
        verdicts.collect()
    }
}

impl Found {
    /// Takes what another thread found.
    pub fn extend(&mut self, other: Self) {
        for (number, theirs) in other.0 {
            let ours = self.0.entry(number).or_default();
            ours.hosts += theirs.hosts;
            ours.failures.extend(theirs.failures);
        }
    }
}

/// Hosts and groups that the repo does not have are mistakes in the test.
fn check_names(test: &Test, site: &Site, wrong: &mut Diagnostics) {
    let tell = |what: &str, name: &str, span: &Span, help: Option<String>| {
        let message = format!("the repo has no {what} `{name}`");
        Diagnostic::new(Code::UnknownName, message, span).maybe_help(help)
    };
    for (pattern, span) in &test.hosts {
        if is_pattern(pattern)
            && let Err(reason) = Pattern::parse(pattern)
        {
            wrong.push(Diagnostic::new(Code::InvalidValue, reason.message, span).help(reason.help));
            continue;
        }
        let names = || site.hosts().map(HostName::as_str);
        if !names().any(|name| glob(pattern, name)) {
            wrong.push(tell("host", pattern, span, did_you_mean(pattern, names())));
        }
    }
    for (name, span) in &test.groups {
        let names = || site.parts.groups.iter().map(|group| &*group.name);
        if !names().any(|known| known == &**name) {
            wrong.push(tell("group", name, span, did_you_mean(name, names())));
        }
    }
}

impl Test {
    /// Whether it says something of a host, by its name.
    fn names(&self, host: &HostName) -> bool {
        let mut hosts = self.hosts.iter();
        hosts.any(|(pattern, _)| glob(pattern, host.as_str()))
    }

    /// Whether it says something of a host, by its groups. One that may be in a group is meant:
    /// that it does not compile for lack of facts is told then, and passes nothing.
    fn groups_hold(&self, site: &Site, standing: &[Standing]) -> bool {
        let groups = site.parts.groups.iter().zip(standing);
        let mut groups = groups.filter(|(_, standing)| **standing != Standing::Out);
        groups.any(|(group, _)| self.groups.iter().any(|(name, _)| *name == group.name))
    }

    fn check(&self, compiled: &Result<Compiled, Diagnostics>) -> Vec<Diagnostic> {
        match (&self.claim, compiled) {
            (Claim::Error(error), Ok(_)) => vec![error.compiles()],
            (Claim::Error(error), Err(wrong)) => error.check(wrong).into_iter().collect(),
            (
                Claim::Catalog {
                    expect,
                    absent,
                    only,
                },
                Ok(compiled),
            ) => check::catalog((expect, absent, only), compiled),
            (Claim::Catalog { .. }, Err(wrong)) => {
                wrong.iter().map(|one| self.without(one)).collect()
            }
        }
    }

    /// What is said of a host that has no catalog.
    fn without(&self, reason: &Diagnostic) -> Diagnostic {
        let message = "the host does not compile";
        let told = Diagnostic::new(Code::UnmetExpectation, message, &self.span);
        let told = because(told, reason, reason.message.clone());
        match reason.code {
            Code::NeedsFacts => told.help("give the test `facts:`"),
            _ => told,
        }
    }
}
