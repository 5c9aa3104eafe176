//! `POST /v1/agent/check-in` and `GET /v1/agent/news`.

use futures_util::StreamExt as _;
use holdfast_schemas::Digest;
use holdfast_schemas::agent_api::CatalogOffer;
use holdfast_schemas::catalog::{Bytes, SIGNING_CONTEXT};
use holdfast_schemas::routes::agent::{CHECK_IN, NEWS};

use crate::world::{World, inventory, open, problem};

#[tokio::test]
async fn a_host_waits_until_it_is_known_then_gets_its_catalog() {
    let world = World::start().await;
    world.serving().await;
    let host = world.enrol("web-1").await;
    let first = host.check_in(&host.asks(0, None)).await;
    assert!(first.want_inventory);
    assert!(matches!(first.catalog, CatalogOffer::Waiting { reason } if reason.contains("facts")));

    host.client
        .put_inventory(&inventory("debian"))
        .await
        .unwrap();
    let body = host.client.news(None).await.unwrap().body.unwrap();
    let signed = host.offered(&host.asks(0, None)).await;
    assert_eq!(open(&signed).body, body);
    let catalog = host.catalog(&signed).await;
    let text = serde_json::to_string(&catalog).unwrap();
    assert!(text.contains("one for web-1 on debian"), "{text}");

    let generation = open(&signed).generation;
    let then = host.check_in(&host.asks(generation, Some(body))).await;
    assert!(!then.want_inventory);
    assert_eq!(then.catalog, CatalogOffer::Unchanged);
}

#[tokio::test]
async fn the_envelope_is_signed_by_the_key_of_the_identity() {
    let world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let [key] = host.identity.catalog_keys.as_slice() else {
        panic!("one key");
    };
    assert_eq!(key.id, open(&signed).key);
    assert_eq!(key.id, Digest::of(&key.public.0).to_string()[..16]);
    let Bytes(public) = &key.public;
    let public = ed25519_dalek::VerifyingKey::try_from(public.as_slice()).unwrap();
    let signature = ed25519_dalek::Signature::from_slice(&signed.signature.0).unwrap();
    let message = [SIGNING_CONTEXT, signed.envelope.as_bytes()].concat();
    public.verify_strict(&message, &signature).unwrap();
}

#[tokio::test]
async fn an_agent_that_knows_a_later_generation_is_given_a_higher_one() {
    let world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let body = open(&signed).body;
    let other = Digest::of("from before the restore");
    let raised = open(&host.offered(&host.asks(41, Some(other))).await);
    assert_eq!((raised.generation, raised.body), (42, body));
    assert_eq!(raised.size, open(&signed).size);
    let then = host.check_in(&host.asks(42, Some(body))).await;
    assert_eq!(then.catalog, CatalogOffer::Unchanged);
    let fork = open(&host.offered(&host.asks(42, Some(other))).await);
    assert_eq!(
        (fork.generation, fork.body),
        (43, body),
        "another body under our number"
    );
}

#[tokio::test]
async fn absurd_and_garbled_check_ins_are_refused() {
    let world = World::start().await;
    let host = world.enrol("web-1").await;
    let refused = problem(host.client.check_in(&host.asks(u64::MAX, None)).await);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "check_in_absurd")
    );
    let raw = world.raw(Some((&host.identity.certificate, &host.key)));
    let url = format!("{}{CHECK_IN}", world.agents());
    let send = |body: Vec<u8>| raw.post(&url).body(body).send();
    assert_eq!(send(b"{\"agent\":1}".to_vec()).await.unwrap().status(), 400);
    assert_eq!(send(vec![b' '; 1 << 20]).await.unwrap().status(), 413);
    let mut unknown_field = serde_json::to_value(host.asks(0, None)).unwrap();
    unknown_field["colour"] = "red".into();
    let answer = send(unknown_field.to_string().into_bytes()).await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("colour"));
    let wrong_method = raw.get(&url).send().await.unwrap();
    assert_eq!(wrong_method.status(), 405);
    assert_eq!(
        wrong_method.headers()["content-type"],
        "application/problem+json"
    );
    let nowhere = raw
        .get(format!("{}/v1/hosts", world.agents()))
        .send()
        .await
        .unwrap();
    assert_eq!(
        nowhere.status(),
        404,
        "operators' routes are not on this listener"
    );
    let news = format!("{}{NEWS}?body=zz", world.agents());
    assert_eq!(raw.get(news).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn what_operators_are_shown_is_plain_text() {
    let world = World::start().await;
    let host = world.enrol("web-1").await;
    for agent in ["0.1.0\u{1b}[2J", "0.1\n0", "0.1 0", "ä"] {
        let mut ask = host.asks(0, None);
        ask.agent = agent.to_owned();
        let refused = problem(host.client.check_in(&ask).await);
        assert_eq!(refused.code, "check_in_absurd", "{agent:?}");
    }
}

#[tokio::test]
async fn a_body_that_stands_still_is_not_waited_for() {
    let world = World::start().await;
    let host = world.enrol("web-1").await;
    let raw = world.raw(Some((&host.identity.certificate, &host.key)));
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>("{")]);
    let pieces = pieces.chain(futures_util::stream::pending());
    let url = format!("{}{CHECK_IN}", world.agents());
    let began = std::time::Instant::now();
    let slow = raw.post(url).body(reqwest::Body::wrap_stream(pieces));
    let answer = slow.send().await.unwrap();
    assert_eq!(answer.status(), 408);
    assert!(began.elapsed() < std::time::Duration::from_secs(15));
}
