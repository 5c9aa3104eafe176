//! `GET /v1/agent/blobs/{digest}`: a host's own, whole or in parts, and nobody else's.

use holdfast_schemas::Digest;
use holdfast_schemas::routes::agent::BLOB;

use crate::world::{Host, World, open, problem};

fn logo() -> Vec<u8> {
    "logo\u{0}".repeat(100_000).into_bytes()
}

fn url(world: &World, digest: &Digest) -> String {
    let path = BLOB.replace("{digest}", &digest.to_string());
    format!("{}{path}", world.agents())
}

fn raw(world: &World, host: &Host) -> reqwest::Client {
    world.raw(Some((&host.identity.certificate, &host.key)))
}

#[tokio::test]
async fn a_host_fetches_what_its_catalog_names_and_nothing_else() {
    let world = World::start().await;
    let (one, one_signed) = world.enrol_with_catalog("web-1").await;
    let (two, two_signed) = world.enrol_with_catalog("web-2").await;
    let catalog = one.catalog(&one_signed).await;
    let (logo_digest, size) = catalog.blobs().into_iter().next().unwrap();
    assert_eq!(size, logo().len() as u64);
    assert_eq!(one.blob(&logo_digest).await.unwrap(), logo());

    let of_two = open(&two_signed).body;
    assert_ne!(of_two, open(&one_signed).body);
    let refused = problem(one.blob(&of_two).await);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "blob_not_granted")
    );
    assert!(two.blob(&of_two).await.is_ok());
    let unknown = problem(one.blob(&Digest::of("no such thing")).await);
    assert_eq!(
        (unknown.status, unknown.code.as_str()),
        (403, "blob_not_granted")
    );
}

#[tokio::test]
async fn the_catalog_before_is_still_there_for_who_is_fetching_it() {
    let world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let before = open(&signed).body;
    world.commit(&[("globals.yaml", "vars:\n  motto: two\n")]);
    let after = host.client.news(Some(&before)).await.unwrap().body.unwrap();
    assert_ne!(before, after);
    assert!(host.blob(&before).await.is_ok());
    assert!(host.blob(&after).await.is_ok());
}

#[tokio::test]
async fn ranges() {
    let world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let digest = host
        .catalog(&signed)
        .await
        .blobs()
        .into_keys()
        .next()
        .unwrap();
    let (raw, url, logo) = (raw(&world, &host), url(&world, &digest), logo());
    let get = |range: &'static str| raw.get(&url).header("range", range).send();

    let part = get("bytes=10-19").await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(
        part.headers()["content-range"],
        format!("bytes 10-19/{}", logo.len())
    );
    assert_eq!(part.headers()["content-length"], "10");
    assert_eq!(part.bytes().await.unwrap(), logo[10..20]);
    let rest = get("bytes=499990-").await.unwrap();
    assert_eq!(rest.bytes().await.unwrap(), logo[499_990..]);
    let tail = get("bytes=-5").await.unwrap();
    assert_eq!(
        (tail.status().as_u16(), tail.bytes().await.unwrap()),
        (206, logo[logo.len() - 5..].to_vec().into())
    );

    let outside = get("bytes=500000-").await.unwrap();
    assert_eq!(outside.status(), 416);
    assert_eq!(outside.headers()["content-range"], "bytes */500000");
    let several = get("bytes=0-1,5-6").await.unwrap();
    assert_eq!(
        (
            several.status().as_u16(),
            several.bytes().await.unwrap().len()
        ),
        (200, logo.len())
    );

    let head = raw.head(&url).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-length"], "500000");
    assert_eq!(head.headers()["accept-ranges"], "bytes");
    let mut resumed = host.client.blob(&digest, 400_000).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = resumed.chunk().await.unwrap() {
        bytes.extend_from_slice(&piece);
    }
    assert_eq!(bytes, logo[400_000..]);
}

#[tokio::test]
async fn a_name_that_is_no_digest_is_refused() {
    let world = World::start().await;
    let host = world.enrol("web-1").await;
    let raw = raw(&world, &host);
    for wrong in ["x", "..%2f..%2fpki%2fauthority.pem", &"A".repeat(64)] {
        let url = format!("{}/v1/agent/blobs/{wrong}", world.agents());
        assert_eq!(raw.get(url).send().await.unwrap().status(), 400, "{wrong}");
    }
}
