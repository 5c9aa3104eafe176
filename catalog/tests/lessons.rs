//! Every code has a lesson, its example gives that code and no other, and mended it compiles; and
//! for every code a golden case shows what is said.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use holdfast_catalog::diag::{Code, LessonFile, Severity};
use holdfast_catalog::expect::{Found, Suite};
use holdfast_catalog::lint::{Linter, Seen};
use holdfast_catalog::site::{Entry, MAX_TEXT};
use holdfast_catalog::{Diagnostics, HostInput, Site, Snapshot};

/// A file of a lesson, as the disk would have it.
fn entry(file: &LessonFile) -> Entry {
    let bytes = match file.remark {
        "" => file.text.as_bytes().to_vec(),
        "in Latin-1" => file
            .text
            .chars()
            .map(|c| u8::try_from(c).unwrap())
            .collect(),
        "of 5 MiB" => {
            return Entry::TooLarge {
                size: 5 << 20,
                limit: MAX_TEXT,
            };
        }
        remark if remark.starts_with("was ") => file.text.as_bytes().to_vec(),
        remark => panic!("the test does not know `{remark}`"),
    };
    support::entry(file.path, bytes)
}

fn put(snapshot: &mut Snapshot, files: &[LessonFile]) {
    for file in files {
        if let Some(old) = file.remark.strip_prefix("was ") {
            snapshot.files.remove(old).unwrap();
        }
        snapshot.files.insert(file.path.to_owned(), entry(file));
    }
}

/// Everything that is wrong with a site.
fn wrong(snapshot: &Snapshot) -> Diagnostics {
    let site = match Site::parse(snapshot) {
        Ok(site) => site,
        Err(wrong) => return wrong,
    };
    let mut wrong = site.advice().clone();
    for host in site.hosts() {
        if let Err(more) = site.compile(&HostInput::new(host.clone())) {
            wrong.extend(more);
        }
    }
    wrong.sorted()
}

/// What the verb that gives a code has to say of a site.
fn told(code: Code, snapshot: &Snapshot) -> Diagnostics {
    match code {
        Code::UnmetExpectation => unmet(snapshot),
        _ => match code.severity() {
            Severity::Finding => linted(snapshot),
            Severity::Error | Severity::Advice => wrong(snapshot),
        },
    }
}

/// What looks like a mistake in a site that compiles.
fn linted(snapshot: &Snapshot) -> Diagnostics {
    let site = Site::parse(snapshot).unwrap();
    let linter = Linter::of(&site);
    let mut seen = Seen::default();
    for host in site.hosts() {
        linter.look(&HostInput::new(host.clone()), &mut seen);
    }
    assert_eq!(seen.wrong(), Diagnostics::new());
    linter.findings(&seen).told
}

/// The expectations of a site that are not met.
fn unmet(snapshot: &Snapshot) -> Diagnostics {
    let site = Site::parse(snapshot).unwrap();
    let suite = Suite::of(&site).unwrap();
    let mut found = Found::default();
    for host in site.hosts() {
        suite.run(&site, &HostInput::new(host.clone()), &mut found);
    }
    let mut wrong = Diagnostics::new();
    for verdict in suite.verdicts(found) {
        wrong.extend(verdict.failures);
    }
    wrong.sorted()
}

#[test]
fn every_lesson_teaches_its_code() {
    for &code in Code::ALL {
        let lesson = code.lesson();
        assert!(
            !lesson.title.is_empty() && !lesson.meaning.is_empty(),
            "{code}"
        );
        assert!(!lesson.mend.is_empty(), "{code}");
        let mut snapshot = Snapshot::default();
        put(&mut snapshot, &lesson.example);
        let found: BTreeSet<Code> = told(code, &snapshot).iter().map(|one| one.code).collect();
        assert_eq!(found, BTreeSet::from([code]), "the example of {code}");
        put(&mut snapshot, &lesson.mended);
        let left = told(code, &snapshot);
        assert!(left.is_empty(), "{code}, mended:\n{left}");
    }
}

#[test]
fn every_code_is_found_by_its_word() {
    for &code in Code::ALL {
        assert_eq!(code.as_str().parse(), Ok(code));
    }
    assert!("no_such_code".parse::<Code>().is_err());
}

#[test]
fn every_code_has_a_golden_case() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let kinds = [
        ("golden", "errors.txt"),
        ("golden", "advice.txt"),
        ("offline/expect", "verdicts.txt"),
        ("offline/lint", "findings.txt"),
    ];
    let told = kinds.iter().flat_map(|(kind, file)| {
        let cases = fs::read_dir(tests.join(kind)).unwrap();
        cases.map(move |case| fs::read_to_string(case.unwrap().path().join(file)))
    });
    let told: String = told.map(Result::unwrap_or_default).collect();
    let missing = Code::ALL
        .iter()
        .filter(|code| !told.contains(&format!("[{code}]: ")));
    let missing: Vec<&Code> = missing.collect();
    assert!(missing.is_empty(), "no golden case shows {missing:?}");
}
