//! `lint`, on the example fleet and on a site with what looks like mistakes.

use super::repo::write;
use super::site::FLEET;
use super::transcript;
use crate::exit::Exit;
use tempfile::TempDir;

fn site() -> TempDir {
    let site = TempDir::new().unwrap();
    write(
        site.path(),
        &[
            (
                "roles/web/role.yaml",
                "resources:\n  - service: nginx\n    state: running\n",
            ),
            ("hosts/web-1.yaml", "roles: [web]\nvars: { left: over }\n"),
            ("hosts/web-2.yaml", "roles: [web]\n"),
        ],
    );
    site
}

/// What is told, without how long it took.
fn timeless(text: &str) -> String {
    let cut = |line: &str| line.split(" (").next().unwrap_or_default().to_owned();
    text.lines().map(cut).collect::<Vec<String>>().join("\n")
}

#[test]
fn nothing_is_found_in_the_example_fleet() {
    let told = transcript(&["lint", "--site", FLEET]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    assert!(
        told.answer.starts_with("ok nothing found in 6 hosts ("),
        "{told}"
    );
}

#[test]
fn findings_are_told_at_their_places() {
    let site = site();
    let told = transcript(&["lint", "--site", site.path().to_str().unwrap()]);
    assert_eq!(told.exit, Exit::Found, "{told}");
    insta::assert_snapshot!(timeless(&told.to_string()));
}

#[test]
fn programs_get_what_is_found_and_what_is_allowed() {
    let site = site();
    let path = site.path().to_str().unwrap();
    let host =
        "roles: [web]\nvars:\n  # lint: allow unused_variable — a script reads it\n  left: over\n";
    write(site.path(), &[("hosts/web-1.yaml", host)]);
    let told = transcript(&["lint", "--json", "--site", path]);
    assert_eq!(told.exit, Exit::Found, "{told}");
    let answer: serde_json::Value = serde_json::from_str(&told.answer).unwrap();
    assert_eq!(answer["hosts"], 2);
    assert_eq!(answer["findings"][0]["code"], "service_without_package");
    assert_eq!(answer["findings"][0]["labels"][0]["line"], 2);
    assert_eq!(answer["findings"][0]["hosts"]["count"], 2);
    let allowed = &answer["allowed"];
    assert_eq!(allowed[0]["code"], "unused_variable");
    assert_eq!(allowed[0]["place"], "hosts/web-1.yaml:4:3");
    assert_eq!(allowed[0]["reason"], "a script reads it");
    assert_eq!(allowed[1], serde_json::Value::Null);
}

#[test]
fn a_site_that_does_not_compile_is_no_clean_one() {
    let site = site();
    let path = site.path().to_str().unwrap();
    let role = "resources:\n  - file: /etc/motd\n    content: \"{{ nothing_here }}\"\n";
    write(site.path(), &[("roles/web/role.yaml", role)]);
    let told = transcript(&["lint", "--site", path]);
    assert_eq!(told.exit, Exit::Invalid, "{told}");
    assert!(
        told.asides.contains("`nothing_here` is undefined"),
        "{told}"
    );
}

#[test]
fn nothing_is_found_in_the_first_site() {
    let folder = TempDir::new().unwrap();
    let site = folder.path().join("site");
    let site = site.to_str().unwrap();
    let told = transcript(&["init", site]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    let told = transcript(&["lint", "--site", site]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
}
