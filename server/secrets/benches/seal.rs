//! What secrets cost a server: opening one, having it at hand, committing to a content, sealing it.
//!
//! `cargo bench -p holdfast-secrets --bench seal`; one core, medians.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use std::hint::black_box;
use std::time::Instant;

use holdfast_catalog::diag::{Source, Span};
use holdfast_catalog::{Piece, SealedContent};
use holdfast_schemas::HostName;
use holdfast_schemas::secret::{SealingKey, SecretName};
use holdfast_secrets::{Form, HostKey, Keyring, MASTER, Opened, Recipients, Sealer, compose};

/// Hosts of the fleet that shares one secret.
const HOSTS: usize = 10_000;

/// How often each thing is done.
const TIMES: usize = 1000;

fn main() {
    // The harness asks every bench for its tests; there are none.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let made = Keyring::generate();
    let keyring = Keyring::parse(&made.file).unwrap();
    let other = Keyring::generate().recipient;
    let to = Recipients::parse([&*other, &*made.recipient]).unwrap();
    let encrypted = to.encrypt(b"correct horse battery", Form::Armored).unwrap();
    let content = SealedContent {
        pieces: vec![
            Piece::Text("listen 80\n".repeat(200).into()),
            Piece::Secret {
                name: SecretName::new("app.password").unwrap(),
                encrypted: encrypted.clone().into(),
                place: Span::whole(&Source::new("globals.yaml", "")),
            },
        ],
    };
    let sealer = Sealer::new(&[7; MASTER]);
    let host: HostName = "web-1".parse().unwrap();
    let key = HostKey::new(&SealingKey([9; 32])).unwrap();
    let opened = Opened::new(&keyring);
    let whole = compose(&content, &opened).unwrap();
    let committed = sealer.commit(&host, &whole);

    median("open an age value, 2 recipients", || {
        black_box(keyring.open(&encrypted).unwrap());
    });
    median("have it at hand", || {
        black_box(opened.open(&encrypted).unwrap());
    });
    median("put 2 KiB together and commit", || {
        let whole = compose(&content, &opened).unwrap();
        black_box(sealer.commit(&host, &whole));
    });
    median("seal 2 KiB", || {
        black_box(sealer.seal(&key, &committed, &whole));
    });
    fleet(&keyring, &sealer, (&content, &key));
}

/// The whole fleet at a commit that changes the secret, and at one that does not.
fn fleet(keyring: &Keyring, sealer: &Sealer, (content, key): (&SealedContent, &HostKey)) {
    let hosts: Vec<HostName> = (0..HOSTS)
        .map(|number| format!("web-{number}").parse().unwrap())
        .collect();
    for (what, seals) in [("only commit", false), ("commit and seal", true)] {
        let opened = Opened::new(keyring);
        let began = Instant::now();
        for host in &hosts {
            let whole = compose(content, &opened).unwrap();
            let committed = sealer.commit(host, &whole);
            if seals {
                black_box(sealer.seal(key, &committed, &whole));
            }
        }
        let took = began.elapsed().as_secs_f64() * 1e3;
        println!("{HOSTS} hosts share one: {what:24} {took:9.1} ms");
    }
}

fn median(what: &str, mut work: impl FnMut()) {
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{what:40} {:9.1} µs", times[TIMES / 2]);
}
