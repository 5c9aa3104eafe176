//! Which hosts a repo names, and which it merely has room for.

#![allow(clippy::unwrap_used)]

mod support;

use holdfast_catalog::Site;

#[test]
fn a_file_a_name_and_a_pattern_name_a_host_and_everybody_does_not() {
    let site = Site::parse(&support::site(&[
        ("hosts/db-1.yaml", "idc: js\n"),
        ("groups/web.yaml", "hosts: [\"web-*\", cache-1]\n"),
        ("groups/all.yaml", "hosts: [\"*\"]\n"),
        ("groups/js.yaml", "match: host.idc == 'js'\n"),
    ]))
    .unwrap();
    for (name, named) in [
        ("db-1", true),
        ("web-7", true),
        ("cache-1", true),
        ("cache-2", false),
    ] {
        assert_eq!(site.names(&name.parse().unwrap()), named, "{name}");
    }
}

#[test]
fn a_match_that_holds_for_a_name_names_the_host() {
    let site = Site::parse(&support::site(&[
        ("groups/db.yaml", "match: host.name.startswith('db-')\n"),
        ("groups/one.yaml", "match: inventory_hostname == 'one'\n"),
        ("groups/around.yaml", "groups: [db]\n"),
        (
            "groups/others.yaml",
            "match: not host.name.startswith('db-')\n",
        ),
        ("groups/tags.yaml", "match: \"'x' in host.tags\"\n"),
        ("groups/sized.yaml", "match: facts.cpu.count > 4\n"),
        (
            "groups/either.yaml",
            "match: host.name == 'two' or facts.cpu.count > 4\n",
        ),
    ]))
    .unwrap();
    for (name, named) in [
        ("db-1", true),
        ("one", true),
        ("two", true),
        ("three", false),
        ("web-1", false),
    ] {
        assert_eq!(site.names(&name.parse().unwrap()), named, "{name}");
    }
}
