//! A file that held secrets and is plain now: nothing tells what was in it, wherever it lies.
//!
//! Each test ends by looking for the secret, and for its digest, in every byte that the agent
//! left behind or said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use common::host::Host;
use common::{Ran, directory, file, resource, with};
use crypto_box::aead::rand_core::{CryptoRng, Error, RngCore};
use holdfast_schemas::Digest;
use holdfast_schemas::catalog::SealedBlob;
use holdfast_schemas::secret::{Commitment, OPENING};
use serde_json::{Value, json};

const SECRET: &str = "correct-horse-battery-staple";
const KEY: [u8; 32] = [7; 32];

/// The numbers need not be random: who tests knows what is in the box.
struct Ones;

impl RngCore for Ones {
    fn next_u32(&mut self) -> u32 {
        1
    }

    fn next_u64(&mut self) -> u64 {
        1
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(1);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Ones {}

/// An enrolled host with a sealing key, and all that its agent said.
struct Safe {
    host: Host,
    said: String,
}

impl Safe {
    fn new() -> Self {
        let host = Host::new();
        fs::write(host.state.join("sealing.key"), KEY).unwrap();
        let said = String::new();
        Self { host, said }
    }

    /// Holds a catalog; the file at `sealed` holds the secret.
    fn hold(&self, generation: u64, sealed: Option<&str>, others: &[Value]) {
        let opening = [9; OPENING];
        let content = format!("password = {SECRET}\n");
        let whole = [&opening[..], content.as_bytes()].concat();
        let key = crypto_box::SecretKey::from(KEY).public_key();
        let bytes = key.seal(&mut Ones, &whole).unwrap();
        let (commitment, digest) = (
            Commitment::to_content(&opening, content.as_bytes()),
            Digest::of(&bytes),
        );
        let Commitment::Sealed(named) = commitment else {
            panic!("a draft")
        };
        let size = bytes.len() as u64;
        fs::write(
            self.host.state.join("blobs").join(digest.to_string()),
            bytes,
        )
        .unwrap();
        let content = json!({ "sealed": {
            "secrets": ["secret:db.password"],
            "commitment": commitment,
        } });
        let secret = |path| {
            resource(
                "file",
                path,
                json!({ "path": path, "content": content.clone() }),
            )
        };
        let resources: Vec<Value> = sealed
            .map(secret)
            .into_iter()
            .chain(others.iter().cloned())
            .collect();
        let boxes = sealed.map(|_| (named, SealedBlob { digest, size }));
        let boxes = BTreeMap::from_iter(boxes);
        self.host.hold_sealed(generation, &resources, boxes);
    }

    fn once(&mut self, more: &[&str]) -> Ran {
        let verb = [&["once", "--json", "-vv"], more].concat();
        let ran = self.host.world.agent(&self.host.arguments(&verb));
        self.said.push_str(&ran.stdout);
        self.said.push_str(&ran.stderr);
        ran
    }

    /// The secret is nowhere in the state folder, nor in anything that was said.
    #[track_caller]
    fn nothing_told(&self) {
        let content = format!("password = {SECRET}\n");
        let needles = [SECRET.to_owned(), Digest::of(&content).to_string()];
        for needle in &needles {
            assert!(!self.said.contains(needle), "{}", self.said);
            nowhere_below(&self.host.state, needle.as_bytes());
        }
    }
}

#[track_caller]
fn nowhere_below(folder: &Path, needle: &[u8]) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            nowhere_below(&path, needle);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let found = bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!found, "it is in {}", path.display());
    }
}

/// The line of a file says that something differs, and not what was found.
#[track_caller]
fn is_veiled(line: &Value) {
    assert_eq!(line["changes"][0]["property"], "content", "{line:#}");
    assert_eq!(line["changes"][0]["from"], "other content", "{line:#}");
    let diff = line["diff"].as_str().unwrap();
    assert!(diff.contains("is not shown"), "{diff}");
}

