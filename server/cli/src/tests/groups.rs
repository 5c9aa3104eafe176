//! `holdfast groups`, on the example fleet and on a repository that changes.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::site::FLEET;
use super::transcript;
use crate::exit::Exit;

#[test]
fn groups_stand_in_a_table_by_tier_and_priority() {
    insta::assert_snapshot!(transcript(&["groups", "--site", FLEET]));
}

#[test]
fn why_a_host_is_in_its_groups_and_not_in_others() {
    insta::assert_snapshot!(transcript(&["groups", "mongo-1.js", "--site", FLEET]));
}

#[test]
fn programs_are_told_the_same() {
    let told = transcript(&["groups", "mongo-1.js", "--json", "--site", FLEET]);
    let found: serde_json::Value = serde_json::from_str(&told.answer).unwrap();
    let groups = found["groups"].as_array().unwrap();
    let group = |name: &str| groups.iter().find(|one| one["group"] == name).unwrap();
    assert_eq!(group("js-mongodb")["standing"], "in");
    assert_eq!(group("js-mongodb")["because"][0]["holds"], true);
    assert_eq!(group("web")["standing"], "out");
    let told = transcript(&["groups", "--json", "--site", FLEET]);
    let rows: serde_json::Value = serde_json::from_str(&told.answer).unwrap();
    let web = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["group"] == "web")
        .unwrap();
    assert_eq!(web["members"], serde_json::json!(["web-1.js", "web-2.bj"]));
}

#[test]
fn a_host_that_nothing_names_is_told_with_its_nearest() {
    let told = transcript(&["groups", "mongo-1.sj", "--site", FLEET]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
    assert!(told.asides.contains("did you mean `mongo-1.js`?"), "{told}");
}

fn git(folder: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_preview_compares_the_folder_with_a_commit() {
    let folder = TempDir::new().unwrap();
    let root = folder.path();
    git(root, &["init", "-q", "-b", "main"]);
    write(root, "groups/web.yaml", "hosts: ['web-*']\n");
    write(root, "groups/old.yaml", "hosts: [web-1]\n");
    write(root, "hosts/web-1.yaml", "{}\n");
    write(root, "hosts/web-2.yaml", "{}\n");
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "a site"]);
    let site = root.to_str().unwrap();
    let told = transcript(&["groups", "--preview", "--site", site]);
    assert_eq!(told.answer, "no group changes against HEAD (2 hosts)\n");

    write(
        root,
        "groups/web.yaml",
        "hosts: ['web-*']\nexclude: [web-1]\npriority: 3\n",
    );
    write(root, "groups/new.yaml", "groups: [web]\n");
    write(root, "hosts/web-3.yaml", "{}\n");
    std::fs::remove_file(root.join("groups/old.yaml")).unwrap();
    insta::assert_snapshot!(transcript(&["groups", "--preview", "main", "--site", site]));
    let told = transcript(&["groups", "--preview", "--json", "--site", site]);
    let found: serde_json::Value = serde_json::from_str(&told.answer).unwrap();
    assert_eq!(found["hosts"], 3);
    assert_eq!(
        found["changes"][0]["joins"],
        serde_json::json!(["web-2", "web-3"])
    );

    let told = transcript(&["groups", "--preview", "nowhere", "--site", site]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
    let told = transcript(&[
        "groups",
        "--preview",
        "--site",
        root.join("groups").to_str().unwrap(),
    ]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
}
