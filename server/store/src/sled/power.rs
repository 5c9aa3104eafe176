//! Power cuts, replayed: what was acknowledged survives the loss of everything that was not synced.
//!
//! The writer runs under `strace`. From its system calls the files are rebuilt as a power cut at
//! a random moment would leave them ([`disk`]), the store is opened on them, and what the writer
//! had acknowledged by then has to be there. A model of a disk, not a disk: it takes syncs at
//! their word and everything else at its worst.
//!
//! For the campaign: `HOLDFAST_POWER_CUTS=100 cargo nextest run -p holdfast-store power`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod disk;
mod trace;

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::SledStore;
use super::kill::{self, HOSTS, WRITER};
use disk::{Disk, Model, Random};
use trace::Call;

/// How many power cuts to try, each under both models.
const CUTS: &str = "HOLDFAST_POWER_CUTS";

/// The seed of an earlier run's moments.
const SEED: &str = "HOLDFAST_POWER_SEED";

/// What changes files or makes changes last.
const TRACED: &str = "trace=openat,creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,\
    fallocate,copy_file_range,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,\
    mkdirat,fsync,fdatasync";

/// Seconds until the writer is killed.
const LONG: &str = "3";

#[test]
fn what_was_acknowledged_survives_power_cuts() {
    let name = "what_was_acknowledged_survives_power_cuts";
    let Some(cuts) = std::env::var(CUTS).ok() else {
        holdfast_testkit::skip(name, &format!("{CUTS} does not say how many"));
        return;
    };
    if Command::new("strace").arg("-V").output().is_err() {
        holdfast_testkit::skip(name, "strace is not installed");
        return;
    }
    let cuts: usize = cuts.parse().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let store = folder.path().join("store");
    std::fs::create_dir(&store).unwrap();
    let calls = trace::read(&traced(folder.path(), &store));
    let disk = Disk::of(&calls, &store);
    let seed = std::env::var(SEED)
        .ok()
        .map_or_else(now, |seed| seed.parse().unwrap());
    eprintln!("{SEED}={seed}: {cuts} cuts within {} calls", calls.len());
    let mut random = Random(seed);
    let last = calls.iter().map(|call| call.start).max().unwrap();
    let mut acknowledged_at_all = 0;
    for _ in 0..cuts {
        let moment = random.below(last + 1);
        let acknowledged = acknowledged(&calls, moment);
        for model in [Model::Synced, Model::SyncedAndHalf] {
            let place = tempfile::TempDir::new().unwrap();
            disk.rebuild(moment, model, &mut random, place.path());
            eprintln!("cut at {moment}, {model:?}: {acknowledged:?}");
            check(place.path(), acknowledged);
        }
        acknowledged_at_all += u64::from(acknowledged.iter().all(|&last| last > 0));
    }
    assert!(
        acknowledged_at_all > 0,
        "every cut was before the first report"
    );
}

/// Opens what a power cut left, and compares.
fn check(place: &Path, acknowledged: [u64; HOSTS]) {
    match SledStore::open(place) {
        Ok(store) => {
            for (number, last) in acknowledged.into_iter().enumerate() {
                kill::check(&store, number, last);
            }
        }
        // A store that was never finished has nothing to lose.
        Err(error) => assert_eq!(acknowledged, [0; HOSTS], "{error:?}"),
    }
}

/// Runs the writer for a while, and gives what it did.
fn traced(folder: &Path, store: &Path) -> String {
    let trace = folder.join("trace");
    let ran = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-y",
            "-xx",
            "-s",
            "16777216",
            "-e",
            "signal=none",
            "-e",
            TRACED,
            "-o",
        ])
        .arg(&trace)
        .args(["timeout", "-s", "KILL", LONG])
        .arg(std::env::current_exe().unwrap())
        .args(["sled::kill::writer", "--exact", "--nocapture"])
        .env(WRITER, store)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    std::fs::read_to_string(&trace).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// The last report of each host that was acknowledged before a moment.
fn acknowledged(calls: &[Call], moment: usize) -> [u64; HOSTS] {
    let mut last = [0; HOSTS];
    for call in calls
        .iter()
        .filter(|call| call.name == "write" && call.start < moment)
    {
        let text = String::from_utf8_lossy(call.strings.first().map_or(&[][..], |text| text));
        for told in text
            .lines()
            .filter_map(|line| line.split_once("acknowledged "))
        {
            let (number, sequence) = told.1.split_once(' ').unwrap();
            let number: usize = number.parse().unwrap();
            last[number] = sequence.parse::<u64>().unwrap().max(last[number]);
        }
    }
    last
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}
