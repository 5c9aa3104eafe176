//! The verbs that look at a site without a server, case by case. `GOLDEN_BLESS=1` writes what is
//! found.
//!
//! - `tests/offline/diff/CASE`: the sites `before/` and `after/`, and `diff.txt`, in what their
//!   catalogs differ.
//! - `tests/offline/expect/CASE`: a `site/` with tests, and `verdicts.txt`, what comes of them.
//! - `tests/offline/lint/CASE`: a `site/`, and `findings.txt`, what looks like a mistake in it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use holdfast_catalog::diff::{FleetDiff, Outcome};
use holdfast_catalog::expect::{Found, Suite};
use holdfast_catalog::lint::{Linter, Seen};
use holdfast_catalog::{Compiled, Diagnostics, HostInput, Paint, Site};
use holdfast_schemas::HostName;
use libtest_mimic::{Arguments, Failed, Trial};

/// What a case finds in its folder.
type Find = fn(&Path) -> String;

/// The kinds of cases: their folder, the file that holds what is found, and how it is found.
const KINDS: [(&str, &str, Find); 3] = [
    ("diff", "diff.txt", diff),
    ("expect", "verdicts.txt", verdicts),
    ("lint", "findings.txt", findings),
];

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/offline");
    let trials = KINDS.into_iter().flat_map(|(kind, file, find)| {
        folders(&root.join(kind)).into_iter().map(move |case| {
            let name = case.file_name().unwrap().to_str().unwrap();
            let name = format!("{kind}/{name}");
            Trial::test(name, move || check(&case.join(file), &find(&case)))
        })
    });
    let trials = trials.collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let items = fs::read_dir(root).unwrap().map(|item| item.unwrap().path());
    let mut folders: Vec<PathBuf> = items.collect();
    folders.sort();
    folders
}

fn check(expected: &Path, found: &str) -> Result<(), Failed> {
    if std::env::var_os("GOLDEN_BLESS").is_some() {
        fs::write(expected, found)?;
        return Ok(());
    }
    let old = fs::read_to_string(expected);
    let old = old.map_err(|_| "the case expects nothing; bless it with GOLDEN_BLESS=1")?;
    match old == found {
        true => Ok(()),
        false => Err(format!("--- expected\n{old}\n--- found\n{found}\n").into()),
    }
}

fn parsed(folder: &Path) -> Site {
    Site::parse(&support::folder(folder)).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn compiled(site: &Site, host: &HostName) -> Option<Result<Compiled, Diagnostics>> {
    let declared = site.hosts().any(|one| one == host);
    declared.then(|| site.compile(&HostInput::new(host.clone())))
}

fn outcome(compiled: &Option<Result<Compiled, Diagnostics>>) -> Outcome<'_> {
    match compiled {
        None => Outcome::Absent,
        Some(Ok(compiled)) => Outcome::Compiled(compiled),
        Some(Err(wrong)) => Outcome::Failed(wrong),
    }
}

/// In what two sites differ; the order in which hosts are looked at must not matter.
fn diff(case: &Path) -> String {
    let (before, after) = (parsed(&case.join("before")), parsed(&case.join("after")));
    let mut hosts: Vec<&HostName> = before.hosts().chain(after.hosts()).collect();
    hosts.sort();
    hosts.dedup();
    let gathered = |hosts: Vec<&HostName>| {
        let mut fleet = FleetDiff::new();
        for host in hosts {
            let (old, new) = (compiled(&before, host), compiled(&after, host));
            fleet.host(host, outcome(&old), outcome(&new));
        }
        fleet
    };
    let mut backwards = gathered(hosts.iter().copied().rev().collect());
    let middle = hosts.len() / 2;
    let (first, second) = (hosts[..middle].to_vec(), hosts[middle..].to_vec());
    let mut forwards = gathered(second);
    forwards.extend(gathered(first));
    let drawn = |fleet: FleetDiff| {
        let mut diff = fleet.finish();
        let contents = diff.unread().into_iter();
        let contents = contents.filter_map(|digest| {
            let folders = [case.join("before"), case.join("after")];
            Some((digest, content(&folders, &digest)?))
        });
        diff.read(&contents.collect());
        format!("{diff}{}", diff.diagnostics.render(Paint::Plain))
    };
    backwards.extend(FleetDiff::new());
    let (backwards, forwards) = (drawn(backwards), drawn(forwards));
    assert_eq!(backwards, forwards);
    forwards
}

/// The content file of a site with a digest.
fn content(sides: &[PathBuf], digest: &holdfast_schemas::Digest) -> Option<Vec<u8>> {
    let mut open: Vec<PathBuf> = sides.to_vec();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(folders(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            if holdfast_schemas::Digest::of(&bytes) == *digest {
                return Some(bytes);
            }
        }
    }
    None
}

/// What comes of the tests of a site, run in one thread and in another order in two.
fn verdicts(case: &Path) -> String {
    let site = parsed(&case.join("site"));
    let suite = match Suite::of(&site) {
        Ok(suite) => suite,
        Err(wrong) => return wrong.render(Paint::Plain),
    };
    let hosts: Vec<&HostName> = site.hosts().collect();
    let found = |hosts: &[&HostName]| {
        let mut found = Found::default();
        hosts
            .iter()
            .for_each(|host| suite.run(&site, &HostInput::new((*host).clone()), &mut found));
        found
    };
    let (first, second) = hosts.split_at(hosts.len() / 2);
    let mut both = found(second);
    both.extend(found(first));
    let drawn = |found: Found| -> String {
        let verdicts = suite.verdicts(found).into_iter().map(|verdict| {
            let word = if verdict.passed() { "passed" } else { "failed" };
            let (file, line, hosts) = (&verdict.file, verdict.line, verdict.hosts);
            let failures = verdict.failures.render(Paint::Plain);
            format!(
                "{word} {file}:{line} {} ({hosts})\n{failures}",
                verdict.test
            )
        });
        verdicts.collect()
    };
    let once = drawn(found(&hosts));
    assert_eq!(once, drawn(both));
    once
}

/// What looks like a mistake in a site, looked at in one thread and in another order in two.
fn findings(case: &Path) -> String {
    let site = parsed(&case.join("site"));
    let linter = Linter::of(&site);
    let hosts: Vec<&HostName> = site.hosts().collect();
    let seen = |hosts: &[&HostName]| {
        let mut seen = Seen::default();
        for host in hosts {
            linter.look(&HostInput::new((*host).clone()), &mut seen);
        }
        seen
    };
    let (first, second) = hosts.split_at(hosts.len() / 2);
    let mut both = seen(second);
    both.extend(seen(first));
    let drawn = |seen: &Seen| -> String {
        let found = linter.findings(seen);
        let allowed = found
            .allowed
            .iter()
            .map(|one| format!("allowed {} {} ({})\n", one.place, one.message, one.reason));
        let mut drawn = found.told.render(Paint::Plain);
        drawn.push_str(&seen.wrong().render(Paint::Plain));
        drawn.extend(allowed);
        drawn.extend(
            seen.unknown()
                .map(|host| format!("not looked at: {host}\n")),
        );
        drawn
    };
    let once = drawn(&seen(&hosts));
    assert_eq!(once, drawn(&both));
    once
}
