//! `kill -9` of an enrolled agent at any moment of a run against a live server, the fetching of
//! catalog and blobs included: every managed file is whole, and the next run converges.
//!
//! `HOLDFAST_KILLS` says how often; the campaign asks for many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use holdfast_schemas::operator_api::HostSummary;
use holdfast_schemas::report::Report;
use holdfast_testkit::{Agent, Server, Site, wait_until};

/// Kills unless `HOLDFAST_KILLS` says how many.
const KILLS: u64 = 10;

/// Files whose content stands in the catalog.
const INLINE: usize = 60;

/// Files whose content is a blob of its own.
const BLOBS: usize = 12;

/// How long the server may take to give out a commit.
const PATIENCE: Duration = Duration::from_secs(60);

/// The fractional part of the golden ratio: its multiples are spread over a run without a gap.
const SPREAD: f64 = 0.618_033_988_749_895;

/// Long enough that a half-written file would be caught.
fn inline(generation: u64, number: usize) -> String {
    format!("generation {generation} file {number}\n").repeat(100)
}

/// Too long for a catalog.
fn blob(generation: u64, number: usize) -> String {
    format!("generation {generation} blob {number}\n").repeat(3000)
}

/// Every managed file, and what it holds in a generation.
fn files(generation: u64) -> impl Iterator<Item = (String, String)> {
    let inlines = (0..INLINE).map(move |n| (format!("/srv/inline-{n}"), inline(generation, n)));
    let blobs = (0..BLOBS).map(move |n| (format!("/srv/blob-{n}"), blob(generation, n)));
    inlines.chain(blobs)
}

/// A server whose repo declares the files of a generation, and the host that is killed.
struct World {
    site: Site,
    server: Server,
    web: Agent,
}

impl World {
    fn new() -> Self {
        let site = Site::new().unwrap();
        site.write("hosts/web.yaml", "roles: [tree]\n").unwrap();
        site.write("roles/tree/role.yaml", &role()).unwrap();
        write(&site, 0);
        let server = Server::start(site.path()).unwrap();
        let web = Agent::enrolled(&server, "web").unwrap();
        Self { site, server, web }
    }

    /// Commits a generation, and waits until it is what the host is to have.
    fn commit(&self, generation: u64) {
        let before = self.wanted();
        write(&self.site, generation);
        let given = wait_until(PATIENCE, || self.wanted() > before);
        assert!(
            given,
            "{generation} is not given out:\n{}",
            self.server.log()
        );
    }

    fn wanted(&self) -> u64 {
        let hosts = self.server.ask(["hosts", "--json"]).unwrap();
        let hosts: Vec<HostSummary> = serde_json::from_str(&hosts).unwrap();
        hosts
            .iter()
            .map(|host| host.wants)
            .max()
            .unwrap_or_default()
    }

    /// Starts a run and kills it: in turn after a while, and when it has come to some file.
    fn kill(&self, kill: u64, usual: Duration) {
        // In turn a single run and the service, whose first run is the same.
        let (verb, more): (&str, &[&str]) = match kill % 2 {
            0 => ("once", &[]),
            _ => ("run", &["--interval", "1h"]),
        };
        let mut agent = self.web.command(verb).unwrap();
        agent.arg("--root").arg(self.web.path("/")).args(more);
        agent.stdout(Stdio::null()).stderr(Stdio::null());
        let mut agent = agent.spawn().unwrap();
        let spread = (kill as f64 * SPREAD).fract();
        match kill / 2 % 2 {
            0 => std::thread::sleep(usual.mul_f64(spread)),
            _ => self.wait_for_file(kill, (spread * (INLINE + BLOBS) as f64) as usize),
        }
        agent.kill().unwrap();
        agent.wait().unwrap();
    }

    /// Looks without a pause until the file of a number is the generation's.
    fn wait_for_file(&self, generation: u64, number: usize) {
        let (path, content) = files(generation).nth(number).unwrap();
        let begun = Instant::now();
        while self.web.read(&path).unwrap() != content {
            assert!(begun.elapsed() < PATIENCE, "{path} stays as it was");
        }
    }

    /// The next run: nothing fails, and everything is as the generation has it.
    fn expect_converged(&self, generation: u64) {
        let next = self.web.once(&["--json"]).unwrap();
        assert!([Some(0), Some(2)].contains(&next.code), "{}", next.stderr);
        let report: Report = serde_json::from_str(&next.stdout).unwrap();
        assert_eq!(report.counts.failed + report.counts.skipped, 0);
        for (path, content) in files(generation) {
            assert!(self.web.read(&path).unwrap() == content, "{path}");
        }
        let last = self.web.once(&[]).unwrap();
        assert_eq!(last.code, Some(0), "{}{}", last.stdout, last.stderr);
        let names = fs::read_dir(self.web.path("/srv")).unwrap().count();
        assert_eq!(names, INLINE + BLOBS, "temporary files are left");
    }
}

/// The role: every file by its content's template or source.
fn role() -> String {
    let mut role = String::from("resources:\n  - directory: /srv\n");
    for number in 0..INLINE {
        role += &format!("  - file: /srv/inline-{number}\n    template: inline-{number}\n");
    }
    for number in 0..BLOBS {
        role += &format!("  - file: /srv/blob-{number}\n    source: blob-{number}\n");
    }
    role
}

fn write(site: &Site, generation: u64) {
    for (path, content) in files(generation) {
        let name = path.trim_start_matches("/srv/");
        let folder = match name.starts_with("blob") {
            true => "files",
            false => "templates",
        };
        site.write(&format!("roles/tree/{folder}/{name}"), &content)
            .unwrap();
    }
    site.commit("a generation").unwrap();
}

#[test]
fn every_file_is_whole_and_the_next_run_converges() {
    let kills = std::env::var("HOLDFAST_KILLS");
    let kills: u64 = kills.map_or(KILLS, |kills| kills.parse().unwrap());
    let world = World::new();
    world.expect_converged(0);
    world.commit(1);
    let begun = Instant::now();
    world.web.once(&[]).unwrap();
    let usual = begun.elapsed();
    world.expect_converged(1);

    let mut halfway = 0;
    for kill in 2..kills + 2 {
        world.commit(kill);
        world.kill(kill, usual);
        let mut new = 0;
        for ((path, old), (_, wanted)) in files(kill - 1).zip(files(kill)) {
            let found = world.web.read(&path).unwrap();
            assert!(
                found == old || found == wanted,
                "{path} is torn by kill {kill}"
            );
            new += usize::from(found == wanted);
        }
        halfway += u64::from(new > 0 && new < INLINE + BLOBS);
        world.expect_converged(kill);
    }
    eprintln!("{kills} kills, {halfway} of them between two files");
}
