//! What operators of other systems expect of layers, merges and errors: the conformance set's
//! section on data (D01 to D11), X12 and X14, said in this language.

use holdfast_catalog::diag::Code;
use holdfast_catalog::{HostInput, Site, diff};

use crate::{codes, compile, compile_with, content, support, text};

const TIERS: &str = "tiers: [idc, set, custom]\n";

/// The value of an expression in host `h` of a site.
fn shown(expression: &str, files: &[(&str, &str)]) -> String {
    let role = crate::shown(&format!("{{{{ {expression} }}}}").replace('\'', "''"));
    let mut all = vec![("roles/show/role.yaml", role.as_str())];
    all.extend(files);
    text(&all)
}

#[test]
fn d01_the_most_specific_layer_wins() {
    let layers = [
        ("globals.yaml", "roles: [show]\nvars: { v: global }\n"),
        (
            "groups/idc.yaml",
            "tier: idc\nhosts: [h]\nvars: { v: idc }\n",
        ),
        (
            "groups/set.yaml",
            "tier: set\nhosts: [h]\nvars: { v: set }\n",
        ),
        (
            "groups/own.yaml",
            "tier: custom\nhosts: [h]\nvars: { v: group }\n",
        ),
        ("hosts/h.yaml", "vars: { v: host }\n"),
    ];
    for (count, expected) in [
        (1, "global"),
        (2, "idc"),
        (3, "set"),
        (4, "group"),
        (5, "host"),
    ] {
        let mut files = vec![("holdfast.yaml", TIERS)];
        files.extend(&layers[..count]);
        assert_eq!(shown("v", &files), expected);
    }
    let role = crate::shown("{{ v }}");
    let mut files = vec![
        ("holdfast.yaml", TIERS),
        ("roles/show/role.yaml", role.as_str()),
    ];
    files.extend(&layers);
    let site = Site::parse(&support::site(&files)).unwrap();
    let mut host = HostInput::new("h".parse().unwrap());
    host.vars.insert("v".into(), "task".into());
    assert_eq!(content(&site.compile(&host).unwrap()), "task");
}

#[test]
fn d03_deep_unites_recursively_and_without_it_the_specific_one_replaces_all() {
    let layers = [
        (
            "globals.yaml",
            "roles: [show]\nvars: { v: { a: { x: 1, y: 1 }, l: [1, 2] } }\n",
        ),
        ("hosts/h.yaml", "vars: { v: { a: { y: 2 }, l: [2, 3] } }\n"),
    ];
    let with = |settings: &str| {
        let mut files = vec![("holdfast.yaml", settings)];
        files.extend(&layers);
        shown("v|to_json", &files)
    };
    let united: serde_json::Value = serde_json::from_str(&with("merge: { v: deep }\n")).unwrap();
    assert_eq!(
        united,
        serde_json::json!({ "a": { "x": 1, "y": 2 }, "l": [1, 2, 3] })
    );
    let replaced: serde_json::Value = serde_json::from_str(&with("")).unwrap();
    assert_eq!(
        replaced,
        serde_json::json!({ "a": { "y": 2 }, "l": [2, 3] })
    );
}

#[test]
fn d05_what_is_removed_vanishes_without_a_trace() {
    let files = [
        ("holdfast.yaml", "merge: { v: deep }\n"),
        (
            "globals.yaml",
            "roles: [show]\nvars: { v: { keep: 1, drop: 2 } }\n",
        ),
        (
            "hosts/h.yaml",
            "unset: [v.drop]\nvars: { v: { more: 3 } }\n",
        ),
    ];
    let left: serde_json::Value = serde_json::from_str(&shown("v|to_json", &files)).unwrap();
    assert_eq!(left, serde_json::json!({ "keep": 1, "more": 3 }));
}

