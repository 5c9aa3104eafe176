//! Whom a host and its server believe: not a foreign certificate, not a tampered catalog, not an
//! older one, not another server. A host that is shown one goes on with the last good catalog.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use holdfast_schemas::Digest;
use holdfast_schemas::agent_api::CheckIn;
use holdfast_schemas::catalog::FEATURES;
use holdfast_testkit::{Agent, Server};

use crate::wire::{Enrolled, refusal, runtime};
use crate::world::{World, expect_in_sync, report};

/// How the server names a host in its certificate.
const HOST_URI: &str = "holdfast://host/";

/// How long before it is issued a certificate begins, for the sake of slow clocks.
const BACKDATED: Duration = Duration::from_secs(24 * 60 * 60);

/// A host that says hardly anything.
fn check_in() -> CheckIn {
    CheckIn {
        agent: "test".to_owned(),
        features: FEATURES.iter().map(|&one| one.to_owned()).collect(),
        generation: 0,
        body: None,
        facts: Digest::of("none"),
        last_run: None,
    }
}

#[test]
fn a_foreign_certificate_opens_nothing() {
    let (world, elsewhere) = (World::new(), World::new());
    let own = Enrolled::of(&world.web());
    let catalog = world.host("web").catalog.unwrap();
    let theirs = Enrolled::of(&elsewhere.web());
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["web".to_owned()];
    let forged = rcgen::CertificateParams::new(names).unwrap();
    let forged = forged.self_signed(&key).unwrap().pem();
    let shown = [
        (theirs.identity.certificate, theirs.key),
        (forged, key.serialize_pem()),
    ];
    for (certificate, key) in shown {
        let mut thief = own.clone();
        thief.identity.certificate = certificate;
        thief.key = key;
        let thief = thief.client();
        runtime().block_on(async {
            let refused = refusal(thief.check_in(&check_in()).await);
            let code = (refused.status, refused.code.as_str());
            assert_eq!(code, (403, "certificate_foreign"));
            assert!(refused.hint.is_some());
            assert_eq!(refusal(thief.blob(&catalog, 0).await).status, 403);
        });
    }
    let answer = runtime().block_on(own.client().check_in(&check_in()));
    answer.expect("the host's own certificate still does");
}

#[test]
fn an_expired_certificate_opens_nothing() {
    let world = World::new();
    let mut web = Enrolled::of(&world.web());
    let catalog = world.host("web").catalog.unwrap();
    // The server's own authority signs it.
    let authority = fs::read_to_string(world.server.folder().join("pki/authority.pem")).unwrap();
    let key = rcgen::KeyPair::from_pem(&authority).unwrap();
    let begins = authority.find("-----BEGIN CERTIFICATE").unwrap();
    let certificate = &authority[begins..];
    let issuer = rcgen::Issuer::from_ca_cert_pem(certificate, key).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut expired = rcgen::CertificateParams::default();
    let name = rcgen::string::Ia5String::try_from(HOST_URI.to_owned() + "web").unwrap();
    expired.subject_alt_names = vec![rcgen::SanType::URI(name)];
    expired.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    // Issued after the host enrolled, in whole seconds, and over before that.
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    expired.not_before = epoch + (now + Duration::from_secs(1) - BACKDATED);
    expired.not_after = epoch + (now - Duration::from_secs(2));
    web.identity.certificate = expired.signed_by(&key, &issuer).unwrap().pem();
    web.key = key.serialize_pem();
    let late = web.client();
    runtime().block_on(async {
        let refused = refusal(late.check_in(&check_in()).await);
        let code = (refused.status, refused.code.as_str());
        assert_eq!(code, (403, "certificate_expired"), "{refused:?}");
        assert!(refused.hint.is_some());
        assert_eq!(refusal(late.blob(&catalog, 0).await).status, 403);
    });
}

#[test]
fn another_hosts_catalog_is_not_to_be_had() {
    let world = World::new();
    let web = Enrolled::of(&world.web());
    let db = Agent::enrolled(&world.server, "db").unwrap();
    assert_eq!(db.once(&[]).unwrap().code, Some(2));
    let [of_web, of_db] = ["web", "db"].map(|name| world.host(name).catalog.unwrap());
    assert_ne!(of_web, of_db);
    let client = web.client();
    runtime().block_on(async {
        assert_eq!(refusal(client.blob(&of_db, 0).await).status, 403);
        let own = client.blob(&of_web, 0).await;
        own.expect("a host may fetch its own");
    });
}

