//! What a host brings to its catalog.

use holdfast_catalog::{HostInput, Site};
use serde_json::json;

use crate::{compile, compile_with, content, shown, support, text};

#[test]
fn a_number_stands_for_its_text_where_the_type_says_so() {
    let role = |owner: &str| format!("resources:\n  - file: /t\n    owner: {owner}\n");
    let run = |owner| {
        let role = role(owner);
        compile(&[
            ("roles/r/role.yaml", &role),
            ("hosts/h.yaml", "roles: [r]\n"),
        ])
        .unwrap()
        .catalog
        .to_bytes()
    };
    assert_eq!(run("0"), run("\"0\""));
}

#[test]
fn missing_facts_are_an_error_of_their_own() {
    let files = [
        (
            "groups/g.yaml",
            "match: facts.os.family == \"debian\"\nroles: [r]\n",
        ),
        ("roles/r/role.yaml", &*shown("{{ facts.os.family }}")),
        ("hosts/h.yaml", "{}"),
    ];
    let wrong = compile(&files).unwrap_err();
    assert!(wrong.needs_only_facts(), "{wrong}");
    let facts = json!({"os": {"family": "debian"}});
    assert_eq!(
        content(&compile_with(&files, Some(facts)).unwrap()),
        "debian"
    );
    let other = compile_with(&files, Some(json!({"os": {"family": "redhat"}}))).unwrap();
    assert!(other.catalog.resources.is_empty());
}

#[test]
fn a_host_that_no_file_declares_gets_globals_and_groups() {
    let files = [
        ("globals.yaml", "vars: { v: 1 }\nroles: [r]\n"),
        (
            "groups/g.yaml",
            "match: host.idc == \"js\"\nvars: { v: 2 }\n",
        ),
        ("roles/r/role.yaml", &*shown("{{ v }}{{ global.v }}")),
    ];
    assert_eq!(text(&files), "11");
}

#[test]
fn explain_names_every_layer_and_the_winner() {
    let files = [
        ("globals.yaml", "vars: { v: 1 }\n"),
        ("groups/g.yaml", "hosts: [h]\nvars: { v: 2 }\n"),
        ("hosts/h.yaml", "vars: { v: '{{ 1 + 2 }}' }\n"),
    ];
    let site = Site::parse(&support::site(&files)).unwrap();
    let explanation = site
        .explain(&HostInput::new("h".parse().unwrap()), "v")
        .unwrap();
    assert_eq!(explanation.value, Some(json!(3)));
    let held: Vec<_> = explanation
        .layers
        .iter()
        .map(|held| (held.place.as_deref(), held.used))
        .collect();
    let expected = [
        (Some("hosts/h.yaml:1:12"), true),
        (Some("groups/g.yaml:2:12"), false),
        (Some("globals.yaml:1:12"), false),
    ];
    assert_eq!(held, expected);
}

#[test]
fn an_error_of_many_hosts_is_told_once() {
    let files = [
        ("globals.yaml", "roles: [r]\n"),
        ("roles/r/role.yaml", &*shown("{{ typo }}")),
        ("hosts/a.yaml", "{}"),
        ("hosts/b.yaml", "{}"),
    ];
    let site = Site::parse(&support::site(&files)).unwrap();
    let hosts: Vec<HostInput> = site.hosts().cloned().map(HostInput::new).collect();
    let wrong = holdfast_catalog::compile_all(&site, &hosts).unwrap_err();
    assert_eq!(wrong.len(), 1);
    assert!(wrong.to_string().contains("in 2 hosts, first a"), "{wrong}");
}
