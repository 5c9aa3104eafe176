//! `fmt` on a folder: what changes, what does not, and how it ends.

use std::fs;

use tempfile::TempDir;

use super::site::FLEET;
use super::transcript;
use crate::exit::Exit;

#[test]
fn files_are_formatted_once_and_content_is_left_alone() {
    let site = TempDir::new().unwrap();
    let wide = "vars:\n    a: 1  \n\n\n    b: 2\n";
    for path in ["hosts/web-1.yaml", "roles/r/files/x.yaml"] {
        let path = site.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, wide).unwrap();
    }
    let path = site.path().to_str().unwrap();
    let told = transcript(&["fmt", "--check", path]);
    assert_eq!(told.exit, Exit::Found, "{told}");
    assert!(told.answer.contains("hosts/web-1.yaml"), "{told}");
    let host = site.path().join("hosts/web-1.yaml");
    assert_eq!(fs::read_to_string(&host).unwrap(), wide);
    let told = transcript(&["fmt", "--json", path]);
    let done: serde_json::Value = serde_json::from_str(&told.answer).unwrap();
    assert_eq!(
        (&done["files"], done["changed"].as_array().unwrap().len()),
        (&1.into(), 1)
    );
    assert_eq!(
        fs::read_to_string(&host).unwrap(),
        "vars:\n  a: 1\n\n  b: 2\n"
    );
    let content = site.path().join("roles/r/files/x.yaml");
    assert_eq!(fs::read_to_string(content).unwrap(), wide);
    assert_eq!(transcript(&["fmt", "--check", path]).exit, Exit::Fine);
}

#[test]
fn what_cannot_be_read_is_told_and_left() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.yaml");
    fs::write(&file, "a: [1\nb: 2\n").unwrap();
    let told = transcript(&["fmt", file.to_str().unwrap()]);
    assert_eq!(told.exit, Exit::Invalid, "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "a: [1\nb: 2\n");
}

#[test]
fn the_example_and_the_first_site_are_formatted() {
    let folder = TempDir::new().unwrap();
    let site = folder.path().to_str().unwrap();
    transcript(&["init", site]);
    for site in [FLEET, site] {
        let told = transcript(&["fmt", "--check", site]);
        assert_eq!(told.exit, Exit::Fine, "{told}");
    }
}
