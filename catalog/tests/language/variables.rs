//! Typed variables: what is checked where, what is not an error, what is not shown.

use holdfast_catalog::diag::Code;
use holdfast_catalog::{HostInput, Paint, Site};

use super::{codes, compile, shown, support, text};

/// A site with a host `h` whose variables are declared so, in a role that shows an expression.
fn site<'a>(declared: &'a str, vars: &'a str, role: &'a str) -> [(&'static str, &'a str); 3] {
    [
        ("variables.yaml", declared),
        ("hosts/h.yaml", vars),
        ("roles/r/role.yaml", role),
    ]
}

#[test]
fn a_declared_default_is_the_lowest_layer() {
    let declared = "variables:\n  a: { type: object, default: { x: 1, y: '{{ b }}' } }\n  b: { type: integer, default: 2 }\n";
    let role = shown("{{ a.x }} {{ a.y }}");
    let files = site(declared, "roles: [r]\n", &role);
    assert_eq!(text(&files), "1 2");
    let files = site(
        declared,
        "roles: [r]\nvars: { b: 3, a: { x: '{{ a.y }}', y: 5 } }\n",
        &role,
    );
    assert_eq!(text(&files), "5 5");
}

#[test]
fn what_refers_to_its_own_parts_is_checked_and_is_no_circle() {
    let declared = "variables:\n  a: { additionalProperties: { type: integer } }\n";
    let role = shown("{{ a.y }}");
    let vars = "roles: [r]\nvars: { a: { x: 1, y: '{{ a.x }}', z: '{{ a }}' } }\n";
    assert_eq!(codes(&site(declared, vars, &role)), [Code::WrongType]);
}

#[test]
fn what_an_unread_expression_needs_is_no_error_and_what_it_gives_is() {
    let declared = "variables: { n: { type: integer } }\n";
    let role = shown("x");
    let with = |vars: &str| {
        let vars = format!("roles: [r]\nvars: {{ n: '{vars}' }}\n");
        compile(&site(declared, &vars, &role)).map_or_else(
            |wrong| wrong.iter().map(|one| one.code).collect::<Vec<_>>(),
            |_| Vec::new(),
        )
    };
    assert!(with("{{ facts.cpus }}").is_empty());
    assert!(with("{{ 4 * 2 }}").is_empty());
    assert_eq!(with("{{ 4 }}2"), [Code::WrongType]);
}

#[test]
fn a_value_that_does_not_fit_is_told_once_whatever_reads_it() {
    let declared = "variables: { n: { type: integer, maximum: 5 }, m: { required: true } }\n";
    let role = shown("{{ n + 1 }} {{ m }} {{ m.x }}");
    let files = site(declared, "roles: [r]\nvars: { n: '{{ 6 }}' }\n", &role);
    assert_eq!(codes(&files), [Code::InvalidValue, Code::MissingVariable]);
}

#[test]
fn numbers_are_those_of_json() {
    let refused = |schema: &str, value: &str| {
        let declared = format!("variables: {{ v: {schema} }}\n");
        let vars = format!("vars: {{ v: {value} }}\n");
        compile(&site(&declared, &vars, "resources: []\n")).is_err()
    };
    for (schema, good, bad) in [
        ("{ enum: [1, x] }", "1.0", "true"),
        ("{ const: null }", "null", "0"),
        ("{ type: number }", "3", "\"3\""),
        ("{ type: [integer, boolean] }", "false", "1.5"),
        ("{ exclusiveMaximum: 3 }", "2.9", "3"),
        ("{ multipleOf: 0.1 }", "0.3", "0.35"),
        ("{ maxLength: 3 }", "äöü", "äöüß"),
        ("{ uniqueItems: true }", "[1, true, \"1\"]", "[1, 1.0]"),
        ("{ pattern: b }", "abc", "ac"),
        ("{ type: object, minLength: 9 }", "{}", "[]"),
        ("{ enum: [[1, 2], { a: b }] }", "{ a: b }", "[1]"),
    ] {
        assert!(!refused(schema, good), "{schema} {good}");
        assert!(refused(schema, bad), "{schema} {bad}");
    }
}

#[test]
fn a_secret_is_a_string_of_which_nothing_more_is_known() {
    let secret = "vars:\n  v: |\n    -----BEGIN AGE ENCRYPTED FILE-----\n    YWdlLWVuY3J5cHRpb24ub3JnL3YxCg==\n    -----END AGE ENCRYPTED FILE-----\n";
    let with = |schema: &str| {
        let declared = format!("variables: {{ v: {schema} }}\n");
        compile(&site(&declared, secret, "resources: []\n")).is_ok()
    };
    assert!(with("{ type: string, sensitive: true }") && with("{ type: [integer, string] }"));
    assert!(!with("{ type: integer }") && !with("{ type: string, minLength: 3 }"));
}

#[test]
fn what_is_sensitive_is_shown_nowhere() {
    let declared = "variables:\n  p: { type: string, sensitive: true }\n  q: { type: string, sensitive: true, maxLength: 3 }\n  n: { type: integer }\n";
    let vars = "roles: [r]\nvars: { p: hunter2, n: 5, all: { inner: '{{ p }}' } }\n";
    let role = shown("{{ all.inner }}");
    let files = site(declared, vars, &role);
    let site = Site::parse(&support::site(&files)).unwrap();
    let host = HostInput::new("h".parse().unwrap());
    let compiled = site.compile(&host).unwrap();
    let told = [
        site.explain(&host, "p").unwrap().to_string(),
        site.explain(&host, "all").unwrap().to_string(),
        site.advice().render(Paint::Plain),
        format!("{compiled:?}"),
    ];
    assert!(told[0].starts_with("p = \"(sensitive)\""), "{}", told[0]);
    assert!(told[1].contains("secret:p"), "{}", told[1]);
    assert!(!told.concat().contains("hunter2"), "{told:?}");
    assert_eq!(compiled.sealed.len(), 1);
    for vars in [
        "{ p: hunter2, n: x }",
        "{ q: hunter2 }",
        "{ q: '{{ \"hunter\" ~ 2 }}' }",
    ] {
        let vars = format!("roles: [r]\nvars: {vars}\n");
        let wrong = compile(&self::site(declared, &vars, "resources: []\n")).unwrap_err();
        let literal = vars.contains("{{");
        assert!(literal || !wrong.to_string().contains("hunter2"), "{wrong}");
        assert!(
            !wrong.iter().any(|one| one.message.contains("hunter")),
            "{wrong}"
        );
    }
}

#[test]
fn what_holds_itself_and_what_is_long_are_checked_all_the_same() {
    let declared = "variables:\n  v: { uniqueItems: true, maxItems: 9, enum: [[1]] }\n  many: { uniqueItems: true, items: { enum: [0] } }\n";
    let vars = "roles: [r]\nvars: { a: { x: '{{ a }}' }, v: '{{ [a, a] }}' }\n";
    // It has no end, so that it cannot be compared; nothing else is wrong with it.
    assert!(compile(&site(declared, vars, "resources: []\n")).is_ok());
    let many: Vec<String> = (0..20_000).map(|number| number.to_string()).collect();
    let enumerated = many.join(", ");
    let declared =
        format!("variables:\n  many: {{ uniqueItems: true, items: {{ enum: [{enumerated}] }} }}\n");
    let vars = format!("vars: {{ many: [{enumerated}] }}\n");
    assert!(compile(&site(&declared, &vars, "resources: []\n")).is_ok());
}
