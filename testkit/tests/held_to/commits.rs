//! Commits that must not be served: each is refused with diagnostics that say where and what to
//! write, while the last good revision stays and hosts go on with it.

use std::fs::File;
use std::process::Command;
use std::time::{Duration, Instant};

use holdfast_testkit::{Site, program, wait_until};

use crate::world::{
    GOOD_ROLE, GOOD_TEMPLATE, HOST, PATIENCE, ROLE, TEMPLATE, World, expect_in_sync, host, report,
};

/// Size of the file that nobody meant to commit.
const GIGABYTE: u64 = 1 << 30;

/// What a server may take of memory for a file that it does not read, in KiB.
const MODEST_KIB: u64 = 128 * 1024;

/// A commit, and what its diagnostics say.
struct Bad {
    file: &'static str,
    text: String,
    says: &'static [&'static str],
}

fn bad_commits() -> Vec<Bad> {
    let bad = |file, text: &str, says| Bad {
        file,
        text: text.to_owned(),
        says,
    };
    let wrong_type = "roles: [base]\nvars:\n  base: { greeting: hello, port: lots }\n";
    let unknown_key = GOOD_ROLE.replacen("mode:", "moode:", 1);
    let endless = "{% for a in range(9000) %}{% for b in range(9000) %}{{ b }}{% endfor %}\
                   {% endfor %}\n";
    vec![
        bad(HOST, "roles: [base\nvars: {", &["hosts/web.yaml:"]),
        bad(HOST, wrong_type, &["hosts/web.yaml:3:", "integer", "lots"]),
        bad(
            ROLE,
            &unknown_key,
            &["roles/base/role.yaml:", "moode", "`mode`"],
        ),
        bad(
            TEMPLATE,
            "listen {{ params.prt }}\n",
            &["app.conf.j2:1:", "params.prt", "port"],
        ),
        bad(TEMPLATE, endless, &["app.conf.j2:1:", "limit"]),
    ]
}

#[test]
fn a_commit_that_does_not_compile_is_refused_and_hosts_go_on() {
    let world = World::new();
    let web = world.web();
    let good = world.status().active;
    for bad in bad_commits() {
        let revision = world.commit(&[(bad.file, &bad.text)]);
        let diagnostics = refused(&world, &revision);
        for word in bad.says {
            assert!(
                diagnostics.contains(word),
                "{word} is not said of {}:\n{diagnostics}",
                bad.text
            );
        }
        assert_eq!(world.status().active, good, "the last good one stays");
        expect_in_sync(&web);
        world.site.write(bad.file, &good_text(bad.file)).unwrap();
    }
    // Whoever tampers meanwhile is met with the last good catalog.
    std::fs::write(web.path("/etc/motd"), "tampered\n").unwrap();
    let mended = web.once(&["--json"]).unwrap();
    assert_eq!(mended.code, Some(2), "{}", mended.stderr);
    assert_eq!(web.read("/etc/motd").unwrap(), "say hello\n");

    world.greet("again");
    let changed = web.once(&["--json"]).unwrap();
    assert_eq!(report(&changed).counts.changed, 1);
    assert_eq!(web.read("/etc/motd").unwrap(), "say again\n");
}

fn good_text(file: &str) -> String {
    match file {
        HOST => host("hello"),
        ROLE => GOOD_ROLE.to_owned(),
        _ => GOOD_TEMPLATE.to_owned(),
    }
}

#[test]
fn a_file_of_a_gigabyte_is_refused_unread() {
    let world = World::new();
    let web = world.web();
    let good = world.status().active;
    let large = world.site.path().join("roles/base/files/dump");
    File::create(&large).unwrap().set_len(GIGABYTE).unwrap();
    let role = GOOD_ROLE.replace("source: logo", "source: dump");
    let revision = world.commit(&[(ROLE, &role)]);
    let diagnostics = refused(&world, &revision);
    assert!(
        diagnostics.contains("roles/base/files/dump"),
        "{diagnostics}"
    );
    assert_eq!(world.status().active, good);
    let peak = peak_kib(world.server.pid().unwrap());
    assert!(peak < MODEST_KIB, "the server took {peak} KiB");
    expect_in_sync(&web);

    std::fs::remove_file(large).unwrap();
    let revision = world.commit(&[(ROLE, GOOD_ROLE)]);
    world.wait_until_served(&revision);
    expect_in_sync(&web);
}

#[test]
fn a_gigabyte_in_a_working_tree_fails_the_check_at_once() {
    let site = Site::new().unwrap();
    site.write(HOST, "roles: [base]\n").unwrap();
    site.write(ROLE, "resources:\n  - file: /etc/dump\n    source: dump\n")
        .unwrap();
    site.write("roles/base/files/dump", "").unwrap();
    let large = site.path().join("roles/base/files/dump");
    File::create(large).unwrap().set_len(GIGABYTE).unwrap();
    let mut check = Command::new(program("holdfast").unwrap());
    let begun = Instant::now();
    let output = check.arg("check").arg("--site").arg(site.path()).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("roles/base/files/dump"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(10), "it was read");
}

/// Waits until a revision is refused; the diagnostics.
fn refused(world: &World, revision: &str) -> String {
    let mut diagnostics = None;
    let refused = wait_until(PATIENCE, || {
        let refused = world.status().refused;
        let this = refused.filter(|refused| refused.revision == revision);
        diagnostics = this.map(|refused| refused.diagnostics);
        diagnostics.is_some()
    });
    assert!(
        refused,
        "{revision} was not refused:\n{}",
        world.server.log()
    );
    diagnostics.unwrap()
}

/// The most memory that a process had so far.
pub(crate) fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = line.unwrap().trim().trim_end_matches(" kB");
    peak.parse().unwrap()
}
