//! How many durable writes a second the store on disk takes, from one writer and from many, and
//! how long a reader waits meanwhile.
//!
//! `cargo bench -p holdfast-store --bench commits`; the store is made under `$TMPDIR`, so that
//! says which disk is measured.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use holdfast_store::{SledStore, Store};
use serde_json::json;

/// How long each case runs: thousands of commits.
const LONG: Duration = Duration::from_secs(3);

/// A record of 200 bytes.
const VALUE: usize = 190;

fn main() {
    // The harness asks every bench for its tests; there are none.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    for writers in [1, 8, 64] {
        let folder = tempfile::TempDir::new().unwrap();
        let store = SledStore::open(folder.path()).unwrap();
        run(&store, writers);
    }
}

fn run(store: &Arc<dyn Store>, writers: usize) {
    let end = AtomicBool::new(false);
    let (written, read) = std::thread::scope(|scope| {
        let write = |writer: usize| {
            let (store, end) = (&store, &end);
            scope.spawn(move || {
                timed(end, |number| {
                    let name = format!("{writer}-{}", number % 1000);
                    let value = json!("x".repeat(VALUE));
                    store.put_setting(&name, Some(value)).unwrap();
                })
            })
        };
        let writing: Vec<_> = (0..writers).map(write).collect();
        let reading = scope.spawn(|| {
            timed(&end, |_| {
                store.setting("0-0").unwrap();
            })
        });
        std::thread::sleep(LONG);
        end.store(true, Ordering::SeqCst);
        let written: Vec<_> = writing.into_iter().map(|one| one.join().unwrap()).collect();
        (written.concat(), reading.join().unwrap())
    });
    let rate = u128::try_from(written.len()).unwrap() * 1000 / LONG.as_millis();
    println!(
        "{writers:2} writers: {rate} commits/s, each {}; a read meanwhile {}",
        spread(written),
        spread(read)
    );
}

/// Does something again and again, and says how long each took.
fn timed(end: &AtomicBool, mut act: impl FnMut(u64)) -> Vec<Duration> {
    let mut took = Vec::new();
    for number in 0.. {
        if end.load(Ordering::SeqCst) {
            break;
        }
        let began = Instant::now();
        act(number);
        took.push(began.elapsed());
    }
    took
}

/// The half and the ninety-ninth of a hundred.
fn spread(mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let at = |part: usize| {
        took.get(took.len() * part / 100)
            .copied()
            .unwrap_or_default()
    };
    format!("p50 {:.2?} p99 {:.2?}", at(50), at(99))
}
