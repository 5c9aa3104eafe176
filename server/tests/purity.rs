//! `fleet` decides and does nothing else: no clock, disk, network, randomness or log there. Its
//! table alone reads records through the store's trait, and keeps them in memory.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

/// What a decision has no use for; times and records are handed in.
const FORBIDDEN: [&str; 16] = [
    "tokio",
    "axum",
    "tracing",
    "getrandom",
    "rustix",
    "std::fs",
    "std::io",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "async ",
    "Store",
];

/// What the table of hosts may use beyond that: a lock per host, whoever waits for news, and the
/// trait that records are read through.
const TABLE: [&str; 2] = ["tokio", "Store"];

#[test]
fn fleet_is_pure() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/fleet");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let lines = code.lines().filter(|line| !line.trim().starts_with("//"));
        for (number, line) in lines.enumerate() {
            for word in FORBIDDEN {
                let allowed = name == "table.rs" && TABLE.contains(&word);
                let store_types = line.replace("holdfast_store", "");
                assert!(
                    allowed || !store_types.contains(word),
                    "{name}, line of code {number}: {word} in {line:?}"
                );
            }
        }
        seen += 1;
    }
    assert!(seen >= 6, "the folder moved");
}
