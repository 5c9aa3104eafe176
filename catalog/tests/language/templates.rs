//! Templates: white space, what a template changes, and secrets among all of that.

use holdfast_catalog::diag::Code;

use super::secrets::{all_give, told};
use super::{codes, compile, text};

/// A role whose template is given, with a repo's settings and a resource's attributes.
fn with<'a>(settings: &'a str, role: &'a str, template: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("holdfast.yaml", settings),
        ("roles/r/role.yaml", role),
        ("roles/r/templates/t.j2", template),
        ("hosts/h.yaml", "roles: [r]\n"),
    ]
}

const PLAIN: &str = "resources:\n  - file: /t\n    template: t.j2\n";

fn rendered(template: &str) -> String {
    text(&with("", PLAIN, template))
}

fn refused(template: &str) -> String {
    let wrong = compile(&with("", PLAIN, template));
    wrong
        .err()
        .unwrap_or_else(|| panic!("{template} compiles"))
        .to_string()
}

/// T09 of the conformance set: each option on and off, per repo, per resource and per template.
#[test]
fn white_space_is_as_the_repo_the_resource_or_the_template_says() {
    let template = "a\n  {% if true %}\n  b\n  {% endif %}\nc\n";
    let resource = |more: &str| format!("{PLAIN}    {more}\n");
    let cases = [
        ("", PLAIN.to_owned(), "", "a\n    b\n  c\n"),
        (
            "templates: { lstrip_blocks: true }\n",
            PLAIN.to_owned(),
            "",
            "a\n  b\nc\n",
        ),
        (
            "templates: { trim_blocks: false }\n",
            PLAIN.to_owned(),
            "",
            "a\n  \n  b\n  \nc\n",
        ),
        ("", resource("lstrip_blocks: true"), "", "a\n  b\nc\n"),
        (
            "",
            resource("trim_blocks: false"),
            "",
            "a\n  \n  b\n  \nc\n",
        ),
        (
            "templates: { lstrip_blocks: true }\n",
            resource("lstrip_blocks: false"),
            "",
            "a\n    b\n  c\n",
        ),
        (
            "",
            PLAIN.to_owned(),
            "#jinja2: lstrip_blocks: True\n",
            "a\n  b\nc\n",
        ),
        (
            "templates: { lstrip_blocks: true }\n",
            PLAIN.to_owned(),
            "#jinja2: lstrip_blocks: False, trim_blocks: False\n",
            "a\n  \n  b\n  \nc\n",
        ),
    ];
    for (settings, role, header, expected) in cases {
        let template = format!("{header}{template}");
        let found = text(&with(settings, &role, &template));
        assert_eq!(found, expected, "{settings}{role}{header}");
    }
}

/// T11: nothing is rendered where one variable is undefined, and the error says which and where.
#[test]
fn an_undefined_variable_is_named_with_its_place() {
    let told = refused("a\nb {{ nginx_prot }}\n");
    assert!(told.contains("`nginx_prot` is undefined"), "{told}");
    assert!(told.contains("roles/r/templates/t.j2:2:6"), "{told}");
    let told = refused("{{ nginx_prot | upper }}{{ 1 if a.b == 2 }}");
    assert!(told.contains("`nginx_prot` is undefined"), "{told}");
    assert_eq!(
        codes(&with("", PLAIN, "{{ nope is version('1', '>') }}")),
        [Code::Undefined]
    );
}

