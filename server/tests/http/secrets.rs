//! Secrets from the repo to one host: sealed to its key, granted to it alone, and refused where
//! this server cannot open them.

use std::path::Path;

use holdfast_schemas::Digest;
use holdfast_schemas::agent_api::{CatalogOffer, CheckIn};
use holdfast_schemas::catalog::Envelope;
use holdfast_schemas::enrol::RenewRequest;
use holdfast_schemas::operator_api::HostStatus;
use holdfast_schemas::secret::{Commitment, OPENING};
use holdfast_secrets::{Form, Keyring, Recipients, values};

use crate::world::{
    Host, World, inventory, key_and_csr, open, problem, sealing_key, unsealing_key,
};

const SECRET: &str = "correct horse battery";

/// A role whose file holds a secret in the midst of text.
const ROLE: &str = "\
resources:
  - file: /etc/app.conf
    template: app.conf.j2
";

const TEMPLATE: &str = "host {{ host.name }}\npassword {{ db.password }}\n";

impl World {
    /// `globals.yaml` with a password that this server can open.
    fn globals(&self, secret: &str) -> String {
        let identity = std::fs::read_to_string(self.data().join("age-identity")).unwrap();
        let keyring = Keyring::parse(&identity).unwrap();
        globals(&keyring.recipients()[0], secret)
    }

    /// Commits a role with a secret.
    fn commit_secret(&self, secret: &str) {
        self.commit(&[
            ("globals.yaml", &self.globals(secret)),
            ("roles/site/role.yaml", ROLE),
            ("roles/site/templates/app.conf.j2", TEMPLATE),
        ]);
    }
}

fn globals(recipient: &str, secret: &str) -> String {
    let to = Recipients::parse([recipient]).unwrap();
    let armored = to.encrypt(secret.as_bytes(), Form::Armored).unwrap();
    let pasted = values::pasteable("db.password", &String::from_utf8(armored).unwrap());
    let vars: String = pasted.lines().map(|line| format!("  {line}\n")).collect();
    format!("vars:\n  motto: one\n{vars}")
}

/// Enrols a host and waits for a catalog that holds sealed contents.
async fn sealed(world: &World, name: &str) -> (Host, Envelope) {
    let host = world.enrol(name).await;
    host.client
        .put_inventory(&inventory("debian"))
        .await
        .unwrap();
    let envelope = when(&host, |envelope| !envelope.sealed.is_empty()).await;
    (host, envelope)
}

/// The envelope that a host is offered, once it is as expected.
async fn when(host: &Host, good: impl Fn(&Envelope) -> bool) -> Envelope {
    let wait = async {
        loop {
            let answer = host.check_in(&host.asks(0, None)).await;
            if let CatalogOffer::New(signed) = answer.catalog
                && good(&open(&signed))
            {
                return open(&signed);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), wait)
        .await
        .expect("a catalog with secrets was offered")
}

/// What a host finds in a sealed blob, after it checked the commitment.
async fn unsealed(host: &Host, envelope: &Envelope, key: &str) -> String {
    assert_eq!(envelope.features, ["sealed", "type:file"]);
    let (committed, blob) = envelope.sealed.first_key_value().unwrap();
    let bytes = host.blob(&blob.digest).await.unwrap();
    assert_eq!(bytes.len() as u64, blob.size);
    let whole = unsealing_key(key).unseal(&bytes).unwrap();
    let (opening, content) = whole.split_at(OPENING);
    let commitment = Commitment::to_content(opening.try_into().unwrap(), content);
    assert_eq!(commitment, Commitment::Sealed(*committed));
    let body = host.blob(&envelope.body).await.unwrap();
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains("secret:db.password"), "{body}");
    assert!(body.contains(&committed.to_string()), "{body}");
    String::from_utf8(content.to_vec()).unwrap()
}

