//! The example fleet compiles for every host, and says what its README promises.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::Path;

use holdfast_catalog::{HostInput, Site};
use holdfast_schemas::catalog::Catalog;
use holdfast_schemas::resource::{Content, Kind, Spec};

fn fleet() -> Site {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fleet");
    Site::parse(&support::folder(&folder)).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn compile(site: &Site, host: &str) -> Catalog {
    let compiled = site.compile(&HostInput::new(host.parse().unwrap()));
    compiled.unwrap_or_else(|wrong| panic!("{wrong}")).catalog
}

fn text<'a>(catalog: &'a Catalog, path: &str) -> &'a str {
    let files = catalog.resources.iter().filter_map(|one| match &one.spec {
        Spec::File(file) => Some(file),
        _ => None,
    });
    let mut found = files.filter(|file| file.path.as_str() == path);
    match &found.next().unwrap().content {
        Some(Content::Text(text)) => text,
        _ => panic!("{path} has no text"),
    }
}

#[test]
fn every_host_compiles() {
    let site = fleet();
    assert!(site.hosts().count() >= 6);
    for host in site.hosts() {
        assert!(!compile(&site, host.as_str()).resources.is_empty());
    }
}

#[test]
fn hosts_of_the_demo_hold_only_what_a_rooted_host_can_do() {
    let site = fleet();
    for host in ["mongo-1.js", "mongo-2.js", "mongo-3.js"] {
        for resource in compile(&site, host).resources {
            assert!(matches!(
                resource.id.kind(),
                Kind::File | Kind::Directory | Kind::Symlink
            ));
            if let Spec::File(file) = resource.spec {
                assert!(file.owner.is_none() && file.group.is_none() && file.validate.is_none());
            }
        }
    }
}

#[test]
fn the_hosts_variables_decide_the_arbiter() {
    let site = fleet();
    let data = compile(&site, "mongo-1.js");
    let arbiter = compile(&site, "mongo-3.js");
    assert!(text(&data, "/etc/mongodb/mongod.conf").contains("dbPath: /srv/mongodb/data"));
    assert!(text(&arbiter, "/etc/mongodb/mongod.conf").contains("(arbiter)"));
    assert!(text(&arbiter, "/etc/mongodb/member.json").contains("\"arbiterOnly\": true"));
    let region = text(&data, "/etc/fleet/region.conf");
    for line in [
        "region = js",
        "listen-ip = 172.27.117.201",
        "file_ulimit = 65536",
    ] {
        assert!(region.contains(line), "{region}");
    }
}
