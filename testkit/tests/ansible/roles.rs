//! The templates of public roles, unchanged, with the roles' own defaults and variables.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::peer::Peer;
use crate::site::Role;

/// Templates that differ, and why; a line is a part of a path, a tab and the reason.
const KNOWN: &str = include_str!("known.txt");

/// What came of a template.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Same,
    /// Ansible refuses it as well.
    NeitherRenders,
    /// Ansible refuses it, for lack of a plugin for the most part.
    OnlyOurs,
    Differs(String),
    Refused(String),
}

#[test]
fn templates_of_the_collections_are_the_same() {
    let test = "templates_of_the_collections_are_the_same";
    if let Some(peer) = Peer::get(test) {
        let folder = peer.collections.join("ansible_collections");
        judge(&compare(&peer, &[folder]));
    }
}

#[test]
fn templates_of_given_roles_are_the_same() {
    let test = "templates_of_given_roles_are_the_same";
    let Some(folders) = std::env::var_os("HOLDFAST_ROLES") else {
        let reason = "HOLDFAST_ROLES names no folders with roles to compare";
        return holdfast_testkit::skip(test, reason);
    };
    if let Some(peer) = Peer::get(test) {
        let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
        judge(&compare(&peer, &folders));
    }
}

/// Renders the templates of all roles under some folders with both. What Ansible gave is kept in
/// the file that `HOLDFAST_RENDERED` names, and taken from there when it is there already.
fn compare(peer: &Peer, folders: &[PathBuf]) -> Vec<(String, Outcome)> {
    let kept = std::env::var_os("HOLDFAST_RENDERED").map(PathBuf::from);
    let documents: Vec<Value> = match kept.as_ref().and_then(|path| fs::read_to_string(path).ok()) {
        Some(lines) => lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        None => {
            let facts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ansible/facts.json");
            let mut arguments: Vec<&Path> = vec![Path::new("roles"), &facts];
            arguments.extend(folders.iter().map(PathBuf::as_path));
            peer.run(&arguments)
        }
    };
    if let Some(path) = kept.filter(|path| !path.exists()) {
        let lines: Vec<String> = documents.iter().map(Value::to_string).collect();
        fs::write(path, lines.join("\n")).unwrap();
    }
    let mut templates: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let outcomes = documents.iter().map(|document| {
        let role = document["role"].as_str().unwrap();
        let all = templates.entry(role.to_owned()).or_insert_with(|| {
            let mut found = BTreeMap::new();
            read_all(&Path::new(role).join("templates"), "", &mut found);
            found
        });
        let template = document["template"].as_str().unwrap();
        (
            format!("{role}/templates/{template}"),
            outcome(document, template, all),
        )
    });
    outcomes.collect()
}

fn outcome(document: &Value, template: &str, all: &BTreeMap<String, String>) -> Outcome {
    let text = &all[template];
    let alone = BTreeMap::from([(template.to_owned(), text.clone())]);
    // A template of the same role that does not parse is another's difference.
    let joined = ["include", "import", "extends"]
        .iter()
        .any(|word| text.contains(word));
    let templates = if joined { all } else { &alone };
    let ours = Role::new(templates, document["globals"].as_str().unwrap()).render(template);
    match (ours, document["output"].as_str()) {
        (Ok(ours), Some(theirs)) if ours == theirs => Outcome::Same,
        (Ok(ours), Some(theirs)) => Outcome::Differs(first_difference(&ours, theirs)),
        (Err(why), Some(_)) => Outcome::Refused(why),
        (Ok(_), None) => Outcome::OnlyOurs,
        (Err(_), None) => Outcome::NeitherRenders,
    }
}

fn first_difference(ours: &str, theirs: &str) -> String {
    let both = ours.split('\n').zip(theirs.split('\n'));
    let mut numbered = both.enumerate();
    match numbered.find(|(_, (ours, theirs))| ours != theirs) {
        Some((line, (ours, theirs))) => {
            format!("line {}:\n  ours   {ours:?}\n  theirs {theirs:?}", line + 1)
        }
        None => format!("{} bytes, theirs has {}", ours.len(), theirs.len()),
    }
}

/// Fails where something differs that is not known to.
fn judge(outcomes: &[(String, Outcome)]) {
    let count = |wanted: &dyn Fn(&Outcome) -> bool| {
        outcomes
            .iter()
            .filter(|(_, outcome)| wanted(outcome))
            .count()
    };
    eprintln!(
        "{} templates: {} the same, {} refused by both, {} by Ansible only",
        outcomes.len(),
        count(&|one| *one == Outcome::Same),
        count(&|one| *one == Outcome::NeitherRenders),
        count(&|one| *one == Outcome::OnlyOurs),
    );
    let known: Vec<(&str, &str)> = KNOWN
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let mut wrong = Vec::new();
    for (path, outcome) in outcomes {
        let told = match outcome {
            Outcome::Differs(how) => format!("DIFFERS {path}\n{how}"),
            Outcome::Refused(why) => format!("REFUSED {path}\n{why}"),
            _ => continue,
        };
        match known.iter().find(|(part, _)| path.contains(part)) {
            Some((_, reason)) => eprintln!("known: {path}: {reason}"),
            None => wrong.push(told),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(!outcomes.is_empty(), "there is nothing to compare");
}

fn read_all(folder: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let path = format!("{prefix}{name}");
        if entry.path().is_dir() {
            read_all(&entry.path(), &format!("{path}/"), found);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            found.insert(path, text);
        }
    }
}
