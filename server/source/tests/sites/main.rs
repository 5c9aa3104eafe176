//! Sites as they come: folders, repositories bare and not, URLs, and what is planted in them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod hostile;
mod limits;
mod revisions;
mod world;

use std::collections::BTreeMap;

use holdfast_catalog::site::{Entry, Snapshot};
use holdfast_source::{Discard, Options, Source};
use tempfile::TempDir;
use world::Repo;

/// What a test says of an entry.
fn told(entry: &Entry) -> String {
    match entry {
        Entry::Text(bytes) => format!("text {}", String::from_utf8_lossy(bytes)),
        Entry::Content { size, inline, .. } => match inline {
            Some(text) => format!("content {text}"),
            None => format!("content of {size}"),
        },
        Entry::Encrypted(bytes) => format!("{} bytes, encrypted", bytes.len()),
        Entry::TooLarge { size, limit } => format!("{size} is over {limit}"),
        Entry::Link { target } => format!("link to {target}"),
        Entry::Foreign { what } => what.clone(),
    }
}

fn all(snapshot: &Snapshot) -> BTreeMap<&str, String> {
    let files = snapshot.files.iter();
    files.map(|(path, entry)| (&**path, told(entry))).collect()
}

fn read(source: &Source) -> Snapshot {
    source.read(&source.head().unwrap(), &mut Discard).unwrap()
}

fn options(folder: &TempDir) -> Options {
    Options::new(folder.path().join("cache"))
}

fn open(repo: &Repo) -> Source {
    Source::open(repo.path().to_str().unwrap(), options(&repo.folder)).unwrap()
}