#[test]
fn lists_and_mappings_of_a_template_are_changed_safely() {
    let cases = [
        (
            "{% set l = [[1]] %}{% do l.append([2]) %}{{ l.index([2]) }}",
            "1",
        ),
        (
            "{% set a = [] %}{% set b = a %}{% do b.append(1) %}{{ a }}",
            "[1]",
        ),
        (
            "{% set a = [1] %}{% set b = a | list %}{% do b.append(2) %}{{ a }}",
            "[1]",
        ),
        (
            "{% set d = {} %}{% for i in [1, 2] %}{% do d.update({i: i}) %}{% endfor %}{{ d }}",
            "{1: 1, 2: 2}",
        ),
    ];
    for (template, expected) in cases {
        assert_eq!(rendered(template), expected, "{template}");
    }
    for (template, why) in [
        (
            "{% set l = [[1]] %}{% do l.remove(l) %}",
            "is not in the list",
        ),
        ("{% set l = [] %}{% do l.append(l) %}", "cannot hold itself"),
        (
            "{% set a = [] %}{% set b = [a] %}{% do a.append(b) %}",
            "cannot hold itself",
        ),
        (
            "{% set d = {} %}{% do d.update({'x': d}) %}",
            "cannot hold itself",
        ),
        ("{% set d = {} %}{{ d.pop(d) }}", "cannot be the key"),
        ("{% set ns = namespace() %}{% set ns.x = ns %}", "namespace"),
        (
            "{% set ns = namespace() %}{% set ns.x = [[ns]] %}",
            "namespace",
        ),
        ("{% do host.tags.append('x') %}", "would change a variable"),
        (
            "{% set ns = namespace(l=[]) %}{% for i in range(200) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
            "deep",
        ),
    ] {
        let told = refused(template);
        assert!(told.contains(why), "{template}\n{told}");
    }
}

#[test]
fn types_that_have_no_order_are_not_compared() {
    let told = refused("{% if 80 < '443' %}x{% endif %}");
    assert!(
        told.contains("not int and str") && told.contains("is version"),
        "{told}"
    );
    assert_eq!(rendered("{{ 1 < 2 and 'a' <= 'b' and [1] < [2] }}"), "True");
}

#[test]
fn secrets_go_through_what_hands_them_on() {
    all_give(&[
        (
            "{% set l = [] %}{% do l.append(keys.a) %}{{ l[0] }}",
            "[secret:keys.a]",
        ),
        (
            "{% set d = {} %}{% do d.update({'k': keys.b}) %}{{ d.k }}",
            "[secret:keys.b]",
        ),
        (
            "{{ (keys | ansible.builtin.combine({'c': 1})).a }}",
            "[secret:keys.a]",
        ),
        ("{{ true | ternary(keys.a, nope) }}", "[secret:keys.a]"),
        (
            "{{ users | subelements('nope', skip_missing=true) | length }}{{ keys.a }}",
            "0[secret:keys.a]",
        ),
        (
            "#jinja2: variable_start_string: '[[', variable_end_string: ']]'\n<[[ keys.a ]]>",
            "<[secret:keys.a]>",
        ),
        ("{% raw %}\n{% endraw %}{{ keys.a }}", "\n[secret:keys.a]"),
        ("{% do keys.a %}{{ keys.a }}", "[secret:keys.a]"),
        (
            "{{ keys.a if 1 < 2 and 'x' not in ['y'] }}",
            "[secret:keys.a]",
        ),
    ]);
}

