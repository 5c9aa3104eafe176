//! Who may call a host's routes: nobody but a host with a certificate of ours that is good now.

use std::time::Duration;

use holdfast::pki::Pki;
use holdfast_schemas::routes::agent as routes;
use holdfast_store::{Certificate, SledStore};
use jiff::Timestamp;
use reqwest::Method;

use crate::world::{World, key_and_csr, name, problem};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn every_route() -> [(Method, String); 6] {
    [
        (Method::POST, routes::CHECK_IN.to_owned()),
        (Method::GET, routes::NEWS.to_owned()),
        (Method::PUT, routes::INVENTORY.to_owned()),
        (Method::POST, routes::REPORTS.to_owned()),
        (
            Method::GET,
            routes::BLOB.replace("{digest}", &"0".repeat(64)),
        ),
        (Method::POST, routes::RENEW.to_owned()),
    ]
}

async fn expect_on_every_route(world: &World, raw: &reqwest::Client, status: u16, code: &str) {
    for (method, path) in every_route() {
        let url = format!("{}{path}", world.agents());
        let answer = raw.request(method, url).body("{}").send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let text = answer.text().await.unwrap();
        assert!(text.contains(code), "{path}: {text}");
    }
}

#[tokio::test]
async fn without_a_certificate_every_route_is_closed() {
    let world = World::start().await;
    let raw = world.raw(None);
    expect_on_every_route(&world, &raw, 401, "certificate_missing").await;
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_foreign() {
    let world = World::start().await;
    world.enrol("web-1").await;
    let elsewhere = tempfile::tempdir().unwrap();
    let pki = Pki::open(elsewhere.path()).unwrap();
    let (key, csr) = key_and_csr();
    let forged = pki
        .authority
        .certify_host(&name("web-1"), &csr, Timestamp::now())
        .unwrap();
    let raw = world.raw(Some((&forged.chain, &key)));
    expect_on_every_route(&world, &raw, 403, "certificate_foreign").await;
}

#[tokio::test]
async fn the_servers_own_certificate_is_no_hosts() {
    let world = World::start().await;
    let own = std::fs::read_to_string(world.data().join("pki/server.pem")).unwrap();
    let raw = world.raw(Some((&own, &own)));
    expect_on_every_route(&world, &raw, 403, "certificate_foreign").await;
}

#[tokio::test]
async fn an_ended_certificate_renews_itself_and_nothing_else() {
    let mut world = World::start().await;
    let host = world.enrol("web-1").await;
    world.stop().await;
    let (key, csr) = key_and_csr();
    let chain = {
        let pki = Pki::open(&world.data().join("pki")).unwrap();
        let then = Timestamp::now() - 40 * DAY;
        let ended = pki.authority.certify_host(&host.name, &csr, then).unwrap();
        let store = SledStore::open(&world.data().join("store")).unwrap();
        let certificate = Certificate {
            serial: ended.serial.clone(),
            fingerprint: ended.fingerprint,
            expires: ended.expires,
        };
        let change = move |record: &mut holdfast_store::HostRecord| {
            record.enrolled = then;
            record.certificates = vec![certificate];
        };
        store.update_host(&host.name, Box::new(change)).unwrap();
        ended.chain
    };
    world.restart().await;
    let mut identity = host.identity.clone();
    identity.certificate = chain;
    let away = world.host(identity, key);
    let refused = problem(away.client.check_in(&away.asks(0, None)).await);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "certificate_expired")
    );
    assert!(refused.hint.unwrap().contains("renew"));
    let (key, csr) = key_and_csr();
    let request = holdfast_schemas::enrol::RenewRequest { csr };
    let identity = away.client.renew(&request).await.unwrap();
    let back = world.host(identity, key);
    back.check_in(&back.asks(0, None)).await;
}

#[tokio::test]
async fn noise_on_the_socket_disturbs_nobody() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::start().await;
    let host = world.enrol("web-1").await;
    let address = world.agents().replace("https://", "");
    let mut silent = Vec::new();
    for noise in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0xff; 4096],
        &[0x16, 3, 1, 0xff, 0xff],
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        stream.write_all(noise).await.unwrap();
        silent.push(stream);
    }
    host.check_in(&host.asks(0, None)).await;
    let mut answer = Vec::new();
    // A TLS alert or nothing; an end in any case.
    let ended = silent[0].read_to_end(&mut answer);
    let ended = tokio::time::timeout(Duration::from_secs(5), ended).await;
    assert!(ended.is_ok(), "plain HTTP is hung up on");
}
