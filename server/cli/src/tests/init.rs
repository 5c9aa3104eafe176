//! `init`: what it makes compiles, passes its own tests, and is never written over anything.

use std::fs;

use tempfile::TempDir;

use super::transcript;
use crate::exit::Exit;

#[test]
fn the_first_site_compiles_and_passes_its_tests() {
    let folder = TempDir::new().unwrap();
    let site = folder.path().join("new/site");
    let site = site.to_str().unwrap();
    let told = transcript(&["init", site]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    assert!(
        told.answer
            .contains(&format!("holdfast check --site {site}")),
        "{told}"
    );
    let told = transcript(&["check", "--json", "--site", site]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    let found: serde_json::Value = serde_json::from_str(&told.answer).unwrap();
    assert_eq!(
        (&found["hosts"], &found["compiled"]),
        (&3.into(), &3.into())
    );
    assert_eq!(found["advice"], serde_json::json!([]));
    let told = transcript(&["test", "--site", site]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    let told = transcript(&["compile", "web-2", "--site", site]);
    assert!(
        told.answer.contains("/etc/nginx/conf.d/docs.conf"),
        "{told}"
    );
}

#[test]
fn every_file_of_yaml_teaches() {
    let folder = TempDir::new().unwrap();
    let told = transcript(&["init", "--json", folder.path().to_str().unwrap()]);
    let made: serde_json::Value = serde_json::from_str(&told.answer).unwrap();
    let files = made["files"].as_array().unwrap();
    assert_eq!(files.len(), 12);
    let files = files.iter().map(|file| file.as_str().unwrap());
    for file in files.filter(|file| file.ends_with(".yaml") && *file != "hosts/web-1.yaml") {
        let text = fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(
            text.lines().any(|line| line.trim_start().starts_with('#')),
            "{file}"
        );
    }
}

#[test]
fn nothing_is_written_over() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_str().unwrap();
    fs::create_dir(folder.path().join("roles")).unwrap();
    let told = transcript(&["init", path]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
    assert!(told.asides.contains("roles is there already"), "{told}");
    assert!(!folder.path().join("holdfast.yaml").exists());
    fs::remove_dir(folder.path().join("roles")).unwrap();
    fs::write(folder.path().join("README.md"), "mine").unwrap();
    let told = transcript(&["init", path]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    assert_eq!(
        fs::read_to_string(folder.path().join("README.md")).unwrap(),
        "mine"
    );
    let told = transcript(&["init", path]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
}
