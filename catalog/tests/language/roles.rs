//! Roles that include others: where their resources come, what they are given, what waits for
//! them as wholes.

use holdfast_catalog::diag::Code;
use holdfast_catalog::{HostInput, Site};
use holdfast_schemas::resource::{Content, Spec};

use crate::{codes, compile, compile_with, support, text};

/// A role that shows its parameter.
const NGINX: &str = "params:\n  port: { type: integer, default: 80 }\n  tls: { type: boolean, default: false }\nresources:\n  - package: nginx\n  - file: /port\n    content: '{{ params.port }}'\n";

fn order_of(files: &[(&str, &str)]) -> Vec<String> {
    let compiled = compile(files).unwrap_or_else(|wrong| panic!("{wrong}"));
    let resources = compiled.catalog.resources.iter();
    resources.map(|one| one.id.to_string()).collect()
}

/// What `/port` holds.
fn port(files: &[(&str, &str)]) -> String {
    let compiled = compile(files).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut resources = compiled.catalog.resources.iter();
    let file = resources.find(|one| one.id.to_string() == "file[/port]");
    match &file.unwrap().spec {
        Spec::File(file) => match file.content.as_ref().unwrap() {
            Content::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_included_role_comes_where_it_is_first_named() {
    let files = [
        ("roles/nginx/role.yaml", NGINX),
        ("roles/base/role.yaml", "resources:\n  - package: curl\n"),
        (
            "roles/web/role.yaml",
            "include: base\nresources:\n  - package: a\n  - role: nginx\n  - package: b\n",
        ),
        ("hosts/h.yaml", "roles: [web, nginx, base]\n"),
    ];
    let expected = [
        "package[curl]",
        "package[a]",
        "package[nginx]",
        "file[/port]",
        "package[b]",
    ];
    assert_eq!(order_of(&files), expected);
}

#[test]
fn what_a_role_gives_stands_above_the_default_and_below_every_layer() {
    let web = "params:\n  listen: { type: integer, default: 8080 }\ninclude:\n  - { role: nginx, params: { port: '{{ params.listen + 1 }}' } }\n";
    let with = |host: &str| {
        port(&[
            ("roles/nginx/role.yaml", NGINX),
            ("roles/web/role.yaml", web),
            ("hosts/h.yaml", host),
        ])
    };
    assert_eq!(with("roles: [nginx]\n"), "80");
    assert_eq!(with("roles: [web]\n"), "8081");
    assert_eq!(with("roles: [nginx, web]\n"), "8081");
    assert_eq!(with("roles: [web]\nvars: { web: { listen: 90 } }\n"), "91");
    assert_eq!(with("roles: [web]\nvars: { nginx: { port: 99 } }\n"), "99");
}

#[test]
fn explain_names_the_role_that_gives_a_parameter() {
    let site = Site::parse(&support::site(&[
        ("roles/nginx/role.yaml", NGINX),
        (
            "roles/web/role.yaml",
            "include:\n  - { role: nginx, params: { port: 8080 } }\n",
        ),
        ("hosts/h.yaml", "roles: [web]\n"),
    ]))
    .unwrap();
    let host = HostInput::new("h".parse().unwrap());
    let explained = site.explain(&host, "nginx.port").unwrap().to_string();
    assert!(explained.contains("nginx.port = 8080"), "{explained}");
    assert!(
        explained
            .contains("used        role web, which includes nginx: 8080  (roles/web/role.yaml:2:"),
        "{explained}"
    );
    assert!(
        explained.contains("overridden  default of role nginx: 80"),
        "{explained}"
    );
}

#[test]
fn roles_that_include_one_agree_or_a_layer_decides() {
    let with = |first: &str, second: &str, host: &str| {
        let one = format!(
            "params:\n  p: {{ default: 8080 }}\ninclude:\n  - {{ role: nginx, params: {{ port: {first} }} }}\n"
        );
        let two = format!("include:\n  - {{ role: nginx, params: {{ port: {second} }} }}\n");
        compile(&[
            ("roles/nginx/role.yaml", NGINX),
            ("roles/one/role.yaml", &one),
            ("roles/two/role.yaml", &two),
            ("hosts/h.yaml", host),
        ])
    };
    let both = "roles: [one, two]\n";
    assert!(with("8080", "8080", both).is_ok());
    assert!(with("'{{ params.p }}'", "8080", both).is_ok());
    let wrong = with("'{{ params.p }}'", "8081", both).unwrap_err();
    let codes: Vec<Code> = wrong.iter().map(|one| one.code).collect();
    assert_eq!(codes, [Code::IncludeConflict], "{wrong}");
    let told = wrong.to_string();
    for part in [
        "roles/one/role.yaml:4:",
        "8080 here",
        "roles/two/role.yaml:2:",
        "8081 here",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let decided = "roles: [one, two]\nvars: { nginx: { port: 1 } }\n";
    assert!(with("'{{ params.p }}'", "8081", decided).is_ok());
    // What does not hold gives nothing.
    assert!(with("8080", "8081", "roles: [one]\n").is_ok());
}

#[test]
fn a_condition_decides_by_the_host_and_what_it_brings_counts_only_then() {
    let web = "include:\n  - { role: nginx, when: facts.big, params: { port: 8080 } }\nresources:\n  - when: not facts.big\n    resources:\n      - role: nginx\n        params: { port: 1 }\n";
    let files = [
        ("roles/nginx/role.yaml", NGINX),
        ("roles/web/role.yaml", web),
        (
            "roles/r/role.yaml",
            "resources:\n  - file: /shown\n    content: '{{ nginx.port }}'\n",
        ),
        ("hosts/h.yaml", "roles: [r, web]\n"),
    ];
    for (big, expected) in [(true, "8080"), (false, "1")] {
        let compiled = compile_with(&files, Some(serde_json::json!({ "big": big }))).unwrap();
        assert_eq!(crate::content(&compiled), expected);
        assert_eq!(compiled.catalog.resources.len(), 3);
    }
}

#[test]
fn an_include_may_hold_by_what_another_one_gives() {
    let files = [
        ("roles/nginx/role.yaml", NGINX),
        (
            "roles/tls/role.yaml",
            "params:\n  by: { default: nobody }\nresources:\n  - file: /tls\n    content: '{{ params.by }}'\n",
        ),
        (
            "roles/edge/role.yaml",
            "include:\n  - { role: tls, when: nginx.tls, params: { by: edge } }\n",
        ),
        (
            "roles/web/role.yaml",
            "include:\n  - { role: nginx, when: 'true', params: { tls: true } }\n",
        ),
        ("hosts/h.yaml", "roles: [edge, web]\n"),
    ];
    assert_eq!(text(&files), "edge");
}

#[test]
fn a_condition_that_takes_itself_away_is_refused() {
    let files = [
        ("roles/nginx/role.yaml", NGINX),
        (
            "roles/web/role.yaml",
            "include:\n  - { role: nginx, when: nginx.port == 80, params: { port: 8080 } }\n",
        ),
        ("hosts/h.yaml", "roles: [web]\n"),
    ];
    assert_eq!(codes(&files), [Code::IncludeCycle]);
}

#[test]
fn a_repeatable_role_is_there_once_per_title() {
    let vhost = "repeatable: true\nparams:\n  port: { type: integer, default: 80 }\n  name: { type: string, default: '{{ site_suffix }}' }\ninclude: nginx\nresources:\n  - file: /etc/nginx/{{ params.title }}\n    content: '{{ params.title }}.{{ params.name }}:{{ params.port }}'\n";
    let web = "params:\n  sites: { default: { shop: 8080, blog: 8081 } }\nresources:\n  - role: vhost\n    for_each: name, port in params.sites\n    title: '{{ name }}'\n    params: { port: '{{ port }}' }\n  - role: vhost\n    title: plain\n  - role: vhost\n    title: plain\n";
    let files = [
        ("roles/nginx/role.yaml", "resources:\n  - package: nginx\n"),
        ("roles/vhost/role.yaml", vhost),
        ("roles/web/role.yaml", web),
        (
            "hosts/h.yaml",
            "roles: [web]\nvars: { site_suffix: js, vhost: { port: 1 } }\n",
        ),
    ];
    let compiled = compile(&files).unwrap_or_else(|wrong| panic!("{wrong}"));
    let json = serde_json::to_value(&compiled.catalog).unwrap();
    let resources = json["resources"].as_array().unwrap().iter().skip(1);
    let texts: Vec<&str> = resources
        .map(|one| one["spec"]["content"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["shop.js:8080", "blog.js:8081", "plain.js:1"]);
}

#[test]
fn one_title_with_different_parameters_is_refused() {
    let web = "resources:\n  - { role: vhost, title: a, params: { port: 1 } }\n  - { role: vhost, title: a, params: { port: 2 } }\n";
    let files = [
        (
            "roles/vhost/role.yaml",
            "repeatable: true\nparams:\n  port: { default: 80 }\nresources:\n  - package: p\n",
        ),
        ("roles/web/role.yaml", web),
        ("hosts/h.yaml", "roles: [web]\n"),
    ];
    assert_eq!(codes(&files), [Code::IncludeConflict]);
}

#[test]
fn a_role_as_a_whole_is_waited_for() {
    let compiled = compile(&[
        ("roles/base/role.yaml", "resources:\n  - package: curl\n"),
        (
            "roles/web/role.yaml",
            "include: base\nbefore: service[app]\nresources:\n  - package: nginx\n",
        ),
        (
            "roles/db/role.yaml",
            "include: base\nrequires: role[web]\nresources:\n  - package: mysql\n",
        ),
        (
            "roles/app/role.yaml",
            "resources:\n  - service: app\n    subscribes: role[db]\n",
        ),
        ("hosts/h.yaml", "roles: [app, db, web]\n"),
    ])
    .unwrap_or_else(|wrong| panic!("{wrong}"));
    let found: Vec<String> = compiled
        .catalog
        .resources
        .iter()
        .map(|one| {
            let names = |edges: &[_]| {
                edges
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<String>>()
                    .join(" ")
            };
            format!(
                "{}: {} | {}",
                one.id,
                names(&one.requires),
                names(&one.subscribes)
            )
        })
        .collect();
    let expected = [
        "package[curl]:  | ",
        "package[nginx]:  | ",
        "package[mysql]: package[curl] package[nginx] | ",
        "service[app]: package[nginx] | package[curl] package[mysql]",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_role_that_is_not_there_cannot_be_waited_for() {
    let with = |named: &str| {
        let wrong = compile(&[
            (
                "roles/web/role.yaml",
                &format!(
                    "include:\n  - {{ role: nginx, when: 'false' }}\nresources:\n  - package: a\n    requires: {named}\n"
                ),
            ),
            ("roles/nginx/role.yaml", NGINX),
            ("roles/db/role.yaml", "resources:\n  - package: mysql\n"),
            ("hosts/h.yaml", "roles: [web]\n"),
        ]);
        wrong.unwrap_err().to_string()
    };
    for (named, said) in [
        ("role[nginx]", "`nginx` is included where this holds"),
        ("package[nginx]", "`nginx` is included where this holds"),
        ("role[db]", "the host does not have role `db`"),
        ("role[nginxx]", "did you mean `nginx`?"),
        ("role[db/a]", "is there once, without `/a`"),
    ] {
        let told = with(named);
        assert!(told.contains(said), "{named}: {told}");
    }
}

#[test]
fn a_row_of_roles_has_an_end() {
    let mut files: Vec<(String, String)> = (0..40)
        .map(|number| {
            let role = format!("include: r{}\nresources: []\n", number + 1);
            (format!("roles/r{number}/role.yaml"), role)
        })
        .collect();
    files.push(("roles/r40/role.yaml".into(), "resources: []\n".into()));
    files.push(("hosts/h.yaml".into(), "roles: [r0]\n".into()));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    assert_eq!(codes(&files), [Code::Limit]);
}

#[test]
fn roles_that_repeat_without_end_are_stopped() {
    let mut files: Vec<(String, String)> = (0..20)
        .map(|number| {
            let twice = |letter: char| {
                format!(
                    "  - {{ role: r{}, title: '{{{{ params.title }}}}{letter}' }}\n",
                    number + 1
                )
            };
            let role = format!("repeatable: true\nresources:\n{}{}", twice('a'), twice('b'));
            (format!("roles/r{number}/role.yaml"), role)
        })
        .collect();
    files.push((
        "roles/r20/role.yaml".into(),
        "repeatable: true\nresources: []\n".into(),
    ));
    files.push((
        "roles/start/role.yaml".into(),
        "include: { role: r0, title: x }\n".into(),
    ));
    files.push(("hosts/h.yaml".into(), "roles: [start]\n".into()));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    let found = codes(&files);
    assert!(
        !found.is_empty() && found.iter().all(|code| *code == Code::Limit),
        "{found:?}"
    );
}

mod secrets {
    //! What facts decide about includes decides no secret.

    use super::*;

    const SEALED: &str = "|\n    -----BEGIN AGE ENCRYPTED FILE-----\n    YWdlLWVuY3J5cHRpb24ub3JnL3YxCg==\n    -----END AGE ENCRYPTED FILE-----\n";
    const BACKUP: &str = "params:\n  password: { type: string, default: none }\nresources:\n  - file: /b\n    content: 'x{{ params.password }}'\n";

    fn with(web: &str, host: &str) -> Result<(), Vec<Code>> {
        let globals = format!("vars:\n  token: {SEALED}");
        let files = [
            ("globals.yaml", &*globals),
            ("roles/backup/role.yaml", BACKUP),
            ("roles/web/role.yaml", web),
            ("hosts/h.yaml", host),
        ];
        let facts = Some(serde_json::json!({ "big": true }));
        let compiled = compile_with(&files, facts);
        compiled
            .map(drop)
            .map_err(|wrong| wrong.iter().map(|one| one.code).collect())
    }

    #[test]
    fn a_secret_is_handed_to_an_included_role() {
        let web = "include:\n  - { role: backup, params: { password: '{{ token }}' } }\n";
        assert_eq!(with(web, "roles: [web]\n"), Ok(()));
    }

    #[test]
    fn one_that_facts_bring_is_refused() {
        let web = "include:\n  - { role: backup, when: facts.big, params: { password: '{{ token }}' } }\n";
        assert!(
            with(web, "roles: [web]\n")
                .unwrap_err()
                .contains(&Code::ChosenSecret)
        );
        assert!(
            with(web, "roles: [web, backup]\n")
                .unwrap_err()
                .contains(&Code::ChosenSecret)
        );
        let literal = format!(
            "include:\n  - role: backup\n    when: facts.big\n    params:\n      password: {}",
            SEALED.replace("\n    ", "\n        ")
        );
        assert!(
            with(&literal, "roles: [web]\n")
                .unwrap_err()
                .contains(&Code::ChosenSecret)
        );
    }

    #[test]
    fn a_role_that_the_repo_brings_as_well_keeps_its_secrets() {
        let host = "roles: [web, backup]\nvars: { backup: { password: '{{ token }}' } }\n";
        let web = "include:\n  - { role: backup, when: facts.big }\n";
        // Included by facts alone, it has none.
        let alone = host.replace(", backup]", "]");
        assert!(with(web, &alone).unwrap_err().contains(&Code::ChosenSecret));
    }
}

mod probes {
    //! What tells whether a role is well.

    use super::*;

    const WEB: &str = "params:\n  port: { type: integer, default: 80 }\n  pages: { default: [a, b] }\nresources:\n  - package: nginx\nprobes:\n  - port: '{{ params.port }}'\n    timeout_s: 2\n  - http: 'http://127.0.0.1:{{ params.port }}/{{ page }}'\n    for_each: page in params.pages\n    when: page != \"b\"\n    status: 204\n    contains: ok\n  - command: [nginx, -t]\n    run_as: root\n    retries: 0\n  - unit: nginx\n    interval_s: 3\n";

    #[test]
    fn probes_are_evaluated_and_know_the_resources_of_their_role() {
        let compiled = compile(&[
            ("roles/base/role.yaml", "resources:\n  - package: curl\n"),
            ("roles/web/role.yaml", &format!("include: base\n{WEB}")),
            ("roles/other/role.yaml", "resources:\n  - package: vim\n"),
            (
                "hosts/h.yaml",
                "roles: [web, other]\nvars: { web: { port: 8080 } }\n",
            ),
        ])
        .unwrap_or_else(|wrong| panic!("{wrong}"));
        let json = serde_json::to_value(&compiled.catalog.health).unwrap();
        let times = |timeout: u32, retries: u32, interval: u32, check: serde_json::Value| serde_json::json!({ "check": check, "timeout_s": timeout, "retries": retries, "interval_s": interval });
        let expected = serde_json::json!([{
            "role": "web",
            "resources": ["package[curl]", "package[nginx]"],
            "probes": [
                times(2, 10, 1, serde_json::json!({ "port": { "port": 8080 } })),
                times(5, 10, 1, serde_json::json!({ "http": { "url": "http://127.0.0.1:8080/a", "status": [204], "contains": "ok" } })),
                times(5, 0, 1, serde_json::json!({ "command": { "command": ["nginx", "-t"], "run_as": "root" } })),
                times(5, 10, 3, serde_json::json!({ "unit": "nginx" })),
            ],
        }]);
        assert_eq!(json, expected);
    }

    #[test]
    fn a_probe_that_changes_is_a_difference() {
        let with = |port: u32| {
            let host = format!("roles: [web]\nvars: {{ web: {{ port: {port} }} }}\n");
            compile(&[("roles/web/role.yaml", WEB), ("hosts/h.yaml", &host)]).unwrap()
        };
        let changes = holdfast_catalog::diff::changes(&with(80), &with(81));
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert!(holdfast_catalog::diff::changes(&with(80), &with(80)).is_empty());
    }
}
