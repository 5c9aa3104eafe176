//! The house rules of the workspace: who may know whom, and what lies where.
//!
//! Read from `cargo metadata`, so that a manifest that breaks a rule fails here, however deep the
//! dependency is. Development dependencies are free: a test may know everything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A crate, whom of ours it may know, and what must never be below it, however deep.
struct Rule {
    name: &'static str,
    ours: &'static [&'static str],
    never: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        name: "holdfast-schemas",
        ours: &[],
        never: &["tokio", "axum", "reqwest", "sled", "nix", "minijinja"],
    },
    Rule {
        name: "holdfast-client",
        ours: &["holdfast-schemas"],
        never: &["axum", "sled", "nix", "minijinja"],
    },
    Rule {
        name: "holdfast-catalog",
        ours: &["holdfast-schemas"],
        never: &["tokio", "axum", "reqwest", "sled", "nix", "sysinfo"],
    },
    Rule {
        name: "holdfast-modules",
        ours: &["holdfast-schemas"],
        never: &["tokio", "reqwest", "axum", "sled", "minijinja"],
    },
    Rule {
        name: "holdfast-agent",
        ours: &["holdfast-schemas", "holdfast-client", "holdfast-modules"],
        never: &["minijinja", "axum", "sled", "age"],
    },
    Rule {
        name: "holdfast-store",
        ours: &["holdfast-schemas"],
        never: &["axum", "reqwest"],
    },
    Rule {
        name: "holdfast-source",
        ours: &["holdfast-schemas", "holdfast-catalog"],
        never: &["axum", "sled"],
    },
    Rule {
        name: "holdfast-secrets",
        ours: &["holdfast-schemas", "holdfast-catalog"],
        never: &["tokio", "axum", "reqwest", "sled", "nix"],
    },
    Rule {
        name: "holdfast-cli",
        ours: &[
            "holdfast-schemas",
            "holdfast-client",
            "holdfast-catalog",
            "holdfast-source",
            "holdfast-secrets",
        ],
        never: &["axum", "sled"],
    },
    Rule {
        name: "holdfast",
        ours: &[
            "holdfast-schemas",
            "holdfast-client",
            "holdfast-catalog",
            "holdfast-store",
            "holdfast-source",
            "holdfast-secrets",
            "holdfast-cli",
        ],
        never: &["nix", "sysinfo"],
    },
    Rule {
        name: "holdfast-testkit",
        ours: &[],
        never: &[],
    },
];

/// Crates that one of ours only may name: everybody else goes through it.
const OWNED: &[(&str, &str)] = &[
    ("sled", "holdfast-store"),
    ("minijinja", "holdfast-catalog"),
    ("axum", "holdfast"),
    ("age", "holdfast-secrets"),
];

/// All there is at the top of the workspace, but for dotfiles and what cargo makes.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "agent",
    "catalog",
    "modules",
    "schemas",
    "server",
    "testkit",
];

#[test]
fn every_crate_of_the_workspace_has_a_rule() {
    let house = House::read();
    let ruled: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    let members: BTreeSet<&str> = house.members.iter().map(String::as_str).collect();
    assert_eq!(members, ruled);
}

