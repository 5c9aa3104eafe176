//! Which layer a value comes from, and how layers unite.

use holdfast_catalog::diag::Code;
use holdfast_catalog::{HostInput, Site};
use serde_json::json;

use crate::{codes, compile, content, shown, support, text, value};

#[test]
fn the_most_specific_layer_wins() {
    let role = shown("{{ v }}");
    let layers = [
        ("globals.yaml", "vars: { v: globals }\nroles: [r]\n"),
        (
            "groups/idc.yaml",
            "tier: idc\nhosts: [h]\nvars: { v: idc }\n",
        ),
        (
            "groups/set.yaml",
            "tier: set\nhosts: [h]\nvars: { v: set }\n",
        ),
        (
            "groups/low.yaml",
            "tier: custom\npriority: 1\nhosts: [h]\nvars: { v: low }\n",
        ),
        (
            "groups/high.yaml",
            "tier: custom\npriority: 2\nhosts: ['*']\nvars: { v: high }\n",
        ),
        ("hosts/h.yaml", "vars: { v: host }\n"),
    ];
    for (count, expected) in ["globals", "idc", "set", "low", "high", "host"]
        .iter()
        .enumerate()
    {
        let mut files = vec![("roles/r/role.yaml", role.as_str())];
        files.extend(&layers[..=count]);
        assert_eq!(text(&files), *expected);
    }
}

#[test]
fn a_job_stands_above_the_host() {
    let files = [
        ("roles/r/role.yaml", shown("{{ v }}")),
        ("hosts/h.yaml", "vars: { v: host }\nroles: [r]\n".to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (*a, b.as_str())).collect();
    let site = Site::parse(&support::site(&files)).unwrap();
    let mut host = HostInput::new("h".parse().unwrap());
    host.vars.insert("v".to_owned(), json!("job"));
    assert_eq!(content(&site.compile(&host).unwrap()), "job");
}

#[test]
fn merging_is_declared_never_guessed() {
    let role = shown("{{ v }}");
    let files = |rule: &str| {
        [
            ("holdfast.yaml", format!("merge: {{ v: {rule} }}\n")),
            ("roles/r/role.yaml", role.clone()),
            (
                "globals.yaml",
                "vars: { v: { a: { x: 1 }, l: [1, 2] } }\n".to_owned(),
            ),
            (
                "hosts/h.yaml",
                "vars: { v: { a: { y: 2 }, l: [2, 3] } }\nroles: [r]\n".to_owned(),
            ),
        ]
    };
    let run = |rule| {
        let files = files(rule);
        let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (*a, b.as_str())).collect();
        text(&files)
    };
    assert_eq!(run("replace"), "{'a': {'y': 2}, 'l': [2, 3]}");
    assert_eq!(run("deep"), "{'a': {'x': 1, 'y': 2}, 'l': [1, 2, 3]}");
}

#[test]
fn lists_append_and_stay_unique() {
    for (rule, expected) in [("append", "[1, 2, 2, 3]"), ("unique", "[1, 2, 3]")] {
        let settings = format!("merge: {{ v: {rule} }}\n");
        let found = text(&[
            ("holdfast.yaml", &settings),
            ("roles/r/role.yaml", &shown("{{ v }}")),
            ("globals.yaml", "vars: { v: [1, 2] }\n"),
            ("hosts/h.yaml", "vars: { v: [2, 3] }\nroles: [r]\n"),
        ]);
        assert_eq!(found, expected);
    }
}

const TIED: [(&str, &str); 3] = [
    ("groups/a.yaml", "hosts: [h]\nvars: { v: 1 }\n"),
    ("groups/b.yaml", "hosts: [h]\nvars: { v: 2 }\n"),
    ("roles/r/role.yaml", "resources: []\n"),
];

#[test]
fn equals_that_disagree_are_an_error_unless_something_higher_decides() {
    let mut files = TIED.to_vec();
    files.push(("hosts/h.yaml", "roles: [r]\n"));
    let wrong = compile(&files).unwrap_err().to_string();
    assert!(
        wrong.contains("groups/a.yaml:2:12") && wrong.contains("groups/b.yaml:2:12"),
        "{wrong}"
    );
    files[3] = ("hosts/h.yaml", "vars: { v: 3 }\n");
    compile(&files).unwrap();
    files[1] = ("groups/b.yaml", "hosts: [h]\nvars: { v: 1 }\n");
    files[3] = ("hosts/h.yaml", "{}");
    compile(&files).unwrap();
}

#[test]
fn append_between_equals_is_a_tie_even_when_they_agree() {
    let files = [
        ("holdfast.yaml", "merge: { v: append }\n"),
        ("groups/a.yaml", "hosts: [h]\nvars: { v: [1] }\n"),
        ("groups/b.yaml", "hosts: [h]\nvars: { v: [1] }\n"),
    ];
    assert_eq!(codes(&files), [Code::Tie]);
}

#[test]
fn unset_takes_away_what_lower_layers_say() {
    let files = [
        ("globals.yaml", "vars: { v: { a: 1, b: 2 }, w: 1 }\n"),
        ("hosts/h.yaml", "unset: [v.a, w]\nroles: [r]\n"),
        ("roles/r/role.yaml", &shown("{{ v }} {{ w is defined }}")),
    ];
    assert_eq!(text(&files), "{'b': 2} False");
}

#[test]
fn a_default_stands_only_where_nothing_does() {
    assert_eq!(value("v|default('d')", ""), "d");
    assert_eq!(value("v|default('d')", "vars: { v: '' }\n"), "");
}

#[test]
fn parameters_merge_one_by_one_and_are_typed() {
    let role = "params:\n  port: { type: integer, default: 80 }\n  name: { type: string }\n\
                resources:\n  - file: /t\n    content: '{{ params.port }} {{ params.name }} {{ r.port }}'\n";
    let group = ("groups/g.yaml", "hosts: [h]\nvars: { r: { name: n } }\n");
    let run = |host| text(&[("roles/r/role.yaml", role), group, ("hosts/h.yaml", host)]);
    assert_eq!(run("roles: [r]\n"), "80 n 80");
    assert_eq!(run("roles: [r]\nvars: { r: { port: 81 } }\n"), "81 n 81");
    let refused = |host| codes(&[("roles/r/role.yaml", role), group, ("hosts/h.yaml", host)]);
    assert_eq!(
        refused("roles: [r]\nvars: { r: { port: \"81\" } }\n"),
        [Code::WrongType]
    );
    assert_eq!(
        refused("roles: [r]\nvars: { r: { prot: 81 } }\n"),
        [Code::UnknownKey]
    );
    assert_eq!(
        codes(&[
            ("roles/r/role.yaml", role),
            ("hosts/h.yaml", "roles: [r]\n")
        ]),
        [Code::MissingParameter]
    );
}
