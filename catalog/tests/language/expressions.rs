//! What expressions and templates give, and when they end.

use holdfast_catalog::diag::Code;

use crate::{codes, compile, content, shown, text, value};

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
            "a: {}\nb:\n- 1\n-   c: 'yes'\n",
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
