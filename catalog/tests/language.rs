//! The language, rule by rule: layers, expressions, edges, limits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use holdfast_catalog::diag::Code;
use holdfast_catalog::{Compiled, Diagnostics, HostInput, Site};
use holdfast_schemas::resource::{Content, Spec};
use serde_json::json;

/// A role with one file whose content is text with an expression in it.
fn shown(expression: &str) -> String {
    format!("resources:\n  - file: /t\n    content: '{{{{ \"\" }}}}{expression}'\n")
}

fn compile(files: &[(&str, &str)]) -> Result<Compiled, Diagnostics> {
    compile_with(files, None)
}

fn compile_with(
    files: &[(&str, &str)],
    facts: Option<serde_json::Value>,
) -> Result<Compiled, Diagnostics> {
    let site = Site::parse(&support::site(files))?;
    let mut host = HostInput::new("h".parse().unwrap());
    if let Some(serde_json::Value::Object(facts)) = facts {
        host = host.with_facts(facts);
    }
    site.compile(&host)
}

fn text(files: &[(&str, &str)]) -> String {
    let compiled = compile(files).unwrap_or_else(|wrong| panic!("{wrong}"));
    content(&compiled)
}

fn content(compiled: &Compiled) -> String {
    match &compiled.catalog.resources[0].spec {
        Spec::File(file) => match file.content.as_ref().unwrap() {
            Content::Text(text) => text.clone(),
            Content::Blob { digest, .. } => {
                String::from_utf8(compiled.blobs[digest].to_vec()).unwrap()
            }
        },
        _ => panic!("not a file"),
    }
}

fn codes(files: &[(&str, &str)]) -> Vec<Code> {
    let wrong = compile(files).expect_err("it does not compile");
    wrong.iter().map(|one| one.code).collect()
}

/// The value of an expression in a role, with the host's variables.
fn value(expression: &str, vars: &str) -> String {
    let role = shown(&format!("{{{{ {expression} }}}}").replace('\'', "''"));
    text(&[
        ("roles/r/role.yaml", &role),
        ("hosts/h.yaml", &format!("roles: [r]\n{vars}")),
    ])
}

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

#[test]
fn variables_refer_to_each_other_but_not_in_a_circle() {
    assert_eq!(
        value("a.y", "vars: { a: { x: 1, y: '{{ a.x + 1 }}' } }\n"),
        "2"
    );
    let role = shown("{{ a }}");
    let vars = "roles: [r]\nvars:\n  a: '{{ b }}'\n  b: '{{ c }}'\n  c: '{{ a }}'\n";
    let wrong = compile(&[("roles/r/role.yaml", &role), ("hosts/h.yaml", vars)]).unwrap_err();
    assert_eq!(wrong.len(), 1, "{wrong}");
    let first = wrong.iter().next().unwrap();
    assert_eq!((first.code, first.labels.len()), (Code::VariableCycle, 3));
}

#[test]
fn a_long_chain_of_variables_is_refused_and_not_a_crash() {
    let mut vars = "roles: [r]\nvars:\n  v0: end\n".to_owned();
    for number in 1..2000 {
        vars.push_str(&format!("  v{number}: '{{{{ v{} }}}}'\n", number - 1));
    }
    let role = shown("{{ v1999 }}");
    assert_eq!(
        codes(&[("roles/r/role.yaml", &role), ("hosts/h.yaml", &vars)]),
        [Code::Limit]
    );
    let role = shown("{{ v20 }}");
    assert_eq!(
        text(&[("roles/r/role.yaml", &role), ("hosts/h.yaml", &vars)]),
        "end"
    );
}

#[test]
fn a_whole_expression_keeps_its_type() {
    assert_eq!(
        value("v is boolean", "vars: { w: true, v: '{{ w }}' }\n"),
        "True"
    );
    assert_eq!(
        value("v is string", "vars: { w: true, v: ' {{ w }}!' }\n"),
        "True"
    );
}

#[test]
fn undefined_is_an_error_wherever_it_is_read() {
    for expression in [
        "typo",
        "v.typo",
        "v.typo == 1",
        "1 in typo",
        "typo == 1",
        "not typo",
        "typo|upper",
    ] {
        let role = shown(&format!("{{{{ {expression} }}}}"));
        let host = "roles: [r]\nvars: { v: { top: 1 } }\n";
        assert_eq!(
            codes(&[("roles/r/role.yaml", &role), ("hosts/h.yaml", host)]),
            [Code::Undefined],
            "{expression}"
        );
    }
    assert_eq!(value("typo is defined", ""), "False");
}

