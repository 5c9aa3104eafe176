//! Where values come from: one variable, all of them, and whom a line concerns.

use holdfast_catalog::{HostInput, LineOutcome, LineReach, LineSubject, Site};
use serde_json::json;

use super::support;

const HOLDFAST: &str = "merge:\n  dns: append\n  ntp: deep\n";
const VARIABLES: &str = "variables:\n  color:\n    type: string\n    default: red\n    description: of the sign\n  token: { sensitive: true }\n";
const GLOBALS: &str = "vars:\n  dns: [a]\n  ntp: { servers: [x], burst: true }\n  url: \"http://{{ port }}/\"\n  port: 80\n  unused: 1\n  token: hunter2\n";
const WEB: &str = "hosts: [web-1, web-2, web-3]\nvars:\n  dns: [b]\n  ntp:\n    burst: false\n  port: 8080\n  app: { size: 2 }\nunset: [unused]\nroles: [app]\n";
const HOST: &str = "vars:\n  port: 9090\n  color: blue\n";
const ROLE: &str = "params:\n  size: { type: integer, default: 1 }\n  name: { type: string, default: x }\nresources:\n  - file: /url\n    content: \"{{ url }} {{ params.size }}\"\n";

fn site() -> Site {
    let files = [
        ("holdfast.yaml", HOLDFAST),
        ("variables.yaml", VARIABLES),
        ("globals.yaml", GLOBALS),
        ("groups/web.yaml", WEB),
        ("hosts/web-1.yaml", HOST),
        ("hosts/web-2.yaml", ""),
        ("hosts/db-1.yaml", ""),
        ("roles/app/role.yaml", ROLE),
    ];
    Site::parse(&support::site(&files)).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn host(name: &str) -> HostInput {
    HostInput::new(name.parse().unwrap())
}

fn line(file: &str, text: &str, needle: &str) -> LineReach {
    let site = site();
    let number = 1 + text.lines().position(|line| line.contains(needle)).unwrap();
    let hosts: Vec<HostInput> = site.hosts().cloned().map(HostInput::new).collect();
    site.line((file, text), number, &hosts)
}

/// What a line does, in short: `what: outcome hosts; …`.
fn told(file: &str, text: &str, needle: &str) -> Vec<String> {
    let reach = line(file, text, needle);
    let effects = reach.effects.iter().map(|effect| {
        let what = match &effect.what {
            LineSubject::Sets { variable } => format!("sets {variable}"),
            LineSubject::Unsets { variable } => format!("unsets {variable}"),
            LineSubject::Declares { variable } => format!("declares {variable}"),
            other => format!("{other:?}"),
        };
        let concerns = effect.concerns.iter().map(|concern| {
            let how = match &concern.how {
                LineOutcome::Overridden { by, place } => format!("overridden by {by} {place}"),
                LineOutcome::Reaches { .. } => "reaches".to_owned(),
                other => format!("{other:?}"),
            };
            let hosts: Vec<&str> = concern.hosts.iter().map(|host| host.as_str()).collect();
            format!("{how}: {}", hosts.join(" "))
        });
        let concerns: Vec<String> = concerns.collect();
        format!("{what}; {}", concerns.join("; "))
    });
    effects.collect()
}

#[test]
fn an_explanation_names_the_rule_the_declaration_and_each_part() {
    let site = site();
    let ntp = site.explain(&host("web-2"), "ntp").unwrap();
    assert_eq!(ntp.rule_place.as_deref(), Some("holdfast.yaml:3:3"));
    let parts = ntp.parts.iter();
    let parts: Vec<String> = parts
        .map(|part| format!("{} {}", part.path, part.place))
        .collect();
    assert_eq!(
        parts,
        [".servers globals.yaml:3:19", ".burst groups/web.yaml:5:12"]
    );
    let color = site.explain(&host("web-1"), "color").unwrap().to_string();
    for piece in [
        "color = \"blue\"\n",
        "declared string, of the sign  (variables.yaml:2:3)\n",
        "used        host: \"blue\"",
        "overridden  default of variables.yaml: \"red\"  (variables.yaml:4:14)",
    ] {
        assert!(color.contains(piece), "{piece}\n{color}");
    }
}

#[test]
fn the_table_has_every_value_with_its_layers_and_place() {
    let table = site().variables(&host("web-1")).unwrap();
    let rows = table.rows.iter().map(|row| {
        let layers: Vec<String> = row.layers.iter().map(ToString::to_string).collect();
        let value = row.value.clone().unwrap_or_default();
        format!(
            "{} = {value} | {} | {}",
            row.variable,
            layers.join(", "),
            row.place
        )
    });
    let rows: Vec<String> = rows.collect();
    let group = "group web (tier custom, priority 0)";
    assert_eq!(
        rows,
        [
            "app.name = \"x\" | default of role app | roles/app/role.yaml:3:34".to_owned(),
            format!("app.size = 2 | {group} | groups/web.yaml:7:16"),
            "color = \"blue\" | host | hosts/web-1.yaml:3:10".to_owned(),
            format!("dns = [\"a\",\"b\"] | globals, {group} | groups/web.yaml:3:9"),
            format!("ntp.burst = false | {group} | groups/web.yaml:5:12"),
            "ntp.servers = [\"x\"] | globals | globals.yaml:3:19".to_owned(),
            "port = 9090 | host | hosts/web-1.yaml:2:9".to_owned(),
            "token = \"(sensitive)\" | globals | globals.yaml:7:10".to_owned(),
            "url = \"http://9090/\" | globals | globals.yaml:4:8".to_owned(),
        ]
    );
    let json = serde_json::to_value(&table).unwrap();
    assert_eq!(json["rows"][2]["value"], json!("blue"));
    assert_eq!(json["rows"][2]["layers"], json!([{ "layer": "host" }]));
}

#[test]
fn a_value_that_fails_is_told_in_its_row() {
    let files = [("hosts/h.yaml", "vars: { a: '{{ facts.cpus }}', b: 1 }\n")];
    let site = Site::parse(&support::site(&files)).unwrap();
    let table = site.variables(&host("h")).unwrap();
    assert!(table.rows[0].error.as_ref().unwrap().contains("facts.cpus"));
    assert_eq!(table.rows[1].value, Some(json!(1)));
}

#[test]
fn a_line_names_the_hosts_in_which_it_wins_and_those_it_reaches() {
    assert_eq!(
        told("groups/web.yaml", WEB, "port: 8080"),
        ["sets port; Used: web-2; overridden by host hosts/web-1.yaml:2:9: web-1; reaches: web-2"]
    );
    assert_eq!(
        told("globals.yaml", GLOBALS, "port: 80"),
        [
            "sets port; Used: db-1; overridden by group web (tier custom, priority 0) groups/web.yaml:6:9: web-2; overridden by host hosts/web-1.yaml:2:9: web-1"
        ]
    );
    assert_eq!(
        told("globals.yaml", GLOBALS, "unused"),
        [
            "sets unused; Used: db-1; overridden by group web (tier custom, priority 0) groups/web.yaml:8:9: web-1 web-2"
        ]
    );
    assert_eq!(
        told("globals.yaml", GLOBALS, "ntp"),
        [
            "sets ntp.servers; Used: db-1 web-1 web-2",
            "sets ntp.burst; Used: db-1; overridden by group web (tier custom, priority 0) groups/web.yaml:5:12: web-1 web-2"
        ]
    );
    assert_eq!(
        told("groups/web.yaml", WEB, "dns"),
        ["sets dns; Used: web-1 web-2"]
    );
    assert_eq!(
        told("hosts/web-1.yaml", HOST, "color"),
        ["sets color; Used: web-1"]
    );
}

#[test]
fn a_line_of_anything_else_names_whom_it_is_about() {
    assert_eq!(
        told("groups/web.yaml", WEB, "hosts:"),
        ["Group { group: \"web\" }; Member: web-1 web-2"]
    );
    assert_eq!(
        told("groups/web.yaml", WEB, "unset"),
        ["unsets unused; Holds: web-1 web-2"]
    );
    assert_eq!(
        told("roles/app/role.yaml", ROLE, "size: {"),
        [
            "declares app.size; HasRole: web-1 web-2",
            "sets app.size; overridden by group web (tier custom, priority 0) groups/web.yaml:7:16: web-1 web-2"
        ]
    );
    assert_eq!(
        told("roles/app/role.yaml", ROLE, "content"),
        ["Role { role: \"app\" }; HasRole: web-1 web-2"]
    );
    assert_eq!(
        told("variables.yaml", VARIABLES, "default: red"),
        ["sets color; Used: db-1 web-2; overridden by host hosts/web-1.yaml:3:10: web-1"]
    );
    assert_eq!(
        told("holdfast.yaml", HOLDFAST, "dns"),
        ["Merges { pattern: \"dns\" }; Holds: web-1 web-2"]
    );
    assert_eq!(told("README.md", "a\n", "a"), ["Nothing; "]);
    let nothing = site().line(("globals.yaml", GLOBALS), 99, &[host("web-1")]);
    assert_eq!(nothing.effects[0].what, LineSubject::Nothing);
}

#[test]
fn a_value_that_is_not_as_declared_is_explained_with_what_is_wrong() {
    let files = [
        (
            "variables.yaml",
            "variables: { a: { type: array, minItems: 2 } }\n",
        ),
        ("hosts/h.yaml", "vars: { a: [1] }\n"),
    ];
    let site = Site::parse(&support::site(&files)).unwrap();
    let told = site.explain(&host("h"), "a").unwrap().to_string();
    assert!(told.starts_with("a = [1]\n"), "{told}");
    let misfit = "  ! variable `a`: it has 1 item, at least 2 are needed\n";
    assert!(told.contains(misfit), "{told}");
}
