//! What stands for secrets in text cannot be made by anybody else: not by facts, not by the text of
//! the repo, not by what is printed, and not by what captures or filters text.

use holdfast_catalog::diag::Code;
use holdfast_catalog::{Compiled, Diagnostics, Piece};
use holdfast_schemas::resource::{Content, Spec};
use proptest::prelude::*;
use serde_json::json;

use super::secrets::{globals, sealed, template, with};

/// The noncharacters around a mark.
const OPEN: &str = "\u{FDD0}";
const CLOSE: &str = "\u{FDD1}";

/// A host whose facts are what somebody on it likes them to be.
fn forged(text: &str, facts: serde_json::Value) -> Result<Compiled, Diagnostics> {
    let globals = globals();
    with(
        &[
            ("globals.yaml", globals.as_str()),
            ("hosts/h.yaml", "roles: [r]\n"),
            (
                "roles/r/role.yaml",
                "resources:\n  - file: /t\n    template: t.j2\n",
            ),
            ("roles/r/templates/t.j2", text),
        ],
        facts,
    )
}

/// The secrets in all contents, in their order, by name.
fn secrets(compiled: &Compiled) -> Vec<String> {
    let pieces = compiled.sealed.values().flat_map(|one| &one.pieces);
    let names = pieces.filter_map(|piece| match piece {
        Piece::Text(text) => {
            assert!(!text.contains([OPEN, CLOSE].map(|one| one.chars().next().unwrap())));
            None
        }
        Piece::Secret { name, .. } | Piece::Sensitive { name, .. } => Some(name.to_string()),
    });
    names.collect()
}

/// What the first 64 digits of a nonce in a text are.
fn nonce_in(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let hex = |at: usize| {
        let run = bytes.get(at..at + 65)?;
        let (digits, colon) = run.split_at(64);
        let lower = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        (digits.iter().all(lower) && colon == b":").then(|| text[at..at + 65].to_owned())
    };
    (0..bytes.len()).find_map(hex)
}

#[test]
fn a_mark_in_facts_is_refused_or_stays_text() {
    for fact in [
        OPEN.to_owned(),
        CLOSE.to_owned(),
        format!("{OPEN}{CLOSE}"),
        format!("{OPEN}0{CLOSE}"),
        format!("{OPEN}:0{CLOSE}"),
        format!("{OPEN}{}:1{CLOSE}", "0".repeat(64)),
        format!("{OPEN}secret:keys.b{CLOSE}"),
        format!("{CLOSE}{OPEN}"),
    ] {
        for text in [
            "{{ facts.x }}{{ keys.a }}{{ facts.x }}",
            "{{ keys.a }}{{ facts.x }}",
            "{{ facts.x }}",
            "{% set t %}{{ facts.x }}{% endset %}{{ t }}",
            "{% macro m(x) %}{{ x }}{{ keys.a }}{% endmacro %}{{ m(facts.x) }}",
            "{% filter upper %}{{ facts.x }}{% endfilter %}{{ keys.a }}",
            "{{ [facts.x] }}{{ keys.a }}",
            "{{ facts.x|_captured }}",
            "{% set p %}{{ keys.a }}{{ facts.x }}{% endset %}{{ p }}",
        ] {
            let wrong = forged(text, json!({ "x": fact })).expect_err(text);
            assert!(wrong.iter().all(|one| one.code == Code::Secret), "{wrong}");
            let told = wrong.to_string();
            assert!(!told.contains("keys.b"), "{told}");
        }
    }
    // What a secret prints as for people is text like any other.
    let plain = forged(
        "{{ facts.x }} {{ keys.a }}",
        json!({ "x": "secret:keys.b" }),
    );
    assert_eq!(sealed(&plain.unwrap()), "secret:keys.b [secret:keys.a]");
}

