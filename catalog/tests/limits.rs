//! What has no end, or grows without one, is refused: quickly, with a place, and without taking
//! the program along. These run on the smallest stack that a thread of the server has, 2 MiB.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use holdfast_catalog::{HostInput, Site};
use support::site;

/// The errors of a host whose one file is this template, over these globals.
fn refused(globals: &str, template: &str) -> String {
    let role = "resources:\n  - file: /x\n    template: a.j2\n";
    let snapshot = site(&[
        ("globals.yaml", globals),
        ("hosts/web-1.yaml", "roles: [r]\n"),
        ("roles/r/role.yaml", role),
        ("roles/r/templates/a.j2", template),
    ]);
    let host = HostInput::new("web-1".parse().unwrap());
    let compiled = Site::parse(&snapshot).and_then(|site| site.compile(&host));
    compiled.expect_err("it is refused").to_string()
}

/// Runs a step sixty times over `ns.x`.
fn sixty(step: &str, last: &str) -> String {
    format!(
        "{{% set ns = namespace(x=[1]) %}}{{% for i in range(60) %}}{{% set ns.x = {step} %}}{{% endfor %}}{last}"
    )
}

#[test]
fn what_doubles_is_refused_before_it_is_walked() {
    let steps = [
        "[ns.x, ns.x]",
        "ns.x + ns.x",
        "{'a': ns.x, 'b': ns.x}",
        "dict(a=ns.x, b=ns.x)",
    ];
    let ends = [
        "{{ ns.x }}",
        "{{ ns.x|to_json }}",
        "{{ ns.x|string }}",
        "{{ ns.x|length }}",
    ];
    let told = |step: &str, end: &str| {
        let told = refused("", &sixty(step, end));
        assert!(
            told.contains("takes more steps or memory"),
            "{step} {end}: {told}"
        );
    };
    steps
        .iter()
        .for_each(|step| told(step, "{{ ns.x|length }}"));
    ends.iter().for_each(|end| told(steps[0], end));
    let twice = "{% macro m(x, n) %}{% if n %}{{ m([x, x], n - 1) }}{% else %}{{ x }}{% endif %}{% endmacro %}{{ m(1, 50) }}";
    let told = refused("", twice);
    assert!(
        told.contains("error[limit]") || told.contains("recursion limit"),
        "{told}"
    );
}

#[test]
fn what_nests_without_end_is_refused() {
    let row = "{% set ns = namespace(x=[]) %}{% for a in range(9000) %}{% for b in range(20) %}{% set ns.x = [ns.x] %}{% endfor %}{% endfor %}";
    assert!(refused("", row).contains("nested more than 96 deep"));
    let itself = "a: {b: \"{{ a }}\"}\nc: {b: \"{{ c }}\"}\n";
    for walk in [
        "{{ a }}",
        "{{ a == c }}",
        "{{ [a, c]|sort }}",
        "{{ [a, c]|unique }}",
        "{{ a ~ c }}",
        "{{ [a]|union([c]) }}",
        "{{ a|to_yaml }}",
        "{{ [a]|select('eq', c)|list }}",
        "{{ a is eq(c) }}",
        "{{ [a, c]|max }}",
    ] {
        assert!(refused(itself, walk).contains("nested more than"), "{walk}");
    }
}

#[test]
fn rows_of_operators_end() {
    let row = |piece: &str| format!("{{{{ 1{} }}}}", piece.repeat(50_000));
    for piece in ["+1", "~1", ".a", "|string", " and 1", "[0]", "==1", "(1)"] {
        assert!(
            refused("", &row(piece)).contains("operators in a row"),
            "{piece}"
        );
    }
    let allowed = format!("{{{{ 1{} }}}}{{{{ nope }}}}", "+1".repeat(240));
    assert!(refused("", &allowed).contains("`nope` is undefined"));
    let allowed = format!("{{{{ ''{} }}}}{{{{ nope }}}}", "~1".repeat(120));
    assert!(refused("", &allowed).contains("`nope` is undefined"));
}

#[test]
fn a_list_that_grows_item_by_item_is_nothing_special() {
    let grow = "{% set ns = namespace(x=[]) %}{% for a in range(5000) %}{% set ns.x = ns.x + [a] %}{% endfor %}{{ ns.x|length }}{{ nope }}";
    assert!(refused("", grow).contains("`nope` is undefined"));
}

#[test]
fn a_width_beyond_reason_is_refused() {
    assert!(refused("", "{{ '{:>999999999}'.format(3) }}").contains("error[limit]"));
}

#[test]
fn a_value_that_holds_itself_can_be_asked_for() {
    let snapshot = site(&[
        ("globals.yaml", "a: {b: \"{{ a }}\"}\nnginx: {port: 80}\n"),
        ("hosts/web-1.yaml", ""),
    ]);
    let site = Site::parse(&snapshot).unwrap();
    let host = HostInput::new("web-1".parse().unwrap());
    let told = site.explain(&host, "a").unwrap();
    assert!(told.error.unwrap().contains("nested more than"));
    let near = |variable| site.explain(&host, variable).unwrap().nearest;
    assert_eq!(near("nginx.prot").as_deref(), Some("nginx.port"));
    assert_eq!(near("ngnix.port").as_deref(), Some("nginx"));
    assert_eq!(near("zzz"), None);
    assert_eq!(near("nginx.port"), None);
}
