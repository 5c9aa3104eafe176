//! How much is read and where it goes: limits, the sink, and how long it takes.

use std::fs;
use std::time::Duration;

use crate::world::{Repo, git_in, write};
use crate::{all, open, options, read, told};
use holdfast_catalog::site::{Entry, MAX_CONTENT, MAX_TEXT};
use holdfast_schemas::Digest;
use holdfast_source::{Discard, KeepInMemory, Revision, Source, SourceError};
use tempfile::TempDir;

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "roles/web/files/small", "x");
    let huge = |path: &str, size: u64| {
        let path = folder.path().join(path);
        fs::File::create(path).unwrap().set_len(size).unwrap();
    };
    huge("roles/web/files/huge", 1 << 40);
    huge("roles/web/files/fits", 1 << 20);
    huge("globals.yaml", MAX_TEXT + 1);
    let source = Source::working_tree(folder.path()).unwrap();
    let snapshot = read(&source);
    let told = all(&snapshot);
    assert_eq!(
        told["roles/web/files/huge"],
        format!("{} is over {MAX_CONTENT}", 1u64 << 40)
    );
    assert_eq!(
        told["roles/web/files/fits"],
        format!("content of {}", 1 << 20)
    );
    assert_eq!(
        told["globals.yaml"],
        format!("{} is over {MAX_TEXT}", MAX_TEXT + 1)
    );
}

#[test]
fn a_large_file_in_a_repository_is_not_read() {
    let repo = Repo::new();
    repo.write("roles/web/files/fits", &"x".repeat(1 << 20));
    repo.write(
        "globals.yaml",
        &"#".repeat(usize::try_from(MAX_TEXT).unwrap() + 1),
    );
    repo.commit();
    let snapshot = read(&open(&repo));
    let told = all(&snapshot);
    assert_eq!(
        told["globals.yaml"],
        format!("{} is over {MAX_TEXT}", MAX_TEXT + 1)
    );
    assert_eq!(
        told["roles/web/files/fits"],
        format!("content of {}", 1 << 20)
    );
}

#[test]
fn content_goes_to_the_sink_and_short_text_stays() {
    let repo = Repo::new();
    let long = "long ".repeat(100_000);
    repo.write("roles/web/files/long", &long);
    repo.write("roles/web/files/short", "short");
    fs::write(repo.path().join("roles/web/files/binary"), [0xff, 0, 1]).unwrap();
    repo.commit();
    let folder = Source::working_tree(repo.path()).unwrap();
    for source in [open(&repo), folder] {
        let mut sink = KeepInMemory::new(1 << 20, 1 << 30);
        let head = source.head().unwrap();
        let snapshot = source.read(&head, &mut sink).unwrap();
        assert_eq!(sink.kept.len(), 2);
        assert_eq!(sink.kept[&Digest::of(&long)], long.as_bytes());
        assert_eq!(sink.kept[&Digest::of([0xff, 0, 1])], [0xff, 0, 1]);
        let short = &snapshot.files["roles/web/files/short"];
        assert!(matches!(short, Entry::Content { digest, .. } if *digest == Digest::of("short")));
        let again = source.read(&head, &mut sink).unwrap();
        assert_eq!(all(&again), all(&snapshot));
    }
    let mut small = KeepInMemory::new(1000, 1000);
    let source = open(&repo);
    source.read(&source.head().unwrap(), &mut small).unwrap();
    assert_eq!(small.kept.len(), 1);
}

#[test]
fn a_sink_that_is_full_stops_the_reading() {
    struct Full;
    impl holdfast_source::ContentSink for Full {
        fn has(&mut self, _: &Digest, _: u64) -> Result<bool, holdfast_source::SinkError> {
            Ok(false)
        }
        fn put(
            &mut self,
            _: &Digest,
            _: u64,
            _: &mut dyn std::io::Read,
        ) -> Result<(), holdfast_source::SinkError> {
            Err("no room".into())
        }
    }
    let folder = TempDir::new().unwrap();
    write(folder.path(), "roles/web/files/long", &"x".repeat(10_000));
    let source = Source::working_tree(folder.path()).unwrap();
    let refused = source
        .read(&Revision::working_tree(), &mut Full)
        .unwrap_err();
    assert!(matches!(refused, SourceError::Sink { .. }), "{refused:?}");
}

#[test]
fn a_folder_deeper_than_allowed_ends() {
    let folder = TempDir::new().unwrap();
    let deep = "d/".repeat(60);
    write(folder.path(), &format!("{deep}x"), "x");
    let source = Source::working_tree(folder.path()).unwrap();
    let snapshot = read(&source);
    assert_eq!(snapshot.files.len(), 1);
    let (_, entry) = snapshot.files.first_key_value().unwrap();
    assert!(told(entry).starts_with("a folder deeper than"));
    git_in(folder.path(), &["init", "-q", "-b", "main"]);
    git_in(folder.path(), &["add", "."]);
    git_in(folder.path(), &["commit", "-q", "-m", "deep"]);
    let source = Source::open(folder.path().to_str().unwrap(), options(&folder)).unwrap();
    assert_eq!(all(&read(&source)), all(&snapshot));
}

#[test]
fn a_large_site_is_read_quickly() {
    let repo = Repo::new();
    for number in 0..7000 {
        let path = match number % 4 {
            0 => format!("roles/r{}/files/f{number}", number % 50),
            1 => format!("roles/r{}/templates/t{number}.j2", number % 50),
            _ => format!("hosts/h{number}.yaml"),
        };
        repo.write(&path, &format!("vars: {{ number: {number} }}\n"));
    }
    repo.commit();
    repo.git(&["gc", "-q"]);
    let folder = Source::working_tree(repo.path()).unwrap();
    for source in [open(&repo), folder] {
        let head = source.head().unwrap();
        let began = std::time::Instant::now();
        let snapshot = source.read(&head, &mut Discard).unwrap();
        let took = began.elapsed();
        assert_eq!(snapshot.files.len(), 7000);
        eprintln!("{} entries of {source:?} in {took:?}", snapshot.files.len());
        // Far above what it takes, far below what a quadratic reader would.
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}
