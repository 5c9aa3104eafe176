//! An enrolled agent that has nothing to do: memory, wake-ups, processor time, writes.
//!
//! `cargo build --release && cargo bench -p holdfast-testkit --bench idle`
//!
//! A real `holdfast serve` on loopback declares 5000 files for one host; a real
//! `holdfast-agent run --root` applies them, runs a second time and finds nothing, and then waits
//! with its connection to the server open. What the kernel counts of it over 30 s is the figure.
//! The files are those of `PEERS.md`: 200 bytes, all different, content in the catalog.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use holdfast_schemas::operator_api::HostSummary;
use holdfast_testkit::{Agent, Running, Server, Site, wait_until};

/// Managed files.
const FILES: u32 = 5000;

/// How long the idle agent is watched.
const SPAN: Duration = Duration::from_secs(30);

/// How long a run may take: a first apply fsyncs every file.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long nothing may have happened before the agent counts as idle.
const QUIET: Duration = Duration::from_secs(2);

fn main() {
    let site = Site::new().unwrap();
    site.write("hosts/idle.yaml", "roles: [files]\n").unwrap();
    site.write("roles/files/role.yaml", &role()).unwrap();
    site.commit("5000 files").unwrap();
    let server = Server::start(site.path()).unwrap();
    let host = Agent::enrolled(&server, "idle").unwrap();

    let first = started(&host);
    wait_for_report(&server);
    println!("after the first apply      {}", Held::by(&first));
    let before = last_run(&host);
    drop(first);

    let agent = started(&host);
    let ran = wait_until(PATIENCE, || last_run(&host) != before);
    assert!(ran, "no second run:\n{}", host.log());
    settle(&agent);
    println!("idle, after an empty run   {}", Held::by(&agent));
    let begin = Counted::of(agent.pid());
    // The span is what is measured.
    std::thread::sleep(SPAN);
    let end = Counted::of(agent.pid());
    println!("connections to the server  {:>9}", connections(agent.pid()));
    println!(
        "over {} s                  {}",
        SPAN.as_secs(),
        end.since(&begin)
    );
    assert_eq!(connections(agent.pid()), 1, "the connection is not open");
}

/// A role of files with their content in it.
fn role() -> String {
    let mut role = String::from("resources:\n  - directory: /srv\n");
    for place in 0..FILES {
        let line = format!("{place:039}\\n");
        writeln!(role, "  - file: /srv/f{place:05}\n    mode: \"0644\"").unwrap();
        writeln!(role, "    content: \"{}\"", line.repeat(5)).unwrap();
    }
    role
}

fn started(host: &Agent) -> Running {
    host.run(&["--interval", "1h"]).unwrap()
}

/// Waits until the server knows that all files are as wanted.
fn wait_for_report(server: &Server) {
    let reported = wait_until(PATIENCE, || {
        let hosts = server.ask(["hosts", "--json"]).unwrap();
        let hosts: Vec<HostSummary> = serde_json::from_str(&hosts).unwrap();
        let counts = hosts.first().and_then(|host| host.counts);
        counts.is_some_and(|counts| counts.changed + counts.in_sync >= FILES)
    });
    assert!(reported, "no report:\n{}", server.log());
}

/// What the agent notes of its last run.
fn last_run(host: &Agent) -> Option<Vec<u8>> {
    fs::read(host.state().join("last-run.json")).ok()
}

/// Waits until the agent has used no processor for a while.
fn settle(agent: &Running) {
    let mut seen = (Counted::of(agent.pid()).ticks, std::time::Instant::now());
    let settled = wait_until(PATIENCE, || {
        let ticks = Counted::of(agent.pid()).ticks;
        if ticks != seen.0 {
            seen = (ticks, std::time::Instant::now());
        }
        seen.1.elapsed() >= QUIET
    });
    assert!(settled, "the agent does not come to rest");
}

/// Memory of a process, in MiB.
struct Held {
    resident: f64,
    anonymous: f64,
    peak: f64,
}

impl Held {
    fn by(agent: &Running) -> Self {
        let status = text(agent.pid(), "status");
        let mib = |field| number(&status, field) as f64 / 1024.0;
        Self {
            resident: mib("VmRSS:"),
            anonymous: mib("RssAnon:"),
            peak: mib("VmHWM:"),
        }
    }
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (resident, anonymous, peak) = (self.resident, self.anonymous, self.peak);
        write!(
            f,
            "{resident:>9.1} MiB resident, {anonymous:.1} of it its own; peak {peak:.1} MiB"
        )
    }
}

/// What the kernel counts of a process.
struct Counted {
    /// Voluntary context switches of all threads: each ends in a wake-up.
    wakeups: u64,
    /// Processor time, in clock ticks.
    ticks: u64,
    /// Bytes given to `write`, to sockets too.
    written: u64,
    /// Bytes that went to a disk.
    disk: u64,
}

impl Counted {
    fn of(pid: u32) -> Self {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let statuses = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")));
        let io = text(pid, "io");
        let stat = text(pid, "stat");
        // proc(5): after the name in parentheses, the 12th and 13th fields.
        let (_, after) = stat.rsplit_once(") ").unwrap();
        let times = after.split(' ').skip(11).take(2);
        Self {
            wakeups: statuses
                .map(|status| number(&status.unwrap_or_default(), "voluntary_ctxt_switches:"))
                .sum(),
            ticks: times.map(|ticks| ticks.parse::<u64>().unwrap()).sum(),
            written: number(&io, "wchar:"),
            disk: number(&io, "write_bytes:"),
        }
    }

    fn since(&self, before: &Self) -> String {
        format!(
            "{:>9} wake-ups, {} clock ticks of processor, {} bytes written, {} to disk",
            self.wakeups.saturating_sub(before.wakeups),
            self.ticks - before.ticks,
            self.written - before.written,
            self.disk - before.disk
        )
    }
}

fn text(pid: u32, file: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/{file}")).expect("the agent lives")
}

/// The number of a line `FIELD NUMBER …`; 0 for a thread that has ended meanwhile.
fn number(text: &str, field: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let word = line.and_then(|line| line.split_whitespace().next());
    word.map_or(0, |word| word.parse().expect("a number"))
}

/// Open TCP sockets of a process.
fn connections(pid: u32) -> usize {
    let tcp = text(pid, "net/tcp");
    let established = tcp.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields[3] == "01").then(|| format!("socket:[{}]", fields[9]))
    });
    let established: Vec<String> = established.collect();
    let open = fs::read_dir(Path::new("/proc").join(pid.to_string()).join("fd")).unwrap();
    open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|link| {
            established
                .iter()
                .any(|socket| link.to_str() == Some(socket))
        })
        .count()
}
