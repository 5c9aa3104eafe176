//! The mirror that this machine's own apt uses, read from its sources.
//!
//! Both forms are understood: one-line (`deb [options] URI suite components`) and deb822
//! (sources.list(5)). Only Debian's own suites count; a third party's repository is no mirror.

use std::fs;
use std::path::{Path, PathBuf};

/// One archive of one suite, as apt is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// `http://deb.debian.org/debian`.
    pub uri: String,
    /// `bookworm`, `bookworm-updates`, `bookworm-security`.
    pub suite: String,
}

/// The archives of a release that this machine's apt uses, its base suite first.
pub(super) fn archives(release: &str) -> Vec<Archive> {
    let mut found = Vec::new();
    for path in source_files() {
        let text = fs::read_to_string(&path).unwrap_or_default();
        match path.extension().is_some_and(|ending| ending == "sources") {
            true => deb822(&text, &mut found),
            false => one_line(&text, &mut found),
        }
    }
    ours(found, release)
}

fn source_files() -> Vec<PathBuf> {
    let entries = fs::read_dir("/etc/apt/sources.list.d");
    let mut files: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| known_ending(path))
        .collect();
    files.push("/etc/apt/sources.list".into());
    files.sort();
    files
}

fn known_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("list" | "sources"))
}

/// Keeps the suites of a release, with the component that every root needs, base suite first.
fn ours(found: Vec<(Archive, Vec<String>)>, release: &str) -> Vec<Archive> {
    let suffixes = ["", "-updates", "-security"];
    let mut kept: Vec<Archive> = Vec::new();
    for suffix in suffixes {
        let suite = format!("{release}{suffix}");
        let archive = found.iter().find(|(archive, components)| {
            archive.suite == suite && components.iter().any(|name| name == "main")
        });
        kept.extend(archive.map(|(archive, _)| archive.clone()));
    }
    match kept.first() {
        Some(base) if base.suite == release => kept,
        _ => Vec::new(),
    }
}

fn one_line(text: &str, found: &mut Vec<(Archive, Vec<String>)>) {
    for line in text.lines().map(str::trim) {
        let Some(rest) = line.strip_prefix("deb ") else {
            continue;
        };
        let rest = rest.trim_start();
        let rest = match rest.strip_prefix('[') {
            Some(options) => options.split_once(']').map_or("", |(_, rest)| rest),
            None => rest,
        };
        let mut words = rest.split_ascii_whitespace().map(str::to_owned);
        if let (Some(uri), Some(suite)) = (words.next(), words.next()) {
            found.push((archive(&uri, suite), words.collect()));
        }
    }
}

fn deb822(text: &str, found: &mut Vec<(Archive, Vec<String>)>) {
    for stanza in text.split("\n\n") {
        let field = |name: &str| words(stanza, name);
        let off = field("Enabled").first().is_some_and(|word| word == "no");
        if off || !field("Types").iter().any(|word| word == "deb") {
            continue;
        }
        for uri in field("URIs") {
            for suite in field("Suites") {
                found.push((archive(&uri, suite), field("Components")));
            }
        }
    }
}

fn archive(uri: &str, suite: String) -> Archive {
    Archive {
        uri: uri.trim_end_matches('/').to_owned(),
        suite,
    }
}

/// The words of one field; comment lines stand anywhere.
fn words(stanza: &str, name: &str) -> Vec<String> {
    let line = stanza.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value)
    });
    let words = line.unwrap_or_default().split_ascii_whitespace();
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(uri: &str, suite: &str) -> Archive {
        super::archive(uri, suite.to_owned())
    }

    #[test]
    fn both_forms_of_sources_are_understood() {
        let mut found = Vec::new();
        deb822(
            "Types: deb\n# http://snapshot.example/\nURIs: http://m.example/debian/\n\
             Suites: bookworm bookworm-updates\nComponents: main\n\n\
             Enabled: no\nTypes: deb\nURIs: http://off.example\nSuites: bookworm\nComponents: main\n",
            &mut found,
        );
        one_line(
            "# deb http://old.example bookworm main\n\
             deb [arch=amd64 signed-by=/k.gpg] http://s.example bookworm-security main contrib\n\
             deb-src http://src.example bookworm main\ndeb http://third.example cloud-bookworm main\n",
            &mut found,
        );
        assert_eq!(
            ours(found, "bookworm"),
            [
                archive("http://m.example/debian", "bookworm"),
                archive("http://m.example/debian", "bookworm-updates"),
                archive("http://s.example", "bookworm-security"),
            ]
        );
    }

    #[test]
    fn without_the_base_suite_there_is_no_mirror() {
        let mut found = Vec::new();
        one_line("deb http://s.example bookworm-security main", &mut found);
        assert_eq!(ours(found, "bookworm"), []);
    }
}
