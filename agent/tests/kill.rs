//! `kill -9` at any moment of an apply: every managed file is whole, and the next run converges.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{World, directory, file, with};
use serde_json::Value;

/// Kills unless `HOLDFAST_KILLS` says how many.
const KILLS: u64 = 10;

/// Files of one catalog: enough that a run takes longer than starting the program.
const FILES: usize = 120;

fn tree(generation: u64) -> Vec<Value> {
    let mut resources = vec![directory("/etc/tree")];
    for number in 0..FILES {
        let path = format!("/etc/tree/{number}");
        let resource = file(&path, &content(generation, number));
        resources.push(with(resource, "requires", &["directory[/etc/tree]"]));
    }
    resources
}

/// Long enough that a half-written file would be caught.
fn content(generation: u64, number: usize) -> String {
    format!("generation {generation} file {number}\n").repeat(100)
}

#[test]
fn every_file_is_whole_and_the_next_run_converges() {
    let kills = std::env::var("HOLDFAST_KILLS");
    let kills: u64 = kills.map_or(KILLS, |kills| kills.parse().unwrap());
    let world = World::new();
    world.declare(&tree(0));
    let begun = Instant::now();
    assert_eq!(world.apply().code, 2);
    let usual = begun.elapsed();

    for generation in 1..=kills {
        world.declare(&tree(generation));
        kill_after(&world, usual.mul_f64(generation as f64 / kills as f64));
        for number in 0..FILES {
            let found = world.read(&format!("/etc/tree/{number}"));
            let whole = [generation - 1, generation].map(|one| content(one, number));
            assert!(
                whole.contains(&found),
                "file {number} is torn after kill {generation}"
            );
        }
        let next = world.apply();
        let told = format!("{}{}", next.stdout, next.stderr);
        assert!([0, 2].contains(&next.code), "exit {}: {told}", next.code);
        assert_eq!(next.count("failed") + next.count("skipped"), 0);
        for number in 0..FILES {
            let path = format!("/etc/tree/{number}");
            assert_eq!(world.read(&path), content(generation, number));
        }
        assert_eq!(world.apply().code, 0);
        let left = fs::read_dir(world.path("/etc/tree")).unwrap().count();
        assert!(left < FILES + 64, "{left} names: temporary files pile up");
    }
}

fn kill_after(world: &World, delay: Duration) {
    let (catalog, root) = (
        world.catalog.to_str().unwrap(),
        world.root.to_str().unwrap(),
    );
    let mut child = world
        .command(&["apply", catalog, "--root", root])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
}
