//! A certificate that has ended, and connections that never come to show one.

use std::time::Duration;

use holdfast::pki::Pki;
use holdfast_store::{Certificate, SledStore};
use jiff::Timestamp;

use crate::world::{World, key_and_csr, problem, sealing_key};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

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
    let request = holdfast_schemas::enrol::RenewRequest {
        csr,
        sealing_key: sealing_key("web-1"),
    };
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

#[tokio::test]
async fn connections_that_say_nothing_keep_nobody_out() {
    let world = World::start().await;
    let host = world.enrol("web-1").await;
    let address = world.agents().replace("https://", "");
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    let fresh = world.again(&host);
    let asks = fresh.asks(0, None);
    let asked = tokio::time::timeout(Duration::from_secs(4), fresh.check_in(&asks));
    asked.await.expect("half-open handshakes hold no others up");
}

#[tokio::test]
async fn a_host_has_so_many_connections_and_others_have_theirs() {
    let world = World::start().await;
    let greedy = world.enrol("web-1").await;
    let honest = world.enrol("web-2").await;
    let url = format!("{}/", world.agents());
    let mut held = Vec::new();
    for _ in 0..40 {
        let raw = world.raw(Some((&greedy.identity.certificate, &greedy.key)));
        if raw.get(&url).send().await.is_err() {
            break;
        }
        held.push(raw);
    }
    assert!((8..20).contains(&held.len()), "{}", held.len());
    honest.check_in(&honest.asks(0, None)).await;
}
