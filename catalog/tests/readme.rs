//! The examples of the README compile as they stand there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use holdfast_catalog::expect::{Found, Suite};
use holdfast_catalog::{HostInput, Site};

const README: &str = include_str!("../README.md");

/// The YAML of the README, by the file names in its first lines.
fn examples() -> Vec<(&'static str, &'static str)> {
    let blocks = README.split("```yaml\n# ").skip(1);
    let files = blocks.map(|block| {
        let (text, _) = block.split_once("```").unwrap();
        text.split_once('\n').unwrap()
    });
    files.collect()
}

#[test]
fn the_examples_compile() {
    let mut files = examples();
    assert_eq!(files.len(), 15);
    files.extend([
        ("hosts/limits-1.yaml", "tags: [mongodb]\nroles: [limits]\n"),
        ("hosts/shop-1.yaml", "roles: [shop]\n"),
        (
            "roles/nginx/templates/nginx.conf.j2",
            "listen {{ params.port }};\n",
        ),
        (
            "roles/nginx/templates/vhost.conf.j2",
            "server_name {{ vhost.name }};\n",
        ),
        (
            "roles/mongodb/role.yaml",
            "params: { port: { type: integer }, hosts: { type: array } }\n",
        ),
    ]);
    let site = Site::parse(&support::site(&files)).unwrap_or_else(|wrong| panic!("{wrong}"));
    let host = HostInput::new("mongo-1.js".parse().unwrap());
    let compiled = site
        .compile(&host)
        .unwrap_or_else(|wrong| panic!("{wrong}"));
    let ids = compiled.catalog.resources.iter();
    let ids: Vec<String> = ids.map(|resource| resource.id.to_string()).collect();
    let expected = [
        "file[/etc/backup.conf]",
        "package[nginx]",
        "file[/etc/nginx/nginx.conf]",
        "file[/etc/nginx/sites-enabled/shop.conf]",
        "service[nginx]",
    ];
    assert_eq!(ids, expected);
    assert_eq!(compiled.sealed.len(), 1);
    let host = HostInput::new("limits-1".parse().unwrap());
    let compiled = site.compile(&host);
    let compiled = compiled.unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(compiled.catalog.resources.len(), 8);
    let suite = Suite::of(&site).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut found = Found::default();
    site.hosts()
        .for_each(|host| suite.run(&site, &HostInput::new(host.clone()), &mut found));
    for verdict in suite.verdicts(found) {
        assert!(verdict.passed(), "{}", verdict.failures);
    }
    let shop = HostInput::new("shop-1".parse().unwrap());
    let compiled = site.compile(&shop);
    let compiled = compiled.unwrap_or_else(|wrong| panic!("{wrong}"));
    let ids = compiled.catalog.resources.iter();
    let ids: Vec<String> = ids.map(|resource| resource.id.to_string()).collect();
    let expected = [
        "package[nginx]",
        "file[/etc/nginx/nginx.conf]",
        "package[shop]",
        "file[/etc/nginx/conf.d/shop.conf]",
        "file[/etc/nginx/conf.d/blog.conf]",
        "service[nginx]",
        "service[shop]",
    ];
    assert_eq!(ids, expected);
}
