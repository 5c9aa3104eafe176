//! Every folder under `tests/golden` is a case: a `site/`, and what compiling it gives, as
//! `catalog.HOST.json` for every host or as `errors.txt`, with `advice.txt` beside. `facts.json` in the folder holds the
//! facts of all its hosts; `oversized.json` names files too large to be committed. `GOLDEN_BLESS=1` writes what is found.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use holdfast_catalog::site::{Entry, MAX_TEXT};
use holdfast_catalog::{Diagnostics, HostInput, Obstacle, Paint, Site};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut folders: Vec<PathBuf> = fs::read_dir(cases)
        .unwrap()
        .map(|item| item.unwrap().path())
        .collect();
    folders.sort();
    let trials = folders.into_iter().map(|folder| {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        Trial::test(name, move || check(&folder))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn check(case: &Path) -> Result<(), Failed> {
    let found = compile(case);
    if std::env::var_os("GOLDEN_BLESS").is_some() {
        for old in expected(case) {
            fs::remove_file(case.join(old.0))?;
        }
        for (name, text) in &found {
            fs::write(case.join(name), text)?;
        }
        return Ok(());
    }
    let expected = expected(case);
    if expected.is_empty() {
        return Err("the case expects nothing; bless it with GOLDEN_BLESS=1".into());
    }
    match expected == found {
        true => Ok(()),
        false => Err(difference(&expected, &found).into()),
    }
}

fn difference(expected: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> String {
    let names = expected.keys().chain(found.keys());
    let different = names.filter(|name| expected.get(*name) != found.get(*name));
    let shown = different.map(|name| {
        let none = String::new();
        let (old, new) = (
            expected.get(name).unwrap_or(&none),
            found.get(name).unwrap_or(&none),
        );
        format!("--- {name}: expected\n{old}\n--- {name}: found\n{new}\n")
    });
    shown.collect()
}

fn expected(case: &Path) -> BTreeMap<String, String> {
    let items = fs::read_dir(case).unwrap().map(|item| item.unwrap());
    let names = items.map(|item| item.file_name().into_string().unwrap());
    let names = names.filter(|name| {
        matches!(&**name, "errors.txt" | "advice.txt") || name.starts_with("catalog.")
    });
    names
        .map(|name| (name.clone(), fs::read_to_string(case.join(&name)).unwrap()))
        .collect()
}

fn compile(case: &Path) -> BTreeMap<String, String> {
    let errors = |wrong: Diagnostics| {
        BTreeMap::from([("errors.txt".to_owned(), wrong.render(Paint::Plain))])
    };
    let mut snapshot = support::folder(&case.join("site"));
    if let Ok(text) = fs::read_to_string(case.join("oversized.json")) {
        let sizes: BTreeMap<String, u64> = serde_json::from_str(&text).unwrap();
        for (path, size) in sizes {
            let limit = MAX_TEXT;
            snapshot.files.insert(path, Entry::TooLarge { size, limit });
        }
    }
    let site = Site::examine(&snapshot);
    let facts = fs::read_to_string(case.join("facts.json"));
    let facts = facts.ok().map(|text| serde_json::from_str(&text).unwrap());
    let mut catalogs = BTreeMap::new();
    let mut wrong = site.wrong().clone();
    for host in site.hosts() {
        let mut input = HostInput::new(host.clone());
        if let Some(facts) = &facts {
            input = input.with_facts(Clone::clone(facts));
        }
        match site.compile(&input) {
            Ok(compiled) => {
                compiled.catalog.check().unwrap();
                let text = serde_json::to_string_pretty(&compiled.catalog).unwrap();
                catalogs.insert(format!("catalog.{host}.json"), text + "\n");
            }
            Err(Obstacle::Wrong(more)) => wrong.extend(more),
            Err(Obstacle::Held(_)) => {}
        }
    }
    let mut found = match wrong.is_empty() {
        true => catalogs,
        false => errors(wrong.sorted()),
    };
    if !site.advice().is_empty() {
        let text = site.advice().render(Paint::Plain);
        found.insert("advice.txt".to_owned(), text);
    }
    found
}
