//! Secrets: handed on and printed, looked into by nothing, and chosen by nobody but the repo.

use holdfast_catalog::diag::Code;
use holdfast_catalog::{Compiled, Diagnostics, HostInput, Piece, Site};
use holdfast_schemas::resource::{Content, Spec};
use holdfast_schemas::secret::Commitment;
use serde_json::json;

use super::support;

/// What looks like an age file; the compiler cannot tell.
pub(super) fn armored(tag: &str) -> String {
    format!(
        "-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCg{tag}==\n-----END AGE ENCRYPTED FILE-----\n"
    )
}

/// The same as a block of YAML under a key.
pub(super) fn block(tag: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let lines = armored(tag);
    let lines = lines.lines().map(|line| format!("{margin}{line}\n"));
    format!("|\n{}", lines.collect::<String>())
}

/// Secrets in every shape: `db.password`, `db.user` in the clear, `keys.a`, `keys.b`, `users`.
pub(super) fn globals() -> String {
    format!(
        "vars:\n  db:\n    user: app\n    password: {}    cache: \"{{{{ facts.memory }}}}\"\n  \
         keys:\n    a: {}    b: {}  users:\n    - name: x\n      live: true\n      password: {}    \
         - name: y\n      live: false\n      password: none\n  env: prod\n  \
         guess: \"{{{{ facts.env }}}}\"\n  url: \"db://{{{{ db.user }}}}:{{{{ db.password }}}}@h\"\n",
        block("P", 6),
        block("A", 6),
        block("B", 6),
        block("U", 8),
    )
}

const ROLE: &str = "resources:\n  - file: /t\n    template: t.j2\n";

pub(super) fn facts() -> serde_json::Value {
    json!({ "memory": 4096, "env": "a", "list": ["a", "b"], "attr": "password", "text": "x", "yes": true })
}

pub(super) fn with(
    files: &[(&str, &str)],
    facts: serde_json::Value,
) -> Result<Compiled, Diagnostics> {
    let site = Site::parse(&support::site(files))?;
    let serde_json::Value::Object(facts) = facts else {
        panic!("facts are a mapping")
    };
    site.compile(&HostInput::new("h".parse().unwrap()).with_facts(facts))
}

/// A template, rendered by a host that has the secrets.
pub(super) fn template(text: &str) -> Result<Compiled, Diagnostics> {
    let more: [(&str, &str); 6] = [
        ("roles/r/templates/env.j2", "{{ facts.env }}"),
        (
            "roles/r/templates/f.j2",
            "{% set picked = facts.env %}{% macro picks() %}{{ facts.env }}{% endmacro %}",
        ),
        ("roles/r/templates/inc.j2", "{{ keys.a }}"),
        ("roles/r/templates/pick.j2", "{{ keys[pick] }}"),
        (
            "roles/r/templates/m.j2",
            "{% macro shown(x) %}<{{ x }}>{% endmacro %}{% macro pick(k) %}{{ keys[k] }}{% endmacro %}",
        ),
        (
            "roles/r/templates/base.j2",
            "{% if facts.yes %}{% block b %}{% endblock %}{% endif %}",
        ),
    ];
    let globals = globals();
    let mut files = vec![
        ("globals.yaml", globals.as_str()),
        ("hosts/h.yaml", "roles: [r]\n"),
        ("roles/r/role.yaml", ROLE),
        ("roles/r/templates/t.j2", text),
    ];
    files.extend(more);
    with(&files, facts())
}

/// The one content, secrets by their names.
pub(super) fn sealed(compiled: &Compiled) -> String {
    let Spec::File(file) = &compiled.catalog.resources[0].spec else {
        panic!("not a file")
    };
    let Some(Content::Sealed {
        commitment: Commitment::Draft(draft),
        secrets,
    }) = &file.content
    else {
        panic!("not sealed: {:?}", file.content)
    };
    let content = &compiled.sealed[draft];
    assert_eq!(&content.secrets(), secrets);
    assert_eq!(content.draft(), Commitment::Draft(*draft));
    let pieces = content.pieces.iter().map(|piece| match piece {
        Piece::Sensitive { name, .. } => format!("<{name}>"),
        Piece::Text(text) => text.to_string(),
        Piece::Secret {
            name, encrypted, ..
        } => {
            assert!(encrypted.starts_with(b"-----BEGIN AGE"));
            format!("[{name}]")
        }
    });
    pieces.collect()
}

/// What is not as it should be with a template that is to be refused.
pub(super) fn told(text: &str, code: Code, name: &str) -> Option<String> {
    let wrong = match template(text) {
        Ok(compiled) => return Some(format!("{text} compiles: {:?}", compiled.sealed)),
        Err(wrong) => wrong,
    };
    let told = wrong.to_string();
    let codes = wrong.iter().all(|one| one.code == code);
    let named = told.contains(name);
    let hidden = !told.contains("YWdlLWV") && !told.contains('\u{FDD0}');
    (!(codes && named && hidden)).then(|| format!("{text}\n{told}"))
}