#[test]
fn a_file_that_becomes_plain_does_not_tell_what_it_held() {
    let mut safe = Safe::new();
    safe.hold(1, Some("/etc/app.conf"), &[]);
    assert_eq!(safe.once(&[]).code, 2);
    assert!(safe.host.world.read("/etc/app.conf").contains(SECRET));
    safe.hold(2, None, &[file("/etc/app.conf", "plain\n")]);
    let plan = safe.once(&["--no-op"]);
    is_veiled(&plan.line("file[/etc/app.conf]"));
    let ran = safe.once(&[]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    is_veiled(&ran.line("file[/etc/app.conf]"));
    assert_eq!(ran.line("file[/etc/app.conf]")["cause"], "intended");
    assert_eq!(safe.host.world.read("/etc/app.conf"), "plain\n");
    // Somebody puts the old content back, from a backup.
    let old = format!("password = {SECRET}\n");
    safe.host.world.write("/etc/app.conf", &old);
    let mended = safe.once(&[]);
    is_veiled(&mended.line("file[/etc/app.conf]"));
    assert_eq!(mended.line("file[/etc/app.conf]")["cause"], "drift");
    safe.nothing_told();
}

#[test]
fn a_plain_file_that_becomes_secret_does_not_tell_what_it_held() {
    let mut safe = Safe::new();
    safe.host.world.write("/etc/app.conf", SECRET);
    safe.hold(1, Some("/etc/app.conf"), &[]);
    let line = safe.once(&[]).line("file[/etc/app.conf]");
    assert_eq!(line["changes"][0]["from"], "other content");
    assert_eq!(line["changes"][0]["to"], "secret:db.password");
    safe.nothing_told();
}

#[test]
fn a_file_that_nobody_declared_for_a_while_does_not_tell() {
    let mut safe = Safe::new();
    // It was there before, so Holdfast did not make it, and the ledger forgets it.
    let old = format!("password = {SECRET}\n");
    safe.host.world.write("/etc/app.conf", &old);
    safe.hold(1, Some("/etc/app.conf"), &[]);
    safe.once(&[]);
    safe.hold(2, None, &[file("/etc/motd", "hello\n")]);
    safe.once(&[]);
    safe.hold(3, None, &[file("/etc/app.conf", "plain\n")]);
    is_veiled(&safe.once(&["--no-op"]).line("file[/etc/app.conf]"));
    is_veiled(&safe.once(&[]).line("file[/etc/app.conf]"));
    safe.nothing_told();
}

#[test]
fn a_file_under_another_name_does_not_tell() {
    let mut safe = Safe::new();
    safe.hold(1, Some("/etc/app.conf"), &[]);
    safe.once(&[]);
    let place = |path: &str| safe.host.world.path(path);
    fs::rename(place("/etc/app.conf"), place("/etc/moved")).unwrap();
    fs::hard_link(place("/etc/moved"), place("/etc/linked")).unwrap();
    fs::write(place("/etc/free"), "of no interest\n").unwrap();
    let files = ["/etc/moved", "/etc/linked", "/etc/free"].map(|path| file(path, "plain\n"));
    safe.hold(2, None, &files);
    let plan = safe.once(&["--no-op"]);
    let ran = safe.once(&[]);
    for told in [plan, ran] {
        is_veiled(&told.line("file[/etc/moved]"));
        is_veiled(&told.line("file[/etc/linked]"));
        let free = told.line("file[/etc/free]");
        assert!(free["diff"].as_str().unwrap().contains("-of no interest"));
    }
    safe.nothing_told();
}

#[test]
fn a_file_by_way_of_a_link_does_not_tell() {
    let mut safe = Safe::new();
    fs::create_dir(safe.host.world.path("/etc/real")).unwrap();
    symlink("real", safe.host.world.path("/etc/alias")).unwrap();
    safe.hold(1, Some("/etc/real/app.conf"), &[]);
    safe.once(&[]);
    let both = [file("/etc/alias/app.conf", "plain\n")];
    safe.hold(2, Some("/etc/real/app.conf"), &both);
    is_veiled(&safe.once(&["--no-op"]).line("file[/etc/alias/app.conf]"));
    // Two resources fight over it: one of them is told not to have converged, and nothing of both.
    assert_eq!(safe.once(&[]).count("not_converged"), 1);
    assert_eq!(safe.once(&[]).count("not_converged"), 1);
    // A link that the catalog puts in the place of the file, and leads to it.
    let link = json!({ "path": "/etc/link", "target": "real/app.conf" });
    let over = with(
        file("/etc/link", "plain\n"),
        "requires",
        &["directory[/etc/real]"],
    );
    safe.hold(3, None, &[resource("symlink", "/etc/link", link)]);
    safe.once(&[]);
    let mut over = over;
    over["spec"]["force"] = json!(true);
    safe.hold(4, None, &[directory("/etc/real"), over]);
    let ran = safe.once(&[]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    safe.nothing_told();
}

#[test]
fn a_ledger_that_is_lost_or_damaged_does_not_make_it_tell() {
    for damage in ["", "rotten\n"] {
        let mut safe = Safe::new();
        safe.hold(1, Some("/etc/app.conf"), &[file("/etc/motd", "one\n")]);
        safe.once(&[]);
        let journal = safe.host.state.join("ledger/journal");
        match damage {
            "" => fs::remove_file(&journal).unwrap(),
            rotten => {
                let good = fs::read_to_string(&journal).unwrap();
                fs::write(&journal, format!("{rotten}{good}")).unwrap();
            }
        }
        safe.hold(2, None, &[file("/etc/app.conf", "plain\n")]);
        is_veiled(&safe.once(&["--no-op"]).line("file[/etc/app.conf]"));
        is_veiled(&safe.once(&[]).line("file[/etc/app.conf]"));
        safe.nothing_told();
    }
}

#[test]
fn what_is_only_audited_does_not_tell() {
    let mut safe = Safe::new();
    let old = format!("password = {SECRET}\n");
    safe.host.world.write("/etc/app.conf", &old);
    safe.hold(1, Some("/etc/app.conf"), &[]);
    safe.once(&["--no-op"]);
    // In sync from the beginning, so nothing was ever written.
    assert_eq!(safe.once(&[]).code, 2);
    safe.hold(2, None, &[file("/etc/app.conf", "plain\n")]);
    is_veiled(&safe.once(&["--no-op"]).line("file[/etc/app.conf]"));
    safe.nothing_told();
}