/// Files of a folder, however deep, that hold a text.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut ahead = vec![folder.to_owned()];
    let mut seen = 0;
    while let Some(folder) = ahead.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                ahead.push(entry.path());
                continue;
            }
            seen += 1;
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            if bytes.windows(text.len()).any(|at| at == text.as_bytes()) {
                found.push(entry.path().display().to_string());
            }
        }
    }
    assert!(seen > 5, "the folder is another");
    found
}

#[tokio::test]
async fn a_secret_reaches_its_host_and_stays_nowhere_on_the_way() {
    let mut world = World::start().await;
    world.commit_secret(SECRET);
    let (one, of_one) = sealed(&world, "web-1").await;
    let (two, of_two) = sealed(&world, "web-2").await;
    let content = unsealed(&one, &of_one, "web-1").await;
    assert_eq!(content, format!("host web-1\npassword {SECRET}\n"));
    unsealed(&two, &of_two, "web-2").await;

    // Another host neither gets the blob nor could it open it.
    let digest = of_one.sealed.values().next().unwrap().digest;
    let refused = problem(two.blob(&digest).await);
    assert_eq!((refused.status, &*refused.code), (403, "blob_not_granted"));
    let bytes = one.blob(&digest).await.unwrap();
    assert!(unsealing_key("web-2").unseal(&bytes).is_err());

    world.stop().await;
    assert_eq!(holding(&world.data(), SECRET), [""; 0]);
    world.restart().await;
    let one = world.again(&one);
    let again = when(&one, |envelope| !envelope.sealed.is_empty()).await;
    assert_eq!(again, of_one, "a restart changes nothing");
    unsealed(&one, &again, "web-1").await;
}

#[tokio::test]
async fn a_secret_encrypted_anew_changes_nothing_and_another_does() {
    let world = World::start().await;
    world.commit_secret(SECRET);
    let (host, first) = sealed(&world, "web-1").await;
    let before = world.serving().await;
    world.commit_secret(SECRET);
    world.serving_other_than(&before).await;
    let same = when(&host, |_| true).await;
    assert_eq!(same, first, "rotated recipients reach no host");
    world.commit_secret("another");
    let other = when(&host, |envelope| envelope.body != first.body).await;
    assert_eq!(other.generation, first.generation + 1);
    assert!(unsealed(&host, &other, "web-1").await.contains("another"));
    let before = first.sealed.values().next().unwrap().digest;
    assert!(host.blob(&before).await.is_ok(), "who is fetching goes on");
}

#[tokio::test]
async fn another_key_of_a_host_is_sealed_to_under_the_next_generation() {
    let world = World::start().await;
    world.commit_secret(SECRET);
    let (host, first) = sealed(&world, "web-1").await;
    let (key, csr) = key_and_csr();
    let renewal = RenewRequest {
        csr,
        sealing_key: sealing_key("other"),
    };
    let identity = host.client.renew(&renewal).await.unwrap();
    let host = world.host(identity, key);
    let other = when(&host, |envelope| envelope.sealed != first.sealed).await;
    assert_eq!(
        (other.body, other.generation),
        (first.body, first.generation + 1)
    );
    unsealed(&host, &other, "other").await;
}

#[tokio::test]
async fn a_secret_for_somebody_else_refuses_the_commit_at_its_place() {
    let world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    world.commit(&[
        (
            "globals.yaml",
            &globals(&Keyring::generate().recipient, SECRET),
        ),
        ("roles/site/role.yaml", ROLE),
        ("roles/site/templates/app.conf.j2", TEMPLATE),
    ]);
    let told = world.refused().await;
    let own = std::fs::read_to_string(world.data().join("age-identity")).unwrap();
    let own = &Keyring::parse(&own).unwrap().recipients()[0];
    for part in ["globals.yaml:", "secret:db.password", own, "secret rotate"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains(SECRET));
    assert_eq!(host.offered(&host.asks(0, None)).await, signed);
}

