//! The verbs that read a site, on the example fleet and on folders that are none.

use holdfast_schemas::catalog::{Bundle, Catalog};
use tempfile::TempDir;

use super::transcript;
use crate::exit::Exit;

/// The example site.
pub(super) const FLEET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/examples/fleet");

/// A member of its MongoDB set.
const HOST: &str = "mongo-1.js";

#[test]
fn the_example_fleet_compiles() {
    let told = transcript(&["check", "--site", FLEET]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    assert!(told.answer.contains("compile"), "{told}");
}

#[test]
fn check_tells_programs_as_much_as_people() {
    let told = transcript(&["check", "--json", "--site", FLEET]);
    let found: serde_json::Value = serde_json::from_str(&told.answer).unwrap();
    let unchecked = found["unchecked"].as_object().unwrap();
    let unchecked: usize = unchecked
        .values()
        .map(|hosts| hosts.as_array().unwrap().len())
        .sum();
    let compiled = found["compiled"].as_u64().unwrap() as usize;
    assert!(compiled > 2);
    assert_eq!(
        found["hosts"].as_u64().unwrap() as usize,
        compiled + unchecked
    );
    assert_eq!(found["diagnostics"].as_array().unwrap().len(), 0);
}

#[test]
fn a_catalog_reads_in_the_order_of_application() {
    let told = transcript(&["compile", HOST, "--site", FLEET]);
    let (listing, digest) = told.answer.split_once("\ndigest ").unwrap();
    assert_eq!(digest.trim().len(), 64);
    insta::assert_snapshot!(listing);
}

#[test]
fn a_bundle_needs_nothing_else() {
    let told = transcript(&["compile", HOST, "--json", "--site", FLEET]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    let bundle: Bundle = serde_json::from_str(&told.answer).unwrap();
    Catalog::parse(&bundle.catalog.to_bytes()).unwrap();
    assert_eq!(bundle.omitted.len(), 0);
    let inside: Vec<_> = bundle.blobs.keys().copied().collect();
    let needed: Vec<_> = bundle.catalog.blobs().keys().copied().collect();
    assert_eq!(inside, needed);
    for (digest, bytes) in &bundle.blobs {
        assert_eq!(holdfast_schemas::Digest::of(&bytes.0), *digest);
    }
}

#[test]
fn a_variable_is_explained_layer_by_layer() {
    let told = transcript(&["explain", HOST, "region.id", "--site", FLEET]);
    insta::assert_snapshot!(told);
}

#[test]
fn all_variables_of_a_host_stand_in_one_table() {
    let told = transcript(&["explain", HOST, "--site", FLEET]);
    insta::assert_snapshot!(told);
}

#[test]
fn a_line_names_whom_it_concerns() {
    let told = transcript(&["explain", "--line", "globals.yaml:3", "--site", FLEET]);
    insta::assert_snapshot!(told);
    let told = transcript(&["explain", "--line", "globals.yaml", "--site", FLEET]);
    insta::assert_snapshot!(told);
}

#[test]
fn a_host_that_is_not_declared_is_named_with_its_nearest() {
    let told = transcript(&["compile", "mongo-1.sj", "--site", FLEET]);
    insta::assert_snapshot!(told);
}

#[test]
fn a_folder_that_is_not_there_cannot_be_checked() {
    let told = transcript(&["check", "--site", "/nonexistent/site"]);
    insta::assert_snapshot!(told);
}

#[test]
fn a_site_that_is_wrong_is_told_with_its_places() {
    let site = TempDir::new().unwrap();
    std::fs::create_dir(site.path().join("hosts")).unwrap();
    std::fs::write(site.path().join("holdfast.yaml"), "tires: [a]\n").unwrap();
    let path = site.path().to_str().unwrap();
    let told = transcript(&["check", "--site", path]);
    assert_eq!(told.exit, Exit::Invalid, "{told}");
    assert!(told.asides.contains("holdfast.yaml:1:1"), "{told}");
    let told = transcript(&["compile", "db-1", "--site", path]);
    assert_eq!(told.exit, Exit::Invalid, "{told}");
}

#[test]
fn facts_that_are_no_object_are_refused() {
    let folder = TempDir::new().unwrap();
    let facts = folder.path().join("facts.json");
    std::fs::write(&facts, "[1]").unwrap();
    let facts = facts.to_str().unwrap();
    let told = transcript(&["compile", HOST, "--facts", facts, "--site", FLEET]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
    assert!(told.asides.contains("not a JSON object"), "{told}");
}

#[test]
fn a_broken_file_holds_the_hosts_that_depend_on_it_and_no_others() {
    let site = TempDir::new().unwrap();
    let files = [
        ("hosts/web-1.yaml", "roles: [web]\n"),
        ("hosts/web-2.yaml", "roles: [web]\n"),
        ("hosts/app-1.yaml", "roles: [app]\n"),
        ("hosts/db-1.yaml", "rack: {{ r }}\n"),
        ("hosts/idle.yaml", "{}\n"),
        (
            "roles/web/role.yaml",
            "resources:\n  - file: /a\n    content: '{{ nothing }}'\n",
        ),
        (
            "roles/app/role.yaml",
            "resources:\n  - file: /a\n    onwer: root\n",
        ),
    ];
    for (path, text) in files {
        let path = site.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let path = site.path().to_str().unwrap();
    let told = transcript(&["check", "--site", path]);
    assert_eq!(told.exit, Exit::Invalid, "{told}");
    assert!(told.asides.contains("in 2 hosts, first web-1"), "{told}");
    let told = transcript(&["check", "--json", "--site", path]);
    let found: serde_json::Value = serde_json::from_str(&told.answer).unwrap();
    assert_eq!(
        (&found["hosts"], &found["compiled"]),
        (&5.into(), &1.into())
    );
    assert_eq!(found["diagnostics"].as_array().unwrap().len(), 3);
    let held = serde_json::json!({
        "hosts/db-1.yaml": ["db-1"],
        "roles/app/role.yaml": ["app-1"],
    });
    assert_eq!(found["held"], held);
}
