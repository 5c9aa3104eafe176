//! `kill -9` while it writes: what was acknowledged is there, and nothing is there by half.
//!
//! The test starts itself as the writer, in a process of its own, and kills that at a moment of
//! its choosing; then it opens the store and compares with what the writer had acknowledged.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::conformance::{host, report, time};
use crate::{Certificate, Claim, Enrolment, SledStore, Store, TokenRecord};
use holdfast_schemas::Digest;

/// Says to this program that it is the writer, and where.
pub(super) const WRITER: &str = "HOLDFAST_TEST_WRITER";

/// How often the writer is killed, unless the campaign says otherwise in `HOLDFAST_KILLS`.
const KILLS: u64 = 8;

/// Hosts that report side by side.
pub(super) const HOSTS: usize = 4;

fn name(number: usize) -> String {
    format!("host-{number}")
}

/// Enrols a host.
pub(super) fn enrol(store: &Arc<dyn Store>, name: &str) {
    let secret = Digest::of(name);
    let token = TokenRecord {
        secret,
        created: time(0),
        expires: time(100),
        host: None,
        used: None,
    };
    let certificate = Certificate {
        serial: "1".to_owned(),
        fingerprint: secret,
        expires: time(100),
    };
    store.put_token(token).unwrap();
    let claim = Claim {
        secret,
        name: host(name),
        request: secret,
    };
    let enrolment = Enrolment {
        claim,
        certificate,
        sealing_key: None,
    };
    store.redeem(enrolment, time(1)).unwrap();
}

/// Every third report is long: a file beside the record.
fn length(sequence: u64) -> usize {
    if sequence.is_multiple_of(3) {
        20_000
    } else {
        200
    }
}

/// Writes until it is killed, and says on its output what was acknowledged. Does nothing unless
/// it was started by the test below.
#[test]
fn writer() {
    let Some(folder) = std::env::var_os(WRITER) else {
        return;
    };
    let store = SledStore::open(Path::new(&folder)).unwrap();
    std::thread::scope(|scope| {
        for number in 0..HOSTS {
            let store = &store;
            scope.spawn(move || {
                let name = name(number);
                if store.host(&host(&name)).unwrap().is_none() {
                    enrol(store, &name);
                }
                let record = store.host(&host(&name)).unwrap().unwrap();
                let last = record.reported.map_or(0, |last| last.report.sequence);
                for sequence in last + 1.. {
                    let report = report(&name, sequence, length(sequence));
                    store.append_report(report, time(5)).unwrap();
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "acknowledged {number} {sequence}").unwrap();
                    out.flush().unwrap();
                }
            });
        }
    });
}

/// Starts the writer, kills it after a while, and gives the last that it acknowledged per host.
fn killed_after(folder: &Path, moment: Duration) -> [u64; HOSTS] {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["sled::kill::writer", "--exact", "--nocapture"])
        .env(WRITER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(writer.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let mut last = [0; HOSTS];
        for line in output.split(b'\n') {
            // The last line may be cut, and begins anywhere when the harness wrote before it.
            let line = String::from_utf8(line.unwrap()).unwrap();
            let Some((_, told)) = line.split_once("acknowledged ") else {
                continue;
            };
            if let Some((number, sequence)) = told.split_once(' ')
                && let (Ok(number), Ok(sequence)) = (number.parse::<usize>(), sequence.parse())
            {
                last[number] = sequence;
            }
        }
        last
    });
    std::thread::sleep(moment);
    writer.kill().unwrap();
    writer.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn what_was_acknowledged_survives_the_killing_of_the_writer() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut acknowledged = [0u64; HOSTS];
    let kills = std::env::var("HOLDFAST_KILLS").ok();
    for kill in 0..kills.map_or(KILLS, |kills| kills.parse().unwrap()) {
        let moment = Duration::from_millis(300 + 67 * (kill % 16));
        let last = killed_after(folder.path(), moment);
        for (known, last) in acknowledged.iter_mut().zip(last) {
            *known = last.max(*known);
        }
        let store = SledStore::open(folder.path()).unwrap();
        for (number, &acknowledged) in acknowledged.iter().enumerate() {
            check(&store, number, acknowledged);
        }
    }
    assert!(
        acknowledged.iter().all(|&last| last > 0),
        "{acknowledged:?}"
    );
}

/// All reports up to the last acknowledged are there whole, each with its drift, without a gap.
pub(super) fn check(store: &Arc<dyn Store>, number: usize, acknowledged: u64) {
    let name = name(number);
    let mut after = None;
    let mut expected: Option<u64> = None;
    loop {
        let page = store
            .reports(Some(&host(&name)), after.as_deref(), 500)
            .unwrap();
        for row in page.rows {
            let sequence = row.report.id.sequence;
            assert_eq!(
                *expected.get_or_insert(sequence),
                sequence,
                "a gap in {name}"
            );
            assert_eq!(row.report, report(&name, sequence, length(sequence)));
            expected = Some(sequence - 1);
            if after.is_none() && sequence > acknowledged {
                assert!(sequence <= acknowledged + 1, "{sequence} came from nowhere");
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert!(
        expected.is_none_or(|left| left == 0),
        "{name} begins above {expected:?}"
    );
    let newest = store.reports(Some(&host(&name)), None, 1).unwrap();
    let newest = newest.rows.first().map_or(0, |row| row.report.id.sequence);
    assert!(newest >= acknowledged, "{name}: {newest} < {acknowledged}");
    let drift = store.drift(Some(&host(&name)), None, 1).unwrap();
    let drift = drift.rows.first().map_or(0, |event| event.report.sequence);
    assert_eq!(drift, newest, "a torn batch of {name}");
    let record = store.host(&host(&name)).unwrap();
    let reported = record.and_then(|record| record.reported);
    let reported = reported.map_or(0, |reported| reported.report.sequence);
    assert_eq!(reported, newest, "a torn batch of {name}");
}