#[test]
fn values_print_as_in_python() {
    assert_eq!(
        value("[true, none, 'a', 1, {'k': 1.5}]", ""),
        "[True, None, 'a', 1, {'k': 1.5}]"
    );
    assert_eq!(value("true", ""), "True");
}

#[test]
fn filters_do_as_in_ansible() {
    for (expression, expected) in [
        (
            "{'b': [1, 'x'], 'a': none}|to_json",
            "{\"b\": [1, \"x\"], \"a\": null}",
        ),
        (
            "{'b': 1, 'a': 2}|to_nice_json",
            "{\n    \"a\": 2,\n    \"b\": 1\n}",
        ),
        (
            "{'b': [1, {'c': 'yes'}], 'a': {}}|to_nice_yaml",
            "a: {}\nb:\n-   1\n-   c: 'yes'\n",
        ),
        ("('a: 1'|from_yaml).a + ('[2]'|from_json)[0]", "3"),
        ("'ab'|b64encode|b64decode", "ab"),
        ("'web-12'|regex_replace('^web-(\\d+)$', 'n\\1')", "n12"),
        ("'web-12'|regex_search('\\d+')", "12"),
        ("'a1b2'|regex_findall('[a-z](\\d)')", "['1', '2']"),
        (
            "{'a': {'x': 1}}|combine({'a': {'y': 2}}, recursive=true)",
            "{'a': {'x': 1, 'y': 2}}",
        ),
        ("{'a': 1}|dict2items|items2dict", "{'a': 1}"),
        ("true|ternary('y', 'n')", "y"),
        ("\"it's\"|quote", "'it'\"'\"'s'"),
        ("'/a/b.c'|basename ~ '/a/b.c'|dirname", "b.c/a"),
        ("[1, [2, [3]]]|flatten", "[1, 2, 3]"),
        (
            "[1, 2]|union([2, 3])|difference([1])|intersect([3, 2])",
            "[2, 3]",
        ),
        ("['yes'|bool, 'no'|bool, 1|bool]", "[True, False, True]"),
        ("[true, 'a']|join('-')", "True-a"),
        ("'a'.upper() ~ 'x,y'.split(',')[1]", "Ay"),
    ] {
        let written = expression.replace('\\', "\\\\");
        assert_eq!(value(&written, ""), expected, "{expression}");
    }
}

#[test]
fn programs_without_end_are_refused() {
    for bomb in [
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
        "{% set ns = namespace(s=\"x\") %}{% for a in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
        "{{ \"x\" * 1000000000 }}",
        "{{ \"x\".center(1000000000) }}",
        "{{ [1] * 1000000000 }}",
        "{{ \"%1000000000d\"|format(1) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ range(1000000000)|list|length }}",
        "{{ (\"x\" * 100000)|replace(\"x\", \"x\" * 100000) }}",
        "{{ (\"x\" * 100000)|regex_replace(\"x\", \"x\" * 100000) }}",
        "{{ (\"x\\n\" * 100000)|indent(1000000) }}",
    ] {
        let role = "resources:\n  - file: /t\n    template: t.j2\n";
        let wrong = compile(&[
            ("roles/r/role.yaml", role),
            ("roles/r/templates/t.j2", bomb),
            ("hosts/h.yaml", "roles: [r]\n"),
        ]);
        let wrong = wrong.err().unwrap_or_else(|| panic!("{bomb} compiles"));
        let codes: Vec<Code> = wrong.iter().map(|one| one.code).collect();
        assert!(
            codes == [Code::Limit] || codes == [Code::Evaluation],
            "{bomb}: {wrong}"
        );
    }
}

#[test]
fn templates_render_as_ansible_renders_them() {
    let template = "{% if true %}\n  a\n{% endif %}\n{% include 'part.j2' %}\nend\n";
    let files = [
        (
            "roles/r/role.yaml",
            "resources:\n  - file: /t\n    template: t.j2\n",
        ),
        ("roles/r/templates/t.j2", template),
        ("roles/r/templates/part.j2", "part {{ host.name }}"),
        ("hosts/h.yaml", "roles: [r]\n"),
    ];
    assert_eq!(text(&files), "  a\npart hend\n");
}

#[test]
fn long_text_becomes_a_blob() {
    let found = compile(&[
        (
            "roles/r/role.yaml",
            "resources:\n  - file: /t\n    content: \"{{ 'x' * 9000 }}\"\n",
        ),
        ("hosts/h.yaml", "roles: [r]\n"),
    ]);
    let found = found.unwrap();
    assert_eq!(found.blobs.len(), 1);
    assert_eq!(content(&found).len(), 9000);
}

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