#[test]
fn d07_values_are_made_of_facts_nested_keys_and_other_variables() {
    let vars = "roles: [show]\nvars:\n  base: { dir: /srv }\n  os: '{{ facts.os.name }}'\n  path: '{{ base.dir }}/{{ os }}/{{ table[os] }}'\n  table: { debian: apt }\n";
    let role = crate::shown("{{ path }}");
    let files = [
        ("roles/show/role.yaml", role.as_str()),
        ("hosts/h.yaml", vars),
    ];
    let facts = serde_json::json!({ "os": { "name": "debian" } });
    let compiled = compile_with(&files, Some(facts)).unwrap();
    assert_eq!(content(&compiled), "/srv/debian/apt");
    for wrong in ["{{ nosuch('a') }}", "{{ base.dir|nosuch }}"] {
        let host = format!("roles: [show]\nvars: {{ path: \"{wrong}\" }}\n");
        let files = [
            ("roles/show/role.yaml", role.as_str()),
            ("hosts/h.yaml", &host),
        ];
        assert!(compile(&files).is_err(), "{wrong}");
    }
}

#[test]
fn d08_when_a_fact_changes_the_next_compile_takes_the_other_layer() {
    let role = crate::shown("{{ v }}");
    let files = [
        ("roles/show/role.yaml", role.as_str()),
        ("globals.yaml", "roles: [show]\nvars: { v: any }\n"),
        (
            "groups/debian.yaml",
            "match: facts.os == 'debian'\nvars: { v: deb }\n",
        ),
        (
            "groups/rocky.yaml",
            "match: facts.os == 'rocky'\nvars: { v: rpm }\n",
        ),
        ("hosts/h.yaml", "{}\n"),
    ];
    for (os, expected) in [("debian", "deb"), ("rocky", "rpm"), ("arch", "any")] {
        let facts = serde_json::json!({ "os": os });
        let compiled = compile_with(&files, Some(facts)).unwrap();
        assert_eq!(content(&compiled), expected);
    }
}

#[test]
fn d09_a_default_is_for_what_is_absent_and_not_for_what_is_empty() {
    let with = |vars: &str| {
        let host = format!("roles: [show]\n{vars}");
        shown("v|default('none')", &[("hosts/h.yaml", &host)])
    };
    assert_eq!(with(""), "none");
    assert_eq!(with("vars: { v: '' }\n"), "");
    assert_eq!(with("vars: { v: 0 }\n"), "0");
}

#[test]
fn d10_explain_names_every_layer_what_it_held_and_the_winner() {
    let site = Site::parse(&support::site(&[
        ("globals.yaml", "vars: { v: 1 }\n"),
        ("groups/a.yaml", "hosts: [h]\nvars: { v: 2 }\n"),
        ("groups/b.yaml", "hosts: [h]\nvars: { w: 2 }\n"),
        ("hosts/h.yaml", "vars: { v: 3 }\n"),
    ]));
    let host = HostInput::new("h".parse().unwrap());
    let explained = site.unwrap().explain(&host, "v").unwrap();
    let held = explained.layers.iter().map(|held| {
        let value = held.value.as_ref().map(ToString::to_string);
        let place = held.place.clone().unwrap_or_default();
        (held.used, value.unwrap_or_default(), place)
    });
    let held: Vec<(bool, String, String)> = held.collect();
    let row = |used, value: &str, place: &str| (used, value.to_owned(), place.to_owned());
    let expected = [
        row(true, "3", "hosts/h.yaml:1:12"),
        row(false, "", ""),
        row(false, "2", "groups/a.yaml:2:12"),
        row(false, "1", "globals.yaml:1:12"),
    ];
    assert_eq!(held, expected);
}

