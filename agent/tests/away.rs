//! An enrolled host whose server is away: it goes on with the last good catalog, and believes no
//! other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::{Ran, World, catalog, file};
use ed25519_dalek::{Signer, SigningKey};
use holdfast_schemas::Digest;
use holdfast_schemas::catalog::{Bytes, CatalogKey, Envelope, SIGNING_CONTEXT, SignedEnvelope};
use holdfast_schemas::enrol::Identity;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

/// Nobody listens here: the port of the discard service, on loopback.
const AWAY: &str = "https://127.0.0.1:9";

/// Far longer than anything here takes; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// An enrolled host with a signed catalog.
struct Host {
    world: World,
    state: PathBuf,
    signer: SigningKey,
}

impl Host {
    fn new() -> Self {
        let world = World::new();
        let state = world.path("/state");
        fs::create_dir_all(state.join("blobs")).unwrap();
        let signer = SigningKey::from_bytes(&[3; 32]);
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["web-1".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let identity = Identity {
            name: "web-1".parse().unwrap(),
            ca: certificate.clone(),
            certificate,
            catalog_keys: vec![CatalogKey {
                id: "k1".to_owned(),
                public: Bytes(signer.verifying_key().to_bytes().to_vec()),
            }],
            expires: "2999-01-01T00:00:00Z".parse().unwrap(),
        };
        let enrolled = json!({
            "server": AWAY,
            "identity": identity,
            "key": key.serialize_pem(),
            "since": "2026-01-01T00:00:00Z",
        });
        fs::write(state.join("identity.json"), enrolled.to_string()).unwrap();
        Self {
            world,
            state,
            signer,
        }
    }

    /// Lets the host hold a catalog of a generation; the body's path.
    fn hold(&self, generation: u64, content: &str) -> PathBuf {
        self.hold_all(generation, &[file("/etc/motd", content)])
    }

    fn hold_all(&self, generation: u64, resources: &[serde_json::Value]) -> PathBuf {
        let body = catalog(resources);
        let envelope = Envelope {
            host: "web-1".parse().unwrap(),
            generation,
            body: Digest::of(&body),
            size: body.len() as u64,
            features: vec!["type:file".to_owned()],
            sealed: std::collections::BTreeMap::new(),
            key: "k1".to_owned(),
            issued: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        let text = serde_json::to_string(&envelope).unwrap();
        let message = [SIGNING_CONTEXT, text.as_bytes()].concat();
        let signed = SignedEnvelope {
            envelope: text,
            signature: Bytes(self.signer.sign(&message).to_bytes().to_vec()),
        };
        let signed = serde_json::to_string(&signed).unwrap();
        fs::write(self.state.join("catalog.json"), signed).unwrap();
        let path = self.state.join("blobs").join(envelope.body.to_string());
        fs::write(&path, body).unwrap();
        path
    }

    fn arguments<'a>(&'a self, verb: &'a [&'a str]) -> Vec<&'a str> {
        let mut arguments = verb.to_vec();
        let (root, state) = (&self.world.root, &self.state);
        arguments.extend(["--root", root.to_str().unwrap()]);
        arguments.extend(["--state-dir", state.to_str().unwrap()]);
        arguments
    }

    fn once(&self) -> Ran {
        self.world.agent(&self.arguments(&["once", "--json"]))
    }

    fn unsent(&self) -> u64 {
        let status = self.world.agent(&self.arguments(&["status", "--json"]));
        status.report()["unsent_reports"].as_u64().unwrap()
    }

    fn serve(&self) -> Child {
        let mut command = self
            .world
            .command(&self.arguments(&["run", "--interval", "1h"]));
        command.stderr(Stdio::null()).spawn().unwrap()
    }
}

/// Waits until something holds, and says how long it took.
fn until(what: &str, holds: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    begun.elapsed()
}

#[test]
fn the_last_good_catalog_is_applied_and_reports_wait() {
    let host = Host::new();
    host.hold(4, "one\n");
    let first = host.once();
    assert_eq!(first.code, 2, "{}", first.stderr);
    assert_eq!(first.report()["generation"], 4);
    assert_eq!(first.line("file[/etc/motd]")["cause"], "new");
    assert_eq!(first.report()["id"]["sequence"], 1);
    assert_eq!(host.world.read("/etc/motd"), "one\n");
    assert_eq!(host.unsent(), 1);
    assert_eq!(host.once().code, 0);
    assert_eq!(host.unsent(), 2);
    let third = host.once();
    assert_eq!(
        (third.code, host.unsent()),
        (0, 2),
        "it says the same as the second"
    );
    host.world.write("/etc/motd", "tampered\n");
    let fourth = host.once();
    assert_eq!(fourth.line("file[/etc/motd]")["cause"], "drift");
    assert_eq!((fourth.code, host.unsent()), (2, 3));
}

