//! What guards stand where.

#![allow(clippy::unwrap_used)]

use minijinja::machinery::parse_expr;

use super::*;

fn guarded(kind: Kind, text: &str) -> (Edited, Vec<HostAttribute>) {
    super::guarded(
        kind,
        &Edited::unchanged(text),
        &SyntaxConfig::default(),
        &[],
    )
    .unwrap()
}

#[test]
fn what_is_compared_is_guarded_and_places_map_back() {
    let text = "a.b == 1 and not c and 'x' in d.e";
    let (strict, _) = guarded(Kind::Expression, text);
    assert_eq!(
        strict.text,
        "a.b|_given(\"a.b\") == 1 and not c and 'x' in d.e|_held(\"d.e\")"
    );
    let at = strict.text.find("d.e").unwrap();
    assert_eq!(&text[strict.written(at..at + 3)], "d.e");
    assert_eq!(&text[strict.written(0..10)], "a.b");
}

#[test]
fn guards_stand_around_whole_operands() {
    let expression = |text: &str| {
        let (strict, _) = guarded(Kind::Expression, text);
        assert!(parse_expr(&strict.text).is_ok(), "{}", strict.text);
        strict.text
    };
    assert_eq!(
        expression("a|f(1) == 2"),
        "(a|_held(\"a\")|f(1))|_given == 2"
    );
    assert_eq!(expression("1 == (a + b)"), "1 == ((a + b)|_given)");
    assert_eq!(
        expression("(a + b) * (c + d) == 1"),
        "((a + b) * (c + d))|_given == 1"
    );
    assert_eq!(
        expression("a.f(x)[0] == 1"),
        "a.f(x)[0]|_given(\"a.f(x)[0]\") == 1"
    );
    assert_eq!(expression("a.f(x) == 1"), "(a.f(x))|_given == 1");
    assert_eq!(
        expression("a[1:] == b"),
        "(a[1:])|_given == b|_given(\"b\")"
    );
    assert_eq!(expression("-a == 1"), "(-a)|_given == 1");
    assert_eq!(expression("[a, 1] == (1, 2)"), "([a, 1])|_given == (1, 2)");
    assert_eq!(
        expression("{'x': a} == b"),
        "({'x': a})|_given == b|_given(\"b\")"
    );
    assert_eq!(
        expression("(a if b else c) == 1"),
        "((a if b else c)|_given) == 1"
    );
    assert_eq!(
        expression("a ~ true ~ 'x' ~ 1"),
        "a|_text(\"a\") ~ (true)|_text ~ 'x' ~ 1"
    );
    assert_eq!(
        expression("a ~ (b ~ (c + 1))"),
        "a|_text(\"a\") ~ (b|_text(\"b\") ~ ((c + 1)|_text))"
    );
    assert_eq!(
        expression("a|sort == 1"),
        "(a|_given(\"a\")|sort)|_given == 1"
    );
    assert_eq!(
        expression("a|selectattr('b', 'eq', c)"),
        "a|_held(\"a\")|selectattr('b', 'eq', c|_given(\"c\"))"
    );
    assert_eq!(expression("a is eq b"), "a is eq (b|_given(\"b\"))");
    assert_eq!(
        expression("x == (a not in b)"),
        "x|_given(\"x\") == ((a|_given(\"a\") not in b|_held(\"b\"))|_given)"
    );
    assert_eq!(
        expression("a <= b + 1"),
        "(a|_given(\"a\") )|_order(\"<=\",  (b + 1)|_given)"
    );
    assert_eq!(expression("a % 2"), "(a )|_rem( 2)");
    assert_eq!(
        expression("f([a], c, k=[b])"),
        "f(([a])|_light, c, k=([b])|_light)"
    );
}

#[test]
fn what_is_kept_is_guarded() {
    let text = "{% set ns.x = [ns.x, a] %}{% set y = 1, a %}{% with z = a + b %}{% endwith %}";
    let (strict, _) = guarded(Kind::Text, text);
    let kept = "{% set ns.x = (([ns.x, a])|_own)|_spaced %}{% set y = (1, a)|_light %}{% with z = a + b|_light(\"b\") %}{% endwith %}";
    assert_eq!(strict.text, kept);
}

#[test]
fn a_host_may_lack_an_attribute_in_a_match() {
    let text = "host.idc == 'js' and facts.os.id == 'debian'";
    let (strict, host) = guarded(Kind::Match, text);
    assert_eq!(
        strict.text,
        "host.idc == 'js' and facts.os.id|_given(\"facts.os.id\") == 'debian'"
    );
    assert_eq!(host[0].name, "idc");
}