/// One letter of the armor is another.
fn damaged(globals: &str) -> String {
    let line = globals.lines().rev().nth(2).unwrap();
    let at = line.trim_start().chars().next().unwrap();
    let other = if at == 'A' { "B" } else { "A" };
    let (before, rest) = globals.rsplit_once(line).unwrap();
    let bad = line.replacen(at, other, 1);
    format!("{before}{bad}{rest}")
}

#[tokio::test]
async fn a_damaged_secret_refuses_the_commit_at_its_place() {
    let world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let damaged = damaged(&world.globals(SECRET));
    world.commit(&[
        ("globals.yaml", &damaged),
        ("roles/site/role.yaml", ROLE),
        ("roles/site/templates/app.conf.j2", TEMPLATE),
    ]);
    let told = world.refused().await;
    let opens = "secret:db.password cannot be opened: it is damaged";
    for part in ["globals.yaml:", opens, "secret encrypt"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains(SECRET));
    assert_eq!(host.offered(&host.asks(0, None)).await, signed);
    // Mended, it goes on.
    world.commit_secret(SECRET);
    let envelope = when(&host, |envelope| !envelope.sealed.is_empty()).await;
    unsealed(&host, &envelope, "web-1").await;
}

#[tokio::test]
async fn one_of_several_recipients_is_enough() {
    let world = World::start().await;
    let own = std::fs::read_to_string(world.data().join("age-identity")).unwrap();
    let own = Keyring::parse(&own).unwrap().recipients().remove(0);
    let others = [Keyring::generate(), Keyring::generate()].map(|one| one.recipient);
    let to = Recipients::parse([&*others[0], &*own, &*others[1]]).unwrap();
    let armored = to.encrypt(SECRET.as_bytes(), Form::Armored).unwrap();
    let pasted = values::pasteable("db.password", &String::from_utf8(armored).unwrap());
    let vars: String = pasted.lines().map(|line| format!("  {line}\n")).collect();
    world.commit(&[
        ("globals.yaml", &format!("vars:\n  motto: one\n{vars}")),
        ("roles/site/role.yaml", ROLE),
        ("roles/site/templates/app.conf.j2", TEMPLATE),
    ]);
    let (host, envelope) = sealed(&world, "web-1").await;
    unsealed(&host, &envelope, "web-1").await;
}

#[tokio::test]
async fn a_host_whose_facts_forge_marks_is_held_alone() {
    let world = World::start().await;
    world.commit(&[
        ("globals.yaml", &world.globals(SECRET)),
        ("roles/site/role.yaml", ROLE),
        (
            "roles/site/templates/app.conf.j2",
            "{{ facts.os.family }} {{ db.password }}\n",
        ),
    ]);
    let (one, _) = sealed(&world, "web-1").await;
    let two = world.enrol("web-2").await;
    let forged = inventory("\u{FDD0}0\u{FDD1}");
    two.client.put_inventory(&forged).await.unwrap();
    two.check_in(&two.asks(0, None)).await;
    let held = world
        .host_when("web-2", |host| host.status == HostStatus::Held)
        .await;
    let why = held.message.unwrap();
    assert!(why.contains("secret") && !why.contains(SECRET), "{why}");
    let envelope = when(&one, |envelope| !envelope.sealed.is_empty()).await;
    assert_eq!(envelope.sealed.len(), 1);
}

#[tokio::test]
async fn an_agent_that_knows_no_sealing_waits_and_is_told() {
    let world = World::start().await;
    world.commit_secret(SECRET);
    let (host, _) = sealed(&world, "web-1").await;
    let ask = CheckIn {
        features: vec!["type:file".to_owned()],
        facts: Digest::of("facts"),
        ..host.asks(0, None)
    };
    match host.check_in(&ask).await.catalog {
        CatalogOffer::Waiting { reason } => assert!(reason.contains("sealed"), "{reason}"),
        other => panic!("it would apply half of it: {other:?}"),
    }
}