#[test]
fn d11_the_higher_priority_wins_and_equals_that_disagree_are_named() {
    let with = |first: &str, second: &str| {
        let one = format!("hosts: [h]\n{first}vars: {{ v: one }}\n");
        let two = format!("hosts: [h]\n{second}vars: {{ v: two }}\n");
        let role = crate::shown("{{ v }}");
        compile(&[
            ("roles/show/role.yaml", &role),
            ("groups/one.yaml", &one),
            ("groups/two.yaml", &two),
            ("hosts/h.yaml", "roles: [show]\n"),
        ])
    };
    assert_eq!(
        content(&with("priority: 2\n", "priority: 1\n").unwrap()),
        "one"
    );
    assert_eq!(
        content(&with("priority: 1\n", "priority: 2\n").unwrap()),
        "two"
    );
    let wrong = with("", "").unwrap_err();
    assert!(wrong.iter().all(|one| one.code == Code::Tie));
    let told = wrong.to_string();
    for part in [
        "group one",
        "group two",
        "groups/one.yaml:2:",
        "groups/two.yaml:2:",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn x12_a_number_and_its_digits_are_one_where_the_type_says_so() {
    let with = |uid: &str, mode: &str| {
        let role = format!(
            "resources:\n  - user: app\n    uid: {uid}\n  - file: /a\n    content: a\n    mode: {mode}\n"
        );
        compile(&[
            ("roles/r/role.yaml", &role),
            ("hosts/h.yaml", "roles: [r]\n"),
        ])
        .unwrap()
    };
    let (one, other) = (with("1000", "\"644\""), with("\"1000\"", "\"0644\""));
    assert_eq!(one.catalog.to_bytes(), other.catalog.to_bytes());
    assert!(diff::changes(&one, &other).is_empty());
    // So two roles that write it either way mean one resource.
    let both = [
        (
            "roles/a/role.yaml",
            "resources:\n  - user: app\n    uid: 1000\n",
        ),
        (
            "roles/b/role.yaml",
            "resources:\n  - user: app\n    uid: \"1000\"\n",
        ),
        ("hosts/h.yaml", "roles: [a, b]\n"),
    ];
    assert_eq!(compile(&both).unwrap().catalog.resources.len(), 1);
    // A parameter is of the type that it is declared to be, and no other.
    let strict = [
        ("roles/a/role.yaml", "params: { port: { type: integer } }\n"),
        (
            "hosts/h.yaml",
            "roles: [a]\nvars: { a: { port: \"80\" } }\n",
        ),
    ];
    assert_eq!(codes(&strict), [Code::WrongType]);
}

#[test]
fn x14_an_error_in_a_template_names_file_line_variable_host_and_layer() {
    let told = |template: &str, vars: &str| {
        let group = format!("hosts: [h]\nvars: {vars}\n");
        let wrong = compile(&[
            (
                "roles/r/role.yaml",
                "resources:\n  - file: /t\n    template: t.j2\n",
            ),
            ("roles/r/templates/t.j2", template),
            ("groups/databases.yaml", &group),
            ("hosts/h.yaml", "roles: [r]\n"),
        ]);
        wrong.unwrap_err().to_string()
    };
    let missing = told("one\ntwo {{ db.hosst }}\n", "{ db: { host: a } }");
    let failing = told("one\n{{ db.host }}\n", "{ db: { host: '{{ 1 // 0 }}' } }");
    let unfit = told(
        "one\n{% for h in db.hosts %}{{ h }}{% endfor %}\n",
        "{ db: { hosts: 5 } }",
    );
    for (told, parts) in [
        (
            missing,
            [
                "roles/r/templates/t.j2:2:",
                "`db.hosst`",
                "roles/r/role.yaml:3:",
                "host h",
            ]
            .as_slice(),
        ),
        (
            failing,
            &[
                "groups/databases.yaml:2:",
                "set by group databases",
                "host h",
            ],
        ),
        (
            unfit,
            &[
                "roles/r/templates/t.j2:2:",
                "`db.hosts`",
                "groups/databases.yaml:2:",
                "set by group databases",
                "host h",
            ],
        ),
    ] {
        for part in parts {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}