#[test]
fn a_mark_as_the_value_of_an_attribute_is_text() {
    let globals = globals();
    let role = "resources:\n  - file: /t\n    content: \"{{ facts.x }}\"\n";
    let files = [
        ("globals.yaml", globals.as_str()),
        ("hosts/h.yaml", "roles: [r]\n"),
        ("roles/r/role.yaml", role),
    ];
    let fact = format!("{OPEN}1{CLOSE}");
    let compiled = with(&files, json!({ "x": fact })).unwrap();
    let Spec::File(file) = &compiled.catalog.resources[0].spec else {
        panic!("not a file")
    };
    assert_eq!(file.content, Some(Content::Text(fact)));
    assert!(compiled.sealed.is_empty());
}

#[test]
fn marks_in_the_text_of_the_repo_are_refused() {
    for text in [
        format!("{OPEN}{{{{ keys.a }}}}"),
        format!("{{{{ keys.a }}}}{CLOSE}"),
        format!("{OPEN}0{CLOSE}"),
        format!("{{{{ '{OPEN}1{CLOSE}' }}}}{{{{ keys.a }}}}"),
        format!("{{% raw %}}{OPEN}{{% endraw %}}{{{{ keys.a }}}}"),
        "{{ '\\uFDD0' }}{{ keys.a }}{{ '\\uFDD1' }}".to_owned(),
    ] {
        let wrong = template(&text).expect_err(&text);
        assert!(wrong.iter().all(|one| one.code == Code::Secret), "{wrong}");
    }
}

#[test]
fn the_marks_of_yesterday_are_worth_nothing_today() {
    // A repo that prints everything there is hands out the nonce; with it in the facts there is
    // another nonce.
    let nonce = |facts: serde_json::Value| {
        let compiled = forged("{{ debug() }}", facts).ok()?;
        let Spec::File(file) = &compiled.catalog.resources[0].spec else {
            return None;
        };
        let text = match file.content.as_ref()? {
            Content::Text(text) => text.clone(),
            Content::Blob { digest, .. } => {
                String::from_utf8_lossy(&compiled.blobs[digest]).into_owned()
            }
            Content::Sealed { .. } => return None,
        };
        nonce_in(&text)
    };
    let Some(known) = nonce(json!({ "x": "a" })) else {
        return; // It is not even shown.
    };
    let fact = format!("{OPEN}{known}1{CLOSE}");
    for text in ["{{ facts.x }}", "{{ facts.x }}{{ keys.a }}"] {
        let wrong = forged(text, json!({ "x": fact })).expect_err(text);
        assert!(wrong.iter().all(|one| one.code == Code::Secret), "{wrong}");
    }
}