#[test]
fn nobody_knows_more_of_ours_than_it_may() {
    let house = House::read();
    let mut broken = Vec::new();
    for rule in RULES.iter().filter(|rule| rule.name != "holdfast-testkit") {
        for known in &house.direct[rule.name] {
            if house.members.contains(known) && !rule.ours.contains(&known.as_str()) {
                broken.push(format!("{} depends on {known}", rule.name));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn nothing_forbidden_is_below_a_crate() {
    let house = House::read();
    let mut broken = Vec::new();
    for rule in RULES {
        // The server may stand on what its store and its source stand on.
        let through: &[&str] = match rule.name {
            "holdfast" => &["holdfast-store", "holdfast-source"],
            _ => &[],
        };
        for name in rule.never {
            broken.extend(house.way(rule.name, name, through));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn some_crates_are_named_by_one_of_ours_only() {
    let house = House::read();
    let mut broken = Vec::new();
    for (name, owner) in OWNED {
        let knows = |member: &&String| house.direct[member.as_str()].contains(*name);
        let others = house
            .members
            .iter()
            .filter(knows)
            .filter(|member| member != owner);
        broken.extend(others.map(|member| format!("{member} depends on {name}")));
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn nobody_depends_on_the_testkit() {
    let house = House::read();
    let knows = |member: &&String| house.direct[member.as_str()].contains("holdfast-testkit");
    let knowing: Vec<_> = house.members.iter().filter(knows).collect();
    assert!(knowing.is_empty(), "{knowing:?}");
}

#[test]
fn nothing_else_lies_at_the_top() {
    let house = House::read();
    let listed = Command::new("git")
        .arg("-C")
        .arg(&house.root)
        .args(["ls-files", "--cached"])
        .output();
    let names: BTreeSet<String> = match listed {
        Ok(output) if output.status.success() => tops(&String::from_utf8_lossy(&output.stdout)),
        // A source archive: what is there counts.
        _ => folder(&house.root),
    };
    let unknown: Vec<_> = names
        .iter()
        .filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str()))
        .collect();
    assert!(
        unknown.is_empty(),
        "{unknown:?} at the top of the workspace"
    );
}

#[test]
fn every_version_and_lint_stands_in_the_workspace_manifest() {
    let house = House::read();
    for manifest in &house.manifests {
        let text = std::fs::read_to_string(manifest).unwrap();
        let shown = manifest.display();
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{shown} has lints of its own"
        );
        let sections = text.split("\n[").filter(|section| {
            let head = section.lines().next().unwrap_or_default();
            head.ends_with("dependencies]")
        });
        for line in sections.flat_map(|section| section.lines().skip(1)) {
            let own =
                line.contains('=') && !line.starts_with('#') && !line.contains("workspace = true");
            assert!(!own, "{shown} has a version of its own: {line}");
        }
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let house = House::read();
    let text = std::fs::read_to_string(house.root.join("Cargo.toml")).unwrap();
    let (_, rest) = text.split_once("[workspace.dependencies]").unwrap();
    let section = rest.split("\n[").next().unwrap();
    let foreign =
        |line: &&str| line.contains(" = ") && !line.starts_with('#') && !line.contains("path = ");
    let silent: Vec<&str> = section
        .lines()
        .filter(foreign)
        .filter(|line| !line.contains("# "))
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

/// Names at the top of what git lists.
fn tops(listing: &str) -> BTreeSet<String> {
    let first = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
    listing.lines().map(first).collect()
}

fn folder(root: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name != "target").collect()
}

/// The workspace as cargo resolves it for this platform, without development dependencies.
struct House {
    root: PathBuf,
    members: BTreeSet<String>,
    manifests: Vec<PathBuf>,
    /// Crates by name and whom they depend on. Two versions of one crate count as one.
    direct: BTreeMap<String, BTreeSet<String>>,
}

impl House {
    fn read() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version=1", "--locked"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let all: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let names: BTreeMap<String, String> = list(&all["packages"])
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let ours: BTreeSet<String> = list(&all["workspace_members"]).map(text).collect();
        let manifests = list(&all["packages"])
            .filter(|package| ours.contains(package["id"].as_str().unwrap()))
            .map(|package| PathBuf::from(text(&package["manifest_path"])));
        let mut direct: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in list(&all["resolve"]["nodes"]) {
            let from = &names[node["id"].as_str().unwrap()];
            let normal = list(&node["deps"]).filter(|dependency| {
                list(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null())
            });
            let to = normal.map(|dependency| names[dependency["pkg"].as_str().unwrap()].clone());
            direct.entry(from.clone()).or_default().extend(to);
        }
        Self {
            root: text(&all["workspace_root"]).into(),
            members: ours.iter().map(|id| names[id].clone()).collect(),
            manifests: manifests.collect(),
            direct,
        }
    }

    /// A way from a crate down to another, as text, that does not lead through some.
    fn way(&self, from: &str, to: &str, without: &[&str]) -> Option<String> {
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let mut ahead = vec![from];
        while let Some(here) = ahead.pop() {
            for next in self.direct.get(here).into_iter().flatten() {
                let next = next.as_str();
                if next == from || before.contains_key(next) || without.contains(&next) {
                    continue;
                }
                before.insert(next, here);
                ahead.push(next);
            }
        }
        let mut way = vec![to];
        while let Some(previous) = before.get(way.last()?) {
            way.push(previous);
        }
        way.reverse();
        (way.len() > 1).then(|| way.join(" → "))
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
