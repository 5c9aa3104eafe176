//! The order of resources.

use holdfast_catalog::Diagnostics;

use crate::compile;

fn order_of(resources: &str) -> Result<Vec<String>, Diagnostics> {
    let role = format!("resources:\n{resources}");
    let compiled = compile(&[
        ("roles/r/role.yaml", &role),
        ("hosts/h.yaml", "roles: [r]\n"),
    ])?;
    Ok(compiled
        .catalog
        .resources
        .iter()
        .map(|one| one.id.to_string())
        .collect())
}

#[test]
fn order_is_as_written_but_for_edges() {
    let found = order_of(
        "  - file: /a/f\n    owner: u\n    notify: service[s]\n  - service: s\n  - file: /b\n    notify: service[s]\n  \
         - directory: /a\n  - user: u\n  - package: p\n    before: directory[/a]\n",
    );
    let expected = [
        "file[/b]",
        "user[u]",
        "package[p]",
        "directory[/a]",
        "file[/a/f]",
        "service[s]",
    ];
    assert_eq!(found.unwrap(), expected);
}

#[test]
fn a_circle_of_written_edges_is_shown_and_an_automatic_one_is_dropped() {
    let wrong =
        order_of("  - file: /a\n    requires: file[/b]\n  - file: /b\n    requires: file[/a]\n");
    let wrong = wrong.unwrap_err().to_string();
    assert!(
        wrong.contains("file[/a] -> file[/b] -> file[/a]"),
        "{wrong}"
    );
    let role = "resources:\n  - directory: /a\n    requires: file[/a/f]\n  - file: /a/f\n";
    let compiled = compile(&[
        ("roles/r/role.yaml", role),
        ("hosts/h.yaml", "roles: [r]\n"),
    ]);
    assert_eq!(compiled.unwrap().notes.len(), 1);
}