#[test]
fn a_held_catalog_that_was_edited_is_not_believed() {
    let host = Host::new();
    let body = host.hold(4, "one\n");
    let edited = fs::read_to_string(&body).unwrap().replace("one", "two");
    fs::write(&body, edited).unwrap();
    let run = host.once();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("digest"), "{}", run.stderr);
    assert!(!host.world.path("/etc/motd").exists());
}

#[test]
fn an_older_generation_is_not_applied_again() {
    let host = Host::new();
    let accepted = json!({ "generation": 5, "body": Digest::of("newer") });
    fs::write(host.state.join("accepted.json"), accepted.to_string()).unwrap();
    host.hold(4, "old\n");
    let run = host.once();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("generation 4"), "{}", run.stderr);
    assert!(!host.world.path("/etc/motd").exists());
}

#[test]
fn a_host_that_was_never_enrolled_is_told_how() {
    let world = World::new();
    let state = world.path("/state");
    let run = world.agent(&["once", "--state-dir", state.to_str().unwrap()]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("not enrolled") && run.stderr.contains("hint:"));
}

#[test]
fn drift_is_mended_long_before_the_timer_and_the_agent_ends_when_asked() {
    let host = Host::new();
    host.hold(4, "one\n");
    let mut agent = host.serve();
    let motd = host.world.path("/etc/motd");
    let holds = |content: &str| fs::read_to_string(&motd).is_ok_and(|found| found == content);
    until("the first run", || holds("one\n"));
    until("its report", || host.unsent() >= 1);
    for tampered in ["two\n", "three\n"] {
        host.world.write("/etc/motd", tampered);
        let took = until("drift is mended", || holds("one\n"));
        assert!(took < Duration::from_secs(5), "{took:?} is no watch");
    }
    fs::remove_file(&motd).unwrap();
    until("a removal is mended", || holds("one\n"));
    kill(Pid::from_raw(agent.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert!(agent.wait().unwrap().success());
}

/// Memory of a process's own, in KiB.
fn own_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let words = line.and_then(|line| line.split_whitespace().next());
    words.unwrap().parse().unwrap()
}

#[test]
fn a_large_run_leaves_a_small_process_that_goes_on() {
    let host = Host::new();
    let long = "a line of a configuration\n".repeat(20);
    let mut resources = vec![file("/etc/motd", "one\n")];
    resources.extend((0..3000).map(|n| file(&format!("/etc/file-{n}"), &long)));
    host.hold_all(4, &resources);
    let mut agent = host.serve();
    until("the first run", || host.unsent() >= 1);
    until("memory is given back", || own_memory(agent.id()) < 6 * 1024);
    let motd = host.world.path("/etc/motd");
    host.world.write("/etc/motd", "tampered\n");
    let took = until("drift is mended", || {
        fs::read_to_string(&motd).is_ok_and(|found| found == "one\n")
    });
    assert!(took < Duration::from_secs(5), "{took:?} is no watch");
    kill(Pid::from_raw(agent.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert!(agent.wait().unwrap().success());
}

#[test]
fn a_single_run_that_is_asked_to_end_tells_how_far_it_came() {
    let host = Host::new();
    let files = 4000;
    let resources: Vec<_> = (0..files)
        .map(|n| file(&format!("/etc/file-{n}"), "x\n"))
        .collect();
    host.hold_all(4, &resources);
    let mut command = host.world.command(&host.arguments(&["once"]));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    until("the first file", || host.world.path("/etc/file-0").exists());
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("ended before its end"),
        "{}",
        ran.stderr
    );
    assert!(
        !host
            .world
            .path(&format!("/etc/file-{}", files - 1))
            .exists()
    );
    assert_eq!(host.once().code, 2);
    assert_eq!(host.world.read(&format!("/etc/file-{}", files - 1)), "x\n");
}