#[test]
fn a_catalog_tampered_with_on_the_server_is_refused() {
    let world = World::new();
    let web = world.web();
    world.greet("tempting");
    let body = world.host("web").catalog.unwrap();
    let stored = stored(&world.server, &body);
    let genuine = fs::read_to_string(&stored).unwrap();
    let tampered = genuine.replace("tempting", "poisoned");
    assert_ne!(tampered, genuine);
    overwrite(&stored, &tampered);

    let ran = web.once(&["--json"]).unwrap();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("last good catalog"), "{}", ran.stderr);
    assert_eq!(web.read("/etc/motd").unwrap(), "say hello\n");
    // The last good one is enforced meanwhile.
    fs::write(web.path("/etc/motd"), "tampered\n").unwrap();
    web.once(&[]).unwrap();
    assert_eq!(web.read("/etc/motd").unwrap(), "say hello\n");

    overwrite(&stored, &genuine);
    let ran = web.once(&["--json"]).unwrap();
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert_eq!(web.read("/etc/motd").unwrap(), "say tempting\n");
}

#[test]
fn another_server_in_its_place_is_not_believed() {
    let (world, elsewhere) = (World::new(), World::new());
    let web = world.web();
    let identity = web.state().join("identity.json");
    let genuine = fs::read_to_string(&identity).unwrap();
    let redirected = genuine.replace(&world.server.agents(), &elsewhere.server.agents());
    assert_ne!(redirected, genuine);
    fs::write(&identity, redirected).unwrap();
    fs::write(web.path("/etc/motd"), "tampered\n").unwrap();
    let ran = web.once(&["--json"]).unwrap();
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("certificate"), "{}", ran.stderr);
    assert_eq!(web.read("/etc/motd").unwrap(), "say hello\n");
    assert_eq!(
        elsewhere.host("web").has,
        0,
        "the other server heard nothing"
    );
}

#[test]
fn an_older_catalog_is_refused() {
    let mut world = World::new();
    let web = world.web();
    let older = copied(&web.state());
    let generation = report(&web.once(&["--json"]).unwrap()).generation;
    let newer = world.greet("newer");
    assert!(newer > generation);
    assert_eq!(web.once(&[]).unwrap().code, Some(2));

    // Somebody plays back what the server signed once; the server itself is away.
    world.server.kill().unwrap();
    for part in ["catalog.json", "blobs"] {
        copy(&older.path().join("state").join(part), &web.state());
    }
    let ran = web.once(&["--json"]).unwrap();
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    let said = format!("generation {generation}");
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    assert_eq!(web.read("/etc/motd").unwrap(), "say newer\n");

    world.server.start_again().unwrap();
    expect_in_sync(&web);
}

#[test]
fn a_restored_server_gives_newer_generations_and_strands_nobody() {
    let mut world = World::new();
    let web = world.web();
    world.server.kill().unwrap();
    let older = copied(world.server.folder());
    world.server.start_again().unwrap();
    let newer = world.greet("newer");
    assert_eq!(web.once(&[]).unwrap().code, Some(2));

    world.server.kill().unwrap();
    let folder = world.server.folder().to_owned();
    fs::remove_dir_all(&folder).unwrap();
    copy(&older.path().join("server"), folder.parent().unwrap());
    world.server.start_again().unwrap();
    let latest = world.commit(&[(crate::world::HOST, &crate::world::host("latest"))]);
    world.wait_until_served(&latest);
    world.wait_until("the host has the latest", || {
        let ran = web.once(&["--json"]).unwrap();
        assert!([Some(0), Some(2)].contains(&ran.code), "{}", ran.stderr);
        assert!(report(&ran).generation >= newer, "it went back");
        web.read("/etc/motd").unwrap() == "say latest\n"
    });
    assert!(world.wanted("web") > newer);
}

/// The file in which the server keeps a blob.
fn stored(server: &Server, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    let blobs = server.folder().join("blobs");
    blobs.join(&name[..2]).join(&name[2..4]).join(name)
}

/// Writes over a file that may be read-only.
fn overwrite(path: &Path, text: &str) {
    let _ = fs::remove_file(path);
    fs::write(path, text).unwrap();
}

/// A copy of a folder, under its own name.
fn copied(folder: &Path) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    copy(folder, home.path());
    home
}

fn copy(from: &Path, into: &Path) {
    let mut cp = Command::new("cp");
    let status = cp.arg("-a").arg(from).arg(into).status().unwrap();
    assert!(status.success(), "cannot copy {}", from.display());
}