#[test]
fn captured_text_stays_whole_or_is_refused() {
    let mut wrong = Vec::new();
    for text in [
        "{% filter upper %}{% include 'inc.j2' %}{% endfilter %}",
        "{% filter indent(2) %}a\n{{ keys.a }}{% endfilter %}",
        "{% filter upper|lower %}{{ keys.a }}{% endfilter %}",
        "{% filter upper %}{% filter lower %}{{ keys.a }}{% endfilter %}{% endfilter %}",
        "{% macro m() %}{% filter trim %} {{ keys.a }} {% endfilter %}{% endmacro %}{{ m() }}",
        "{% macro m() %}{{ caller()|indent }}{% endmacro %}{% call m() %}{{ keys.a }}{% endcall %}",
        "{% set x | trim %}{% include 'inc.j2' %}{% endset %}{{ x }}",
        "{% set x %}{% include 'inc.j2' %}{% endset %}{{ x[0] }}",
        "{% set x %}{{ keys.a }}{% endset %}{% set y = x %}{{ y|reverse }}",
        "{% set x %}{{ keys.a }}{% endset %}{{ x.split('') }}",
        "{% set x %}{{ keys.a }}{% endset %}{% for c in x %}{{ c }}{% endfor %}",
        "{% set x %}{{ keys.a }}{% endset %}{{ x ~ '' }}",
        "{% set x %}{{ keys.a }}{% endset %}{{ [x]|join }}",
        "{% set x %}{{ keys.a }}{% endset %}{{ {'a': x}|to_json }}",
        "{% from 'm.j2' import shown %}{{ shown(keys.a)|replace('<', '') }}",
        "{% from 'm.j2' import shown %}{{ shown(shown(keys.a)|upper) }}",
        "{% block c %}{{ keys.a }}{% endblock %}{{ self.c()|upper }}",
        "{% block c %}{{ keys.a }}{% endblock %}{{ self.c() ~ 'x' }}",
        "{% for x in [[keys.a]] recursive %}{{ x if x is string else loop(x)|upper }}{% endfor %}",
    ] {
        match template(text) {
            Ok(compiled) => wrong.push(format!("{text} gives {}", sealed(&compiled))),
            Err(told) if told.iter().any(|one| one.code == Code::Secret) => {}
            Err(told) => wrong.push(format!("{text}\n{told}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (text, given) in [
        (
            "{% set x %}a{% include 'inc.j2' %}{% endset %}{% set y %}[{{ x }}]{% endset %}{{ y }}",
            "[a[secret:keys.a]]",
        ),
        (
            "{% from 'm.j2' import shown %}{{ shown(shown(keys.a)) }}",
            "<<[secret:keys.a]>>",
        ),
        (
            "{% block c %}{{ keys.a }}{% endblock %}{{ self.c() }}",
            "[secret:keys.a][secret:keys.a]",
        ),
        (
            "{% macro m() %}{{ caller() }}{{ caller() }}{% endmacro %}{% call m() %}{{ keys.a }}{% endcall %}",
            "[secret:keys.a][secret:keys.a]",
        ),
        (
            "{% filter upper|replace('A', facts.env)|trim %} a {% endfilter %}{{ keys.a }}",
            "a[secret:keys.a]",
        ),
        (
            "{% set x | upper|default('', true) %}{{ facts.text }}{% endset %}{{ x }}{{ keys.a }}",
            "X[secret:keys.a]",
        ),
        (
            "{% autoescape true %}<{{ keys.a }}>{% endautoescape %}",
            "<[secret:keys.a]>",
        ),
        (
            "{% set x %}{{ keys.a }}{% endset %}{% with y = x %}{% include 'inc.j2' %}{{ y }}{% endwith %}",
            "[secret:keys.a][secret:keys.a]",
        ),
    ] {
        match template(text) {
            Ok(compiled) => assert_eq!(sealed(&compiled), given, "{text}"),
            Err(told) => panic!("{text}\n{told}"),
        }
    }
}

#[test]
fn facts_beside_secrets_choose_nothing() {
    for (text, given) in [
        (
            "{% set d = {'m': facts.memory, 'p': keys.a} %}{{ d.m }} {{ d.p }}",
            "4096 [secret:keys.a]",
        ),
        (
            "{% for k, v in {'m': facts.memory, 'p': keys.a}.items() %}{{ k }}={{ v }};{% endfor %}",
            "m=4096;p=[secret:keys.a];",
        ),
        (
            "{% for v in [facts.memory, keys.a] %}{{ loop.index }}{{ v }}{% if not loop.last %},{% endif %}{% endfor %}",
            "14096,2[secret:keys.a]",
        ),
        (
            "{% macro pair(k, v) %}{{ k }}={{ v }}{% endmacro %}{{ pair('m', facts.memory) }} {{ pair('p', keys.a) }}",
            "m=4096 p=[secret:keys.a]",
        ),
        (
            "{% macro conf(d) %}{{ d.m }} {{ d.p }}{% endmacro %}{{ conf({'m': facts.memory, 'p': keys.a}) }}",
            "4096 [secret:keys.a]",
        ),
        (
            "{% set s %}{{ facts.memory }} {{ keys.a }}{% endset %}[{{ s }}]",
            "[4096 [secret:keys.a]]",
        ),
        (
            "{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}{{ facts.memory }} {{ keys.a }}{% endcall %}",
            "<4096 [secret:keys.a]>",
        ),
        (
            "{% macro m() %}{{ facts.memory }}{% endmacro %}{{ m() }} {{ m()|length }} {{ keys.a }}",
            "4096 4 [secret:keys.a]",
        ),
        (
            "{% include 'env.j2' %}{{ keys.a }}{% set s %}{% include 'env.j2' %}{{ keys.b }}{% endset %}{{ s }}",
            "a[secret:keys.a]a[secret:keys.b]",
        ),
        (
            "{% for u in users if u.live %}{{ u.name }} {{ u.password|default('none') }}{% endfor %}{{ facts.memory }}",
            "x [secret:users.0.password]4096",
        ),
        (
            "{% set l = [facts.memory, keys.a]|reverse|list %}{{ l[0] }}{{ l|length }}",
            "[secret:keys.a]2",
        ),
        (
            "{% import 'f.j2' as m %}{{ m.picks() }} {{ m.picked }} {{ keys.a }}",
            "a a [secret:keys.a]",
        ),
    ] {
        match template(text) {
            Ok(compiled) => assert_eq!(sealed(&compiled), given, "{text}"),
            Err(told) => panic!("{text}\n{told}"),
        }
    }
}

#[test]
fn more_ways_by_which_facts_choose_no_secret() {
    let mut wrong = Vec::new();
    for text in [
        "{% set ns = namespace(i=0) %}{% for x in facts.list %}{% set ns.i = ns.i + 1 %}{% endfor %}{{ [keys.a, keys.b][ns.i - 1] }}",
        "{% for x in facts.list %}{{ loop.cycle(keys.a, keys.b) }}{% endfor %}",
        "{% for i in range(facts.list|length) %}{{ keys.a }}{% endfor %}",
        "{% for k, v in keys.items() %}{% if k == facts.env %}{{ v }}{% endif %}{% endfor %}",
        "{% for k, v in keys|dictsort %}{% if k == facts.env %}{{ v }}{% endif %}{% endfor %}",
        "{% set ns = namespace(f=false) %}{% for k in keys %}{% set ns.f = k == facts.env %}{% if ns.f %}{{ keys[k] }}{% endif %}{% endfor %}",
        "{{ keys|attr(facts.env) }}",
        "{{ users|map(attribute=facts.attr)|list }}",
        "{{ ([keys.a, keys.b]|batch(facts.list|length)|list)[0][0] }}",
        "{{ ([keys.a, keys.b]|slice(facts.list|length)|list)[0][0] }}",
        "{{ (keys|combine({facts.env: 'x'})).a }}",
        "{% set a, b = facts.list %}{{ keys[a] }}",
        "{% for a, b in [facts.list] %}{{ keys[a] }}{% endfor %}",
        "{{ dict(a=keys.a, b=keys.b)[facts.env] }}",
        "{{ {'a': keys.a, 'b': keys.b}[facts.env] }}",
        "{{ {facts.env: keys.a}.a|default('') }}",
        "{{ keys[facts.env ~ ''] }}",
        "{{ keys['a'.replace('a', facts.env)] }}",
        "{{ (keys.items()|list)[facts.memory - 4096][1] }}",
        "{{ keys.a if facts.env in ['a'] }}",
        "{% set t %}{% if facts.yes %}{{ keys.a }}{% endif %}{% endset %}{{ t }}",
        "{% macro m() %}{% if facts.yes %}{{ keys.a }}{% endif %}{% endmacro %}{{ m() }}",
        "{% macro m(c) %}{% if c %}{{ keys.a }}{% endif %}{% endmacro %}{{ m(facts.yes) }}",
        "{% macro m(c) %}{{ keys.a if c else keys.b }}{% endmacro %}{% macro n(c) %}{{ m(c) }}{% endmacro %}{{ n(facts.yes) }}",
        "{% macro m() %}{{ keys.a }}{% endmacro %}{{ m() if facts.yes }}",
        "{% macro a() %}{{ keys.a }}{% endmacro %}{% macro b() %}{{ keys.b }}{% endmacro %}{{ {'a': a, 'b': b}[facts.env]() }}",
        "{% macro a() %}{{ keys.a }}{% endmacro %}{% set f = a if facts.yes else shown %}{{ f() }}",
        "{% import 'm.j2' as m %}{% if facts.yes %}{{ m.pick('a') }}{% endif %}",
        "{% import 'm.j2' as m %}{% if facts.yes %}{{ m.shown(keys.a) }}{% endif %}",
        "{% filter replace('a', facts.env) %}a{% endfilter %}{% if facts.yes %}{% filter upper %}{% endfilter %}{{ keys.a }}{% endif %}",
        "{% filter default(keys.a, true) %}{% if facts.yes %}x{% endif %}{% endfilter %}",
        "{% filter ternary(keys.a, keys.b) %}{% if facts.yes %}x{% endif %}{% endfilter %}",
        "{% filter upper|default(keys.a, true) %}{{ facts.text }}{% endfilter %}",
        "{% set x | default(keys.a, true) %}{% if facts.yes %}x{% endif %}{% endset %}{{ x }}",
        "{% set x | trim | ternary(keys.a, keys.b) %}{{ facts.text }}{% endset %}{{ x }}",
        "{% macro k() %}{{ facts.env }}{% endmacro %}{{ keys[k()] }}",
        "{% macro k() %}{{ facts.env }}{% endmacro %}{{ keys[k()|trim] }}",
        "{% macro k() %}{% if facts.yes %}a{% endif %}{% endmacro %}{{ keys[k()] }}",
        "{% macro k() %}{% if facts.yes %}a{% endif %}{% endmacro %}{% if k() %}{{ keys.a }}{% endif %}",
        "{% macro k() %}{{ facts.env }}{% endmacro %}{% set f = k %}{{ keys[f()] }}",
        "{% macro k(x) %}{{ x }}{% endmacro %}{{ keys[k(facts.env)] }}",
        "{% macro k() %}{{ facts.env }}{% endmacro %}{% set d = {'k': k} %}{{ keys[d.k()] }}",
        "{% macro outer() %}{{ inner() }}{% endmacro %}{% macro inner() %}{{ facts.env }}{% endmacro %}{{ keys[outer()] }}",
        "{% macro m() %}{{ keys[caller()] }}{% endmacro %}{% call m() %}{{ facts.env }}{% endcall %}",
        "{% macro m() %}{% if caller() %}{{ keys.a }}{% endif %}{% endmacro %}{% call m() %}{% if facts.yes %}x{% endif %}{% endcall %}",
        "{% block c %}{{ facts.env }}{% endblock %}{{ keys[self.c()] }}",
        "{% from 'f.j2' import picks %}{{ keys[picks()] }}",
        "{% from 'f.j2' import picks as other %}{{ keys[other()] }}",
        "{% import 'f.j2' as m %}{{ keys[m.picks()] }}",
        "{% import 'f.j2' as m %}{{ keys[m.picked] }}",
        "{% import 'f.j2' as m %}{{ keys[m['picked']] }}",
        "{% from 'f.j2' import picked %}{{ keys[picked] }}",
        "{% from 'f.j2' import picked as y %}{{ keys[y] }}",
        "{% from 'm.j2' import pick as p %}{% set d = {'k': facts.env} %}{{ p(d.k) }}",
        "{% from 'm.j2' import pick as p %}{% set q = p %}{% set d = {'k': facts.env} %}{{ q(d.k) }}",
        "{% set k %}{% include 'env.j2' %}{% endset %}{{ keys[k] }}",
        "{% set k %}{{ facts.text }}{% endset %}{{ k|replace('x', '')|default(keys.a, true) }}",
        "{% set k %}{{ facts.text }}{% endset %}{{ k|default(keys.a, true) }}",
        "{% set k %}{{ facts.text }}{% endset %}{% for c in k %}{{ keys.a }}{% endfor %}",
        "{% set k %}{{ facts.text }}{% endset %}{% for c in k|list %}{{ keys.a }}{% endfor %}",
        "{% set d = {'l': facts.list} %}{% for x in d.l %}{{ keys.a }}{% endfor %}",
        "{% set d = {'l': facts.list} %}{% for x in d.l|list %}{{ keys.a }}{% endfor %}",
        "{% set d = {'l': facts.list} %}{% for x in d['l'] %}{{ keys.a }}{% endfor %}",
        "{% set d = {'l': facts.list} %}{% for x in d.values()|first %}{{ keys.a }}{% endfor %}",
        "{% for l in [facts.list] %}{% for x in l %}{{ keys.a }}{% endfor %}{% endfor %}",
        "{% for l in [facts.list]|flatten %}{{ keys.a }}{% endfor %}",
        "{% for k, l in {'l': facts.list}.items() %}{% for x in l %}{{ keys.a }}{% endfor %}{% endfor %}",
        "{% set d = {'n': facts.list|length} %}{% for i in range(d.n) %}{{ keys.a }}{% endfor %}",
        "{% set d = db %}{% for i in range(d.cache - 4095) %}{{ keys.a }}{% endfor %}",
        "{% set d = {'t': facts.text} %}{{ d.t|default(keys.a, true) }}",
        "{% set d = {'t': facts.text} %}{{ d.t|ternary(keys.a, keys.b) }}",
        "{% set d = {'t': facts.text} %}{{ keys.a if d.t else '' }}",
        "{% set d = {'k': facts.env} %}{{ keys.get(d.k) }}",
        "{% set d = {'k': facts.env} %}{{ keys|attr(d.k) }}",
        "{% set d = {'k': facts.env} %}{{ d.k|extract(keys) }}",
        "{% set d = {'l': facts.list} %}{{ ([keys.a, keys.b]|batch(d.l|length)|list)[0][0] }}",
        "{% set d = {'l': facts.list} %}{{ [keys.a, keys.b]|slice(d.l|length)|first|first }}",
        "{% set d = {'l': facts.list} %}{{ d.l|zip([keys.a, keys.b])|map('last')|list|first }}",
        "{% macro m(d) %}{% for x in d.l %}{{ keys.a }}{% endfor %}{% endmacro %}{{ m({'l': facts.list}) }}",
        "{% macro m(d) %}{{ d.k|default(keys.a, true) }}{% endmacro %}{{ m({'k': facts.text}) }}",
        "{% macro m(d) %}{{ keys.get(d.k) }}{% endmacro %}{% macro n(d) %}{{ m(d) }}{% endmacro %}{{ n({'k': facts.env}) }}",
        "{% for k in [facts.env, 'x'] %}{% if loop.last %}{{ keys[loop.previtem] }}{% endif %}{% endfor %}",
        "{% set d = [facts.env] %}{{ keys[d|first] }}",
        "{% set d = [facts.env] %}{% for k in d %}{{ keys[k] }}{% endfor %}",
        "{% set h = host %}{% for g in h.groups %}{{ keys.a }}{% endfor %}{{ keys.a if facts.yes }}",
        "{{ facts.env|extract(keys) }}",
        "{{ facts.list|map('extract', keys)|list }}",
        "{{ [facts.env]|map('extract', keys)|first }}",
        "{{ [keys.a, keys.b]|random(seed=facts.text) }}",
        "{{ ([keys.a, keys.b]|shuffle(seed=facts.text))[0] }}",
        "{{ facts.list|zip([keys.a, keys.b])|map('last')|first if facts.yes }}",
        "{% set l = [] %}{% if facts.yes %}{% set _ = l.append(keys.a) %}{% endif %}{{ l[0] }}",
        "{% set l = [keys.a, keys.b] %}{% if facts.yes %}{% set _ = l.reverse() %}{% endif %}{{ l[0] }}",
        "{% set l = [keys.a, keys.b] %}{% for x in facts.list %}{% set _ = l.pop() %}{% endfor %}{{ l|first|default('') }}",
        "{% set l = [keys.a, keys.b] %}{{ l.pop(facts.memory - 4096) }}",
        "{% set d = {} %}{% set _ = d.update({'k': facts.env}) %}{{ keys[d.k] }}",
        "{% set d = {} %}{% set _ = d.setdefault('k', facts.env) %}{{ keys[d.k] }}",
        "{% set d = {'a': keys.a} %}{% set e = d %}{% if facts.yes %}{% set _ = e.update({'a': keys.b}) %}{% endif %}{{ d.a }}",
        "{% macro m(l) %}{% set _ = l.append(keys.a) %}{% endmacro %}{% set l = [] %}{% if facts.yes %}{{ m(l) }}{% endif %}{{ l|first|default('') }}",
        "{{ keys.pop(facts.env) }}",
        "{{ keys.get('%s'|format(facts.env)) }}",
        "{{ keys['{}'.format(facts.env)] }}",
        "{{ keys['%s' % facts.env] }}",
        "{{ [keys.a, keys.b][facts.list.index('b')] }}",
        "{{ [keys.a, keys.b][facts.text|length] }}",
        "{{ (users|rekey_on_member('name'))[facts.text].password }}",
        "{{ (users|items2dict(key_name='name', value_name='password'))[facts.text] }}",
        "{{ [[facts.env, keys.a]]|map('last')|first if facts.env == 'a' else '' }}",
        "{{ [keys.a, keys.b]|combinations(facts.list|length)|first|first }}",
        "{% set n = namespace() %}{% set n.k = facts.env %}{{ keys[n.k] }}",
        "{{ cycler(keys.a, keys.b).next() if facts.yes }}",
        "{% set c = cycler(keys.a, keys.b) %}{% for x in facts.list %}{{ c.next() }}{% endfor %}",
        "{% set c = cycler(keys.a, keys.b) %}{% for x in facts.list %}{% set _ = c.next() %}{% endfor %}{{ c.current }}",
        "{% if facts.yes is true %}{{ keys.a }}{% endif %}",
        "{% if (facts.list|first) is eq('a') %}{{ keys.a }}{% endif %}",
        "{% for x in facts.list recursive %}{{ keys.a }}{% endfor %}",
        "{% with f = facts %}{{ keys[f.env] }}{% endwith %}",
        "{% set f = facts %}{% set g = f %}{{ keys[g.env] }}",
        "{% set l = [facts.env] %}{{ keys[l[0]] }}",
        "{% set d = {'k': facts.env} %}{{ keys[d.k] }}",
        "{% set d = dict(k=facts.env) %}{{ keys[d['k']] }}",
    ] {
        match template(text) {
            Ok(compiled) => wrong.push(format!("{text} gives {:?}", compiled.sealed.len())),
            Err(told) => {
                let refused = |one: &holdfast_catalog::Diagnostic| {
                    matches!(one.code, Code::ChosenSecret | Code::Secret)
                };
                if !told.iter().any(refused) {
                    wrong.push(format!("{text}\n{told}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever facts say, and however often, the content holds the secrets that the template
    /// prints, or there is none.
    #[test]
    fn facts_add_no_secret(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just(OPEN.to_owned()),
                Just(CLOSE.to_owned()),
                Just("secret:keys.b".to_owned()),
                Just("{{ keys.b }}".to_owned()),
                Just("{% raw %}".to_owned()),
                Just("\u{0}secret x\u{0}y".to_owned()),
                Just("\u{0}recorded 0".to_owned()),
                Just("\u{0}nonce".to_owned()),
                "[0-9a-f:]{1,66}",
                "\\PC{0,4}",
            ],
            0..6,
        ),
        key in "[a-z\u{FDD0}\u{FDD1}\u{0}]{1,6}",
    ) {
        let fact = pieces.concat();
        let text = "{{ facts.x }}|{{ keys.a }}|{{ facts.x }}|{% set s %}{{ facts.x }}{% endset %}{{ s }}";
        let facts = json!({ "x": fact, key: fact });
        match forged(text, facts) {
            Ok(compiled) => {
                prop_assert_eq!(secrets(&compiled), ["secret:keys.a"]);
                prop_assert_eq!(sealed(&compiled), format!("{fact}|[secret:keys.a]|{fact}|{fact}"));
            }
            Err(wrong) => {
                prop_assert!(fact.contains(OPEN) || fact.contains(CLOSE), "{}", wrong);
                prop_assert!(wrong.iter().all(|one| one.code == Code::Secret), "{}", wrong);
            }
        }
    }
}
