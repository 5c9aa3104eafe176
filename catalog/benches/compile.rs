//! How long it takes to parse a site and to compile hosts of 200 resources each: one, and a
//! thousand, on one thread and on two. Run with `cargo bench -p holdfast-catalog`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use holdfast_catalog::{HostInput, Site, Snapshot};

/// Hosts of the fleet.
const HOSTS: usize = 1000;

/// Roles of a host, of ten resources each.
const ROLES: usize = 20;

fn fleet() -> Snapshot {
    let mut files = vec![(
        "globals.yaml".to_owned(),
        "vars: { file_ulimit: 65536, region: { id: js, ntp: [a, b, c] } }\n".to_owned(),
    )];
    for role in 0..ROLES {
        let mut text = "params:\n  port: { type: integer, default: 80 }\n  list: { type: array, \
                        default: [a, b, c] }\nresources:\n"
            .to_owned();
        for file in 0..9 {
            let edge = format!("    notify: service[s{role}]\n");
            let content = match file {
                0 => "    template: t.j2\n",
                _ => "    content: \"{{ host.name }}:{{ params.port }} {{ region.id }}\\n\"\n",
            };
            writeln!(
                text,
                "  - file: /etc/r{role}/f{file}\n    mode: \"0644\"\n{content}{edge}"
            )
            .unwrap();
        }
        writeln!(
            text,
            "  - service: s{role}\n    state: running\n    enabled: true"
        )
        .unwrap();
        let template = "# {{ inventory_hostname }}\n{% for item in params.list %}\nitem = {{ item }}\n\
                        {% endfor %}\nulimit = {{ global.file_ulimit }}\nlisten = {{ host.address }}\n";
        files.push((format!("roles/r{role}/role.yaml"), text));
        files.push((format!("roles/r{role}/templates/t.j2"), template.to_owned()));
    }
    let roles: Vec<String> = (0..ROLES).map(|role| format!("r{role}")).collect();
    let roles = roles.join(", ");
    files.push((
        "groups/all.yaml".to_owned(),
        format!("match: host.idc == \"js\"\nroles: [{roles}]\nvars: {{ r1: {{ port: 8080 }} }}\n"),
    ));
    for host in 0..HOSTS {
        let text = format!(
            "idc: js\naddress: 10.0.{}.{}\nvars: {{ own: {host} }}\n",
            host / 250,
            host % 250
        );
        files.push((format!("hosts/host-{host}.yaml"), text));
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    support::site(&files)
}

fn timed<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    let took: Duration = start.elapsed();
    println!("{what:<44} {:>9.2} ms", took.as_secs_f64() * 1000.0);
    result
}

fn main() {
    let snapshot = fleet();
    let site = timed("parse: 1000 hosts, 20 roles", || {
        Site::parse(&snapshot).unwrap()
    });
    let hosts: Vec<HostInput> = site.hosts().cloned().map(HostInput::new).collect();
    let first = timed("compile: one host, first", || {
        site.compile(&hosts[0]).unwrap()
    });
    assert_eq!(first.catalog.resources.len(), ROLES * 10);
    timed("compile: one host, again", || {
        site.compile(&hosts[1]).unwrap()
    });
    timed("compile: 1000 hosts, one thread", || {
        for host in &hosts {
            site.compile(host).unwrap();
        }
    });
    timed("compile: 1000 hosts, two threads", || {
        std::thread::scope(|scope| {
            for half in hosts.chunks(HOSTS / 2) {
                scope.spawn(|| {
                    half.iter()
                        .for_each(|host| drop(site.compile(host).unwrap()))
                });
            }
        });
    });
}