pub(super) fn all_give(cases: &[(&str, &str)]) {
    let wrong = cases
        .iter()
        .filter_map(|(text, given)| match template(text) {
            Err(wrong) => Some(format!("{text}\n{wrong}")),
            Ok(compiled) => {
                let found = sealed(&compiled);
                (found != *given).then(|| format!("{text} gives {found}"))
            }
        });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn secrets_are_printed_and_handed_on() {
    all_give(&[
        ("{{ db.password }}", "[secret:db.password]"),
        (
            "a {{ db.user }}:{{ db.password }}\n",
            "a app:[secret:db.password]\n",
        ),
        ("{{ url }}", "db://app:[secret:db.password]@h"),
        ("{{ global.db.password }}", "[secret:db.password]"),
        (
            "{{ db['password'] }}{{ keys[env|replace('prod', 'b')] }}",
            "[secret:db.password][secret:keys.b]",
        ),
        ("{{ db.password|default('x') }}", "[secret:db.password]"),
        (
            "{{ db.nothing|default(db.password) }}",
            "[secret:db.password]",
        ),
        (
            "{% if db.password is defined %}{{ db.password }}{% endif %}",
            "[secret:db.password]",
        ),
        (
            "{{ db.password if env == 'prod' else 'x' }}",
            "[secret:db.password]",
        ),
        (
            "{% set p = db.password %}{{ p }}{{ p }}",
            "[secret:db.password][secret:db.password]",
        ),
        (
            "{% set p %}<{{ db.password }}>{% endset %}{{ p }}",
            "<[secret:db.password]>",
        ),
        (
            "{% with p = keys.a %}{{ p }}{% endwith %}",
            "[secret:keys.a]",
        ),
        (
            "{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(db.password) }}",
            "<[secret:db.password]>",
        ),
        (
            "{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}{{ keys.a }}{% endcall %}",
            "<[secret:keys.a]>",
        ),
        (
            "{% from 'm.j2' import shown %}{{ shown(keys.a) }}",
            "<[secret:keys.a]>",
        ),
        (
            "{% import 'm.j2' as m %}{{ m.shown(x=keys.a) }}{{ m.pick('b') }}",
            "<[secret:keys.a]>[secret:keys.b]",
        ),
        ("x{% include 'inc.j2' %}", "x[secret:keys.a]"),
        (
            "{% for k in keys.values() %}{{ k }},{% endfor %}",
            "[secret:keys.a],[secret:keys.b],",
        ),
        (
            "{% for u in users|selectattr('live') %}{{ u.name }}:{{ u.password }}{% endfor %}",
            "x:[secret:users.0.password]",
        ),
        (
            "{{ (keys|combine({'c': 1})).a }}{{ keys|length }}",
            "[secret:keys.a]2",
        ),
        (
            "{{ [keys.a, keys.b]|last }}{{ ([keys.a] + [keys.b])[0] }}",
            "[secret:keys.b][secret:keys.a]",
        ),
        (
            "{{ keys.get('a') }}{{ dict(x=keys.b).x }}",
            "[secret:keys.a][secret:keys.b]",
        ),
        (
            "{{ (env == 'prod')|ternary(keys.a, keys.b) }}",
            "[secret:keys.a]",
        ),
        (
            "{% set ns = namespace(p=keys.a) %}{{ ns.p }}",
            "[secret:keys.a]",
        ),
        (
            "{% filter upper %}a{% endfilter %}{{ keys.a }}",
            "A[secret:keys.a]",
        ),
        (
            "{% set unused %}{{ keys.a }}{% endset %}{{ keys.b }}",
            "[secret:keys.b]",
        ),
    ]);
}

#[test]
fn facts_and_secrets_stand_side_by_side() {
    all_give(&[
        (
            "{{ facts.memory }}{{ db.password }}",
            "4096[secret:db.password]",
        ),
        (
            "{% if facts.memory > 1 %}big{% endif %} {{ db.password }}",
            "big [secret:db.password]",
        ),
        (
            "{% for x in facts.list %}{{ x }}{% endfor %}{{ keys.a }}",
            "ab[secret:keys.a]",
        ),
        (
            "{{ db.cache }} {{ db.password }}",
            "4096 [secret:db.password]",
        ),
        (
            "{% for k, v in db.items() %}{{ k }}={{ v }};{% endfor %}",
            "user=app;password=[secret:db.password];cache=4096;",
        ),
        (
            "{% set big = facts.memory > 1 %}{{ 'b' if big else 's' }}{{ keys.a }}",
            "b[secret:keys.a]",
        ),
        (
            "{% from 'm.j2' import shown %}{{ shown(facts.text) }}{{ shown(keys.a) }}",
            "<x><[secret:keys.a]>",
        ),
        (
            "{% macro line(c, v) %}{% if c %}{{ v }}{% endif %}{% endmacro %}{{ line(facts.yes, 'x') }}{{ line(true, keys.a) }}",
            "x[secret:keys.a]",
        ),
        (
            "{{ facts.text|default('y') }}{{ facts.list|join(',') }}{{ keys.a }}",
            "xa,b[secret:keys.a]",
        ),
    ]);
}

#[test]
fn nothing_looks_into_a_secret() {
    let mut wrong = Vec::new();
    for text in [
        "{{ db.password|upper }}",
        "{{ db.password|length }}",
        "{{ db.password|string }}",
        "{{ db.password|b64encode }}",
        "{{ db.password|quote }}",
        "{{ db.password|trim }}",
        "{{ db.password|first }}",
        "{{ db.password|list }}",
        "{{ db.password|replace('a', 'b') }}",
        "{{ db.password|default('x', true) }}",
        "{{ db.password|ternary('x', 'y') }}",
        "{{ 'x'|replace('x', db.password) }}",
        "{{ 'x'|indent(db.password) }}",
        "{{ db.password == 'x' }}",
        "{{ 'x' != db.password }}",
        "{{ db.password < 'x' }}",
        "{{ 1 < 2 < db.password }}",
        "{{ 'x' in db.password }}",
        "{{ db.password in ['x'] }}",
        "{{ 'x' in [db.password] }}",
        "{{ db.password[0] }}",
        "{{ db.password[1:] }}",
        "{{ db.password.x }}",
        "{{ db.password.x|default('y') }}",
        "{{ db.password.upper() }}",
        "{{ db.password.startswith('x') }}",
        "{{ '{}'.format(db.password) }}",
        "{{ '-'.join([db.password]) }}",
        "{{ '%s' % db.password }}",
        "{{ 'x' ~ db.password }}",
        "{{ 'x' + db.password }}",
        "{{ db.password * 2 }}",
        "{{ -db.password }}",
        "{{ not db.password }}",
        "{{ db.password and 'x' }}",
        "{{ db.password or 'x' }}",
        "{{ 'x' if db.password else 'y' }}",
        "{% if db.password %}x{% endif %}",
        "{% if env == 'x' %}{% elif db.password %}x{% endif %}",
        "{% for c in db.password %}{{ c }}{% endfor %}",
        "{% for c in [db.password] if c %}{{ c }}{% endfor %}",
        "{{ db.password is string }}",
        "{{ db.password is eq 'x' }}",
        "{{ 'x' is eq db.password }}",
        "{{ 'x' is eq(db.password) }}",
        "{{ 'x' is in [db.password] }}",
        "{{ {db.password: 1}|length }}",
        "{{ keys[db.password] }}",
        "{{ [db.password] }}",
        "{{ keys }}",
        "{{ keys|to_json }}",
        "{{ keys|to_nice_yaml }}",
        "{{ keys|dictsort }}",
        "{{ [keys.a, keys.b]|sort }}",
        "{{ [keys.a, keys.b]|join(',') }}",
        "{{ [keys.a, keys.a]|unique }}",
        "{{ [keys.a]|map('upper')|list }}",
        "{{ users|selectattr('password', 'eq', 'x')|list }}",
        "{{ users|map(attribute='password')|join }}",
        "{{ [keys.a]|select }}",
        "{% filter upper %}{{ db.password }}{% endfilter %}",
        "{% filter replace('q', 'r') %}{{ db.password }}{% endfilter %}",
        "{% set x | upper %}{{ db.password }}{% endset %}{{ x }}",
        "{% set x %}{{ db.password }}{% endset %}{{ x|upper }}",
        "{% set x %}{{ db.password }}{% endset %}{{ x|length }}",
        "{% macro m() %}{{ db.password }}{% endmacro %}{{ m()|upper }}",
        "{% macro m() %}{{ db.password }}{% endmacro %}{{ 'x' ~ m() }}",
        "{% macro m() %}{{ caller()|upper }}{% endmacro %}{% call m() %}{{ db.password }}{% endcall %}",
        "{{ url == 'x' }}",
    ] {
        wrong.extend(told(text, Code::Secret, "secret:"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn facts_choose_no_secret() {
    let mut wrong = Vec::new();
    for text in [
        "{{ keys[facts.env] }}",
        "{{ keys.get(facts.env) }}",
        "{{ keys[guess] }}",
        "{{ (keys|combine({}))[guess] }}",
        "{% set k = facts.env %}{{ keys[k] }}",
        "{% set k = 'b' %}{% if facts.yes %}{% set k = 'a' %}{% endif %}{{ keys[k] }}",
        "{% set k %}{{ facts.env }}{% endset %}{{ keys[k] }}",
        "{% set ns = namespace(k='b') %}{% if facts.yes %}{% set ns.k = 'a' %}{% endif %}{{ keys[ns.k] }}",
        "{% with k = facts.env %}{{ keys[k] }}{% endwith %}",
        "{{ keys.a if facts.yes else 'x' }}",
        "{{ keys.a if facts.memory > 1 else keys.b }}",
        "{{ facts.nothing|default(keys.a) }}",
        "{{ facts.yes|ternary(keys.a, keys.b) }}",
        "{{ facts.yes and keys.a }}",
        "{{ [keys.a, keys.b][facts.memory - 4096] }}",
        "{{ [keys.a, keys.b][facts.memory - 4095:]|first }}",
        "{% if facts.yes %}{{ keys.a }}{% endif %}",
        "{% if not facts.yes %}{% else %}{% if env == 'x' %}{% endif %}{{ keys.a }}{% endif %}",
        "{% if not facts.yes %}{% elif env == 'prod' %}{{ keys.a }}{% endif %}",
        "{% if db.cache > 1 %}{{ keys.a }}{% endif %}",
        "{% for x in facts.list %}{{ keys.a }}{% endfor %}",
        "{% for x in facts.list %}{{ keys[x] }}{% endfor %}",
        "{% for k in keys if k == facts.env %}{{ keys[k] }}{% endfor %}",
        "{% for k in keys %}{% if k != facts.env %}{% continue %}{% endif %}{{ keys[k] }}{% endfor %}",
        "{% for k in keys %}{{ keys[k] }}{% if k == facts.env %}{% break %}{% endif %}{% endfor %}",
        "{% for x in facts.list %}{% else %}{{ keys.a }}{% endfor %}{% if facts.list|length %}{{ keys.a }}{% endif %}",
        "{% if facts.yes %}{% set p = keys.a %}{% endif %}{{ p }}",
        "{% set p = keys.a %}{% if facts.yes %}{% set p = keys.b %}{% endif %}{{ p }}",
        "{% if facts.yes %}{% set p %}{{ keys.a }}{% endset %}{% endif %}{{ p }}",
        "{% if facts.yes %}{% include 'inc.j2' %}{% endif %}",
        "{% if facts.yes %}\n  {%- include 'inc.j2' -%}\n{% endif %}",
        "{% include facts.text|replace('x', 'inc.j2') %}",
        "{% set pick = facts.env %}{% include 'pick.j2' %}",
        "{% macro m(k) %}{{ keys[k] }}{% endmacro %}{{ m(facts.env) }}",
        "{% from 'm.j2' import pick %}{{ pick(facts.env) }}",
        "{% import 'm.j2' as m %}{{ m.pick(k=facts.env) }}",
        "{% macro m() %}{{ caller() }}{% endmacro %}{% if facts.yes %}{% call m() %}{{ keys.a }}{% endcall %}{% endif %}",
        "{% macro m(k) %}{{ keys[k] }}{{ caller() }}{% endmacro %}{% call m(facts.env) %}{% endcall %}",
        "{% macro m() %}{{ caller(facts.env) }}{% endmacro %}{% call(k) m() %}{{ keys[k] }}{% endcall %}",
        "{% macro put(ns) %}{% set ns.p = keys.a %}{% endmacro %}{% set ns = namespace(p='') %}{% if facts.yes %}{{ put(ns) }}{% endif %}{{ ns.p }}",
        "{% macro m(x=facts.env) %}{{ keys[x] }}{% endmacro %}{{ m() }}",
        "{% macro m(d) %}{% if d.cache > 1 %}{{ keys.a }}{% endif %}{% endmacro %}{{ m(db) }}",
        "{% macro put(ns, k) %}{% set ns.p = keys[k] %}{% endmacro %}{% macro via(ns, k) %}{{ put(ns, k) }}{% endmacro %}{% set ns = namespace(p='') %}{{ via(ns, facts.env) }}{{ ns.p }}",
        "{% extends 'base.j2' %}{% block b %}{{ keys.a }}{% endblock %}",
        "{% extends facts.text|replace('x', 'inc.j2') %}",
        "{% if 'x' in facts.text %}{{ keys.a }}{% endif %}",
        "{% filter upper %}{% if facts.yes %}x{% endif %}{% endfilter %}{% if facts.yes %}{{ url }}{% endif %}",
        "{{ users|selectattr('name', 'eq', facts.text)|map(attribute='password')|first }}",
    ] {
        wrong.extend(told(text, Code::ChosenSecret, "facts"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
