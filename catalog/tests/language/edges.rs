//! The order of resources.

use holdfast_catalog::Diagnostics;

use crate::compile;

fn order_of(resources: &str) -> Result<Vec<String>, Diagnostics> {
    let role = format!("resources:\n{resources}");
    let compiled = compile(&[
        ("roles/r/role.yaml", &role),
        ("hosts/h.yaml", "roles: [r]\n"),
    ])?;
    Ok(compiled
        .catalog
        .resources
        .iter()
        .map(|one| one.id.to_string())
        .collect())
}

#[test]
fn order_is_as_written_but_for_edges() {
    let found = order_of(
        "  - file: /a/f\n    owner: u\n    notify: service[s]\n  - service: s\n  - file: /b\n    notify: service[s]\n  \
         - directory: /a\n  - user: u\n  - package: p\n    before: directory[/a]\n",
    );
    let expected = [
        "file[/b]",
        "user[u]",
        "package[p]",
        "directory[/a]",
        "file[/a/f]",
        "service[s]",
    ];
    assert_eq!(found.unwrap(), expected);
}

#[test]
fn a_circle_of_written_edges_is_shown_and_an_automatic_one_is_dropped() {
    let wrong =
        order_of("  - file: /a\n    requires: file[/b]\n  - file: /b\n    requires: file[/a]\n");
    let wrong = wrong.unwrap_err().to_string();
    assert!(
        wrong.contains("file[/a] -> file[/b] -> file[/a]"),
        "{wrong}"
    );
    let role = "resources:\n  - directory: /a\n    requires: file[/a/f]\n  - file: /a/f\n";
    let compiled = compile(&[
        ("roles/r/role.yaml", role),
        ("hosts/h.yaml", "roles: [r]\n"),
    ]);
    assert_eq!(compiled.unwrap().notes.len(), 1);
}

/// What a resource waits for without being told to.
fn waits(resources: &str, id: &str) -> Vec<String> {
    let role = format!("resources:\n{resources}");
    let compiled = compile(&[
        ("roles/r/role.yaml", &role),
        ("hosts/h.yaml", "roles: [r]\n"),
    ]);
    let compiled = compiled.unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut resources = compiled.catalog.resources.iter();
    let found = resources.find(|one| one.id.to_string() == id).unwrap();
    found.requires.iter().map(ToString::to_string).collect()
}

#[test]
fn a_service_that_is_to_run_waits_for_the_package_of_its_name() {
    let with = |service: &str| {
        let resources = format!("  - service: nginx.service\n{service}  - package: nginx\n");
        waits(&resources, "service[nginx.service]")
    };
    assert_eq!(with("    state: running\n"), ["package[nginx]"]);
    assert_eq!(with("    enabled: true\n"), ["package[nginx]"]);
    // One may well be stopped before its package is upgraded.
    assert!(with("    state: stopped\n").is_empty());
    assert!(with("").is_empty());
    let instance = "  - service: openvpn@office\n    state: running\n  - package: openvpn\n";
    assert_eq!(
        waits(instance, "service[openvpn@office]"),
        ["package[openvpn]"]
    );
    let other = "  - service: ssh\n    state: running\n  - package: openssh-server\n";
    assert!(waits(other, "service[ssh]").is_empty());
}

#[test]
fn what_goes_goes_in_the_order_that_works() {
    let package = "  - package: nginx\n    state: absent\n  - service: nginx\n    state: stopped\n";
    assert_eq!(waits(package, "package[nginx]"), ["service[nginx]"]);
    let group = "  - group: app\n    ensure: absent\n  - user: app\n    ensure: absent\n";
    assert_eq!(waits(group, "group[app]"), ["user[app]"]);
}

#[test]
fn a_user_whose_home_is_made_waits_for_the_folder_of_it() {
    let with = |home: &str| {
        let resources =
            format!("  - user: app\n    home: /srv/app/home\n{home}  - directory: /srv/app\n");
        waits(&resources, "user[app]")
    };
    assert_eq!(with("    manage_home: true\n"), ["directory[/srv/app]"]);
    assert!(with("").is_empty());
}

#[test]
fn what_is_written_wins_over_what_goes_without_saying() {
    let found = order_of(
        "  - service: nginx\n    state: running\n    before: package[nginx]\n  - package: nginx\n",
    );
    assert_eq!(found.unwrap(), ["service[nginx]", "package[nginx]"]);
    let role = "resources:\n  - service: nginx\n    state: running\n    before: package[nginx]\n  - package: nginx\n";
    let compiled = compile(&[
        ("roles/r/role.yaml", role),
        ("hosts/h.yaml", "roles: [r]\n"),
    ]);
    assert_eq!(compiled.unwrap().notes.len(), 1);
}

#[test]
fn a_file_under_etc_may_come_before_the_package_of_its_name() {
    let file = "  - file: /etc/nginx/nginx.conf\n    content: a\n  - package: nginx\n";
    assert!(waits(file, "file[/etc/nginx/nginx.conf]").is_empty());
}
