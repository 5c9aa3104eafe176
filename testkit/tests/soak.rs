//! Many commits and many drifts, one server and one agent that live through them all: neither
//! collects open files, threads or memory on the way.
//!
//! `HOLDFAST_SOAK` says how many rounds; the campaign has many, every other run a few. The first
//! rounds are not counted: caches fill and connections are made.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

use std::fs;
use std::time::Duration;

use holdfast_testkit::{Agent, Running, Server, Site, wait_until};

/// Rounds when nothing else is said.
const ROUNDS: u64 = 6;

/// Rounds before anything is counted.
const WARM: u64 = 3;

/// How long one step may take on a busy machine; all of them take about a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a process may hold more than after the first rounds, in KiB: a page cache of the
/// allocator, not something for each round.
const SLACK_KIB: u64 = 16 * 1024;

/// What more it may have open: one connection under way.
const SLACK_FILES: usize = 4;

#[test]
fn nothing_grows_with_commits_and_drifts() {
    let rounds = std::env::var("HOLDFAST_SOAK").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let site = Site::new().unwrap();
    site.write("hosts/soak.yaml", "roles: [soak]\n").unwrap();
    declare(&site, 0);
    let server = Server::start(site.path()).unwrap();
    let host = Agent::enrolled(&server, "soak").unwrap();
    let agent = host.run(&["--interval", "1h"]).unwrap();
    shows(&host, 0);

    let mut warm = None;
    for round in 1..=WARM + rounds {
        declare(&site, round);
        shows(&host, round);
        fs::write(host.path("/etc/soak"), "tampered\n").unwrap();
        shows(&host, round);
        if round == WARM {
            warm = Some((Held::by_server(&server), Held::by_agent(&agent)));
        }
    }
    let (server_then, agent_then) = warm.unwrap();
    let (server_now, agent_now) = (Held::by_server(&server), Held::by_agent(&agent));
    eprintln!("server {server_then:?} -> {server_now:?}, agent {agent_then:?} -> {agent_now:?}");
    server_now.no_more_than(&server_then, "server");
    agent_now.no_more_than(&agent_then, "agent");
}

/// Commits a content of its own for a round.
fn declare(site: &Site, round: u64) {
    let role = format!("resources:\n  - file: /etc/soak\n    content: \"round {round}\\n\"\n");
    let role = role.replace("resources:\n", "resources:\n  - directory: /etc\n");
    site.write("roles/soak/role.yaml", &role).unwrap();
    site.commit("a round").unwrap();
}

/// Waits until the host has a round's content.
fn shows(host: &Agent, round: u64) {
    let wanted = format!("round {round}\n");
    let shown = wait_until(PATIENCE, || {
        host.read("/etc/soak").ok().as_deref() == Some(&wanted)
    });
    assert!(shown, "round {round} does not arrive:\n{}", host.log());
}

/// What a process holds.
#[derive(Debug)]
struct Held {
    resident_kib: u64,
    files: usize,
    threads: u64,
}

impl Held {
    fn by_server(server: &Server) -> Self {
        Self::by(server.pid().expect("the server runs"))
    }

    fn by_agent(agent: &Running) -> Self {
        Self::by(agent.pid())
    }

    fn by(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let word = line.and_then(|rest| rest.split_whitespace().next());
            word.expect("the kernel says it").parse().unwrap()
        };
        Self {
            resident_kib: number("VmRSS:"),
            files: fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count(),
            threads: number("Threads:"),
        }
    }

    fn no_more_than(&self, then: &Self, who: &str) {
        assert!(
            self.resident_kib <= then.resident_kib + SLACK_KIB,
            "{who}: memory grows"
        );
        assert!(
            self.files <= then.files + SLACK_FILES,
            "{who}: open files pile up"
        );
        // The server's blocking threads come and go by tokio's rules, up to its own bound.
        assert!(self.threads <= then.threads + 16, "{who}: threads pile up");
    }
}
