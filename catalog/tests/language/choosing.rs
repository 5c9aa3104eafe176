//! What "a host cannot choose its secrets" means: whatever a template says, and whatever the facts,
//! the contents that come out hold the same secrets in the same order, or there are none.
//!
//! Templates are made up at random from what hands values on, prints, captures, calls, looks up and
//! decides; each is compiled with facts that differ in everything.

use holdfast_catalog::{HostInput, Piece, Site};
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use serde_json::json;

use super::secrets::globals;
use super::support;

/// Ahead of every template, so that the names in it mean something.
const BEGIN: &str = "{% import 'f.j2' as mod %}{% set ns = namespace(k='') %}{% set v1 = 'a' %}\
{% set v2 = 'b' %}{% macro m1(v1='') %}{{ v1 }}{% endmacro %}{% macro m2(v2='') %}{{ v2 }}{% endmacro %}";

/// Values.
const LEAVES: [&str; 25] = [
    "facts.env",
    "facts.text",
    "facts.yes",
    "facts.list",
    "facts.n",
    "keys.a",
    "keys.b",
    "keys",
    "db",
    "db.cache",
    "'a'",
    "'b'",
    "1",
    "v1",
    "v2",
    "ns.k",
    "v1.k",
    "v2[0]",
    "m1()",
    "mod.picks()",
    "mod.picked",
    "host",
    "[]",
    "loop.index",
    "caller()",
];

/// What is made of values, which stand for `@`.
const MADE: [&str; 34] = [
    "(@)|default(@, true)",
    "(@)|default(@)",
    "(@ if @ else @)",
    "[@, @]",
    "{'k': @, 'l': @}",
    "(@).k",
    "(@)[@]",
    "keys[@]",
    "(@)|first",
    "(@)|last",
    "(@)|list",
    "(@)|length",
    "(@)|string",
    "(@).get(@)",
    "keys.get(@)",
    "(@).values()|list",
    "(@) ~ ''",
    "(@) == @",
    "(not @)",
    "(@) in (@)",
    "m1(@)",
    "m2(@)",
    "(@)|ternary(@, @)",
    "(@)|batch(@)|list",
    "(@) + (@)",
    "(@ or @)",
    "(@ and @)",
    "(@)|zip(@)|list",
    "dict(k=@)",
    "(@)|map('first')|list",
    "(@)|reverse|list",
    "(@)|extract(keys)",
    "(@)|trim",
    "range((@)|length)|list",
];

/// What is done with values; text stands for `#`.
const DONE: [&str; 20] = [
    "{{ @ }}",
    "{{ @ }}",
    "{{ keys.a }}",
    "{{ keys[@] }}",
    "{% set v1 = @ %}",
    "{% set v2 = @ %}",
    "{% set v1 %}#{% endset %}",
    "{% set v2 | trim %}#{% endset %}",
    "{% if @ %}#{% endif %}",
    "{% if @ %}#{% else %}#{% endif %}",
    "{% for v1 in @ %}#{% endfor %}",
    "{% for v2 in @ %}#{% else %}#{% endfor %}",
    "{% for v1, v2 in (@).items() %}#{% endfor %}",
    "{% with v1 = @ %}#{% endwith %}",
    "{% macro m1(v1='') %}#{% endmacro %}",
    "{% call m2(@) %}#{% endcall %}",
    "{% filter trim %}#{% endfilter %}",
    "{% filter default(@, true) %}#{% endfilter %}",
    "{% set ns.k = @ %}",
    "{% include 'env.j2' %}",
];

/// A pattern with something in the place of every mark.
fn filled(pattern: &'static str, mark: char, with: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let places = pattern.matches(mark).count();
    let made = proptest::collection::vec(with, places);
    made.prop_map(move |with| {
        let mut with = with.into_iter();
        let parts = pattern.chars().map(|c| match c == mark {
            true => with.next().unwrap(),
            false => c.to_string(),
        });
        parts.collect()
    })
    .boxed()
}

fn value() -> BoxedStrategy<String> {
    let leaf = proptest::sample::select(&LEAVES[..]).prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let inner = inner.boxed();
        proptest::sample::select(&MADE[..])
            .prop_flat_map(move |pattern| filled(pattern, '@', inner.clone()))
    })
    .boxed()
}

fn text() -> BoxedStrategy<String> {
    let printed = value().prop_map(|value| format!("{{{{ {value} }}}}"));
    printed
        .prop_recursive(3, 16, 3, |inner| {
            let inner = proptest::collection::vec(inner, 1..4).prop_map(|all| all.concat());
            let inner = inner.boxed();
            proptest::sample::select(&DONE[..]).prop_flat_map(move |pattern| {
                let inner = inner.clone();
                filled(pattern, '@', value()).prop_flat_map(move |done| {
                    let inner = inner.clone();
                    let places = done.matches('#').count();
                    proptest::collection::vec(inner, places).prop_map(move |with| {
                        let mut with = with.into_iter();
                        let parts = done.chars().map(|c| match c {
                            '#' => with.next().unwrap(),
                            c => c.to_string(),
                        });
                        parts.collect::<String>()
                    })
                })
            })
        })
        .boxed()
}

/// The secrets in the content of a host with such facts, in their order; `None` if it has none.
fn secrets(site: &Site, facts: serde_json::Value) -> Option<Vec<String>> {
    let serde_json::Value::Object(facts) = facts else {
        panic!("facts are a mapping")
    };
    let host = HostInput::new("h".parse().unwrap()).with_facts(facts);
    let compiled = site.compile(&host).ok()?;
    let pieces = compiled.sealed.values().flat_map(|one| &one.pieces);
    let names = pieces.filter_map(|piece| match piece {
        Piece::Secret { name, .. } => Some(name.to_string()),
        _ => None,
    });
    Some(names.collect())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 192,
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_same_secrets_whatever_the_facts(texts in proptest::collection::vec(text(), 1..5)) {
        let template = format!("{BEGIN}{}", texts.concat());
        let globals = globals();
        let site = Site::parse(&support::site(&[
            ("globals.yaml", globals.as_str()),
            ("hosts/h.yaml", "roles: [r]\n"),
            ("groups/big.yaml", "match: facts.n > 1\n"),
            ("roles/r/role.yaml", "resources:\n  - file: /t\n    template: t.j2\n"),
            ("roles/r/templates/t.j2", template.as_str()),
            ("roles/r/templates/env.j2", "{{ facts.env }}"),
            (
                "roles/r/templates/f.j2",
                "{% set picked = facts.env %}{% macro picks() %}{{ facts.env }}{% endmacro %}",
            ),
        ]));
        if let Ok(site) = site {
            let all = [
                json!({ "env": "a", "text": "", "yes": true, "list": ["a"], "n": 1, "memory": 1 }),
                json!({ "env": "b", "text": "x", "yes": false, "list": [], "n": 0, "memory": 0 }),
                json!({ "env": "", "text": "a", "yes": true, "list": ["b", "a"], "n": 2, "memory": 2 }),
            ];
            let found: Vec<Vec<String>> =
                all.into_iter().filter_map(|facts| secrets(&site, facts)).collect();
            for two in found.windows(2) {
                prop_assert_eq!(&two[0], &two[1]);
            }
        }
    }
}