#[test]
fn nothing_new_looks_into_a_secret() {
    let mut wrong = Vec::new();
    for text in [
        "{{ db.password | hash('sha1') }}",
        "{{ db.password | password_hash('sha512', 'salt') }}",
        "{{ 'x' | password_hash('sha512', db.password) }}",
        "{{ db.password | to_nice_yaml }}",
        "{{ [db.password] | to_json }}",
        "{{ db.password | regex_search('a') }}",
        "{{ db.password | ansible.builtin.b64encode }}",
        "{{ '%s' | format(db.password) }}",
        "{{ '%s' % db.password }}",
        "{{ '{}'.format(db.password) }}",
        "{{ 'x'.join([db.password]) }}",
        "{{ [1, 2] | random(seed=db.password) }}",
        "{{ users | groupby('password') }}",
        "{{ users | sort(attribute='password') }}",
        "{{ users | pprint }}",
        "{{ db.password is match('a') }}",
        "{{ db.password is version('1', '<') }}",
        "{{ 'x' is eq db.password }}",
        "{{ db.password >= 'a' }}",
        "{{ db.password % 2 }}",
        "{% set l = [db.password] %}{{ l }}",
        "{{ {db.password: 1} }}",
        "#jinja2: variable_start_string: '[[', variable_end_string: ']]'\n[[ keys.a | upper ]]",
        "#jinja2: line_statement_prefix: '%%'\n%% if db.password\nx\n%% endif\n",
    ] {
        wrong.extend(told(text, Code::Secret, "secret:"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn facts_choose_no_secret_by_what_a_template_changes() {
    let mut wrong = Vec::new();
    for text in [
        "{% set l = [] %}{% if facts.yes %}{% do l.append(keys.a) %}{% endif %}{{ l[0] }}",
        "{% set l = [keys.a, keys.b] %}{% if facts.yes %}{% do l.reverse() %}{% endif %}{{ l[0] }}",
        "{% set l = [keys.a, keys.b] %}{% set m = l %}{% if facts.yes %}{% do m.reverse() %}{% endif %}{{ l[0] }}",
        "{% set l = [] %}{% set m = l %}{% if facts.yes %}{% do m.append(1) %}{% endif %}{% do l.append(keys.a) %}{% do l.append(keys.b) %}{{ l[1] }}",
        "{% set l = [] %}{% set m = l %}{% if facts.yes %}{% do m.append(1) %}{% endif %}{% if l %}{{ keys.a }}{% endif %}",
        "{% set l = [] %}{% do l.insert(facts.memory, keys.a) %}{{ l[0] }}",
        "{% set l = [keys.a, keys.b] %}{{ l.pop(facts.memory - 4096) }}",
        "{% set d = {} %}{% do d.update({'k': facts.env}) %}{{ keys[d.k] }}",
        "{% macro put(l) %}{% do l.append(1) %}{% endmacro %}{% set l = [] %}{% if facts.yes %}{{ put(l) }}{% endif %}{% if l %}{{ keys.a }}{% endif %}",
        "{% set c = cycler('a', 'b') %}{% if facts.yes %}{% do c.next() %}{% endif %}{{ keys[c.next()] }}",
        "{% set j = joiner('b') %}{% if facts.yes %}{{ j() }}{% endif %}{{ keys[j() or 'a'] }}",
        "#jinja2: variable_start_string: '[[', variable_end_string: ']]'\n[[ keys[facts.env] ]]",
        "#jinja2: block_start_string: '<%', block_end_string: '%>'\n<% if facts.yes %><% include 'inc.j2' %><% endif %>",
        "#jinja2: line_statement_prefix: '%%'\n%% if facts.yes\n%% include 'inc.j2'\n%% endif\n",
        "{{ facts.yes | ansible.builtin.ternary(keys.a, keys.b) }}",
    ] {
        wrong.extend(told(text, Code::ChosenSecret, "facts"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn operators_of_other_languages_are_told_in_expressions_and_templates() {
    for (wrong, advice) in [
        ("a && b", "write `and`"),
        ("a || b", "write `or`"),
        ("!a", "write `not`"),
        ("1 = 1", "`==` compares"),
        ("host.name == 'h' && true", "write `and`"),
    ] {
        let told = refused(&format!("x\n{{% if {wrong} %}}{{% endif %}}"));
        assert!(told.contains(advice) && told.contains("t.j2:2:"), "{told}");
        let role = format!("resources:\n  - package: a\n    when: \"{wrong}\"\n");
        let told = compile(&with("", &role, "")).unwrap_err().to_string();
        assert!(
            told.contains(advice) && told.contains("role.yaml:3:"),
            "{told}"
        );
    }
}

#[test]
fn a_template_names_others_of_its_role_by_path_or_beside_itself() {
    let files = [
        (
            "roles/r/role.yaml",
            "resources:\n  - file: /t\n    template: etc/a/t.j2\n",
        ),
        (
            "roles/r/templates/etc/a/t.j2",
            "{% include 'b.j2' %}{% include 'etc/c.j2' %}{% include './d.j2' %}",
        ),
        ("roles/r/templates/etc/a/b.j2", "b"),
        ("roles/r/templates/etc/c.j2", "c"),
        ("roles/r/templates/etc/a/d.j2", "under a"),
        ("roles/r/templates/d.j2", "d"),
        ("hosts/h.yaml", "roles: [r]\n"),
    ];
    assert_eq!(text(&files), "bcd");
}
