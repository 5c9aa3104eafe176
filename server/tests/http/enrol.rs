//! `POST /v1/enrol`: what a token is good for, and what it is not.

use holdfast_schemas::enrol::{EnrolRequest, RenewRequest};
use holdfast_schemas::operator_api::NewToken;
use holdfast_schemas::routes::enrol::ENROL;
use holdfast_schemas::secret::SealingKey;
use x509_parser::pem::parse_x509_pem;

use crate::world::{World, key_and_csr, name, problem, sealing_key};

#[tokio::test]
async fn a_token_gives_an_identity_once() {
    let world = World::start().await;
    world.serving().await;
    let token = world.token(None).await;
    let host = world.try_enrol(&token, "new-1").await.unwrap();
    assert_eq!(host.identity.name, name("new-1"));
    assert_eq!(host.identity.catalog_keys.len(), 1);
    let again = problem(world.try_enrol(&token, "new-2").await);
    assert_eq!((again.status, again.code.as_str()), (403, "token_used"));
    assert!(!again.message.contains("new-1"), "who used it is not told");
}

#[tokio::test]
async fn of_a_request_only_the_key_counts() {
    let world = World::start().await;
    let host = world.enrol("web-1").await;
    let (_, pem) = parse_x509_pem(host.identity.certificate.as_bytes()).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    let names: Vec<String> = names
        .value
        .general_names
        .iter()
        .map(|n| n.to_string())
        .collect();
    assert_eq!(
        names,
        ["URI(holdfast://host/web-1)"],
        "and not whatever.example"
    );
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth);
    assert!(!certificate.is_ca());
    let life = certificate.validity().not_after.timestamp() - jiff::Timestamp::now().as_second();
    assert!((29 * 86_400..=30 * 86_400).contains(&life), "{life} s");
}

#[tokio::test]
async fn wrong_tokens_are_refused_and_say_what_to_do() {
    let world = World::start().await;
    world.serving().await;
    let mut unknown = world.token(None).await;
    unknown.secret = "0".repeat(32);
    let refused = problem(world.try_enrol(&unknown, "new-1").await);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "token_unknown")
    );
    assert!(refused.hint.unwrap().contains("token create"));

    let bound = world.token(Some("web-1")).await;
    let refused = problem(world.try_enrol(&bound, "web-2").await);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "token_wrong_host")
    );
    world
        .try_enrol(&bound, "web-1")
        .await
        .expect("a refusal does not use it up");

    let ask = NewToken {
        ttl_s: 1,
        host: None,
    };
    let short = world.operator().create_token(&ask).await.unwrap().token;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let refused = problem(world.try_enrol(&short, "new-1").await);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "token_expired")
    );
}

#[tokio::test]
async fn a_token_for_no_name_cannot_claim_a_known_one() {
    let world = World::start().await;
    world.serving().await;
    let token = world.token(None).await;
    let declared = problem(world.try_enrol(&token, "web-2").await);
    assert_eq!(
        (declared.status, declared.code.as_str()),
        (403, "name_taken")
    );
    assert!(declared.hint.unwrap().contains("token create --host web-2"));
    let grouped = problem(world.try_enrol(&token, "shop-1").await);
    assert_eq!(grouped.code, "name_taken", "{grouped}");
    world.try_enrol(&token, "new-1").await.unwrap();
    let second = world.token(None).await;
    let enrolled = problem(world.try_enrol(&second, "new-1").await);
    assert_eq!(
        (enrolled.status, enrolled.code.as_str()),
        (403, "name_taken")
    );
}

#[tokio::test]
async fn enrolling_again_ends_the_certificate_before() {
    let world = World::start().await;
    let first = world.enrol("web-1").await;
    first.check_in(&first.asks(0, None)).await;
    // Certificates know whole seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let second = world.enrol("web-1").await;
    second.check_in(&second.asks(0, None)).await;
    let refused = problem(first.client.check_in(&first.asks(0, None)).await);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "certificate_superseded")
    );
}

#[tokio::test]
async fn the_same_request_is_answered_again_and_no_other_is() {
    let world = World::start().await;
    let token = world.token(Some("web-1")).await;
    let (key, csr) = key_and_csr();
    let request = |csr: &str, sealing: &str| EnrolRequest {
        secret: token.secret.clone(),
        name: name("web-1"),
        csr: csr.to_owned(),
        sealing_key: sealing_key(sealing),
    };
    let again = || world.enrol_with(&token, request(&csr, "web-1"), key.clone());
    let lost = again().await.unwrap();
    // Certificates know whole seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let answered = again().await.unwrap();
    assert_eq!(answered.identity.name, name("web-1"));
    answered.check_in(&answered.asks(0, None)).await;
    lost.check_in(&lost.asks(0, None)).await;

    let (_, other) = key_and_csr();
    for other in [request(&other, "web-1"), request(&csr, "thief")] {
        let refused = problem(world.enrol_with(&token, other, key.clone()).await);
        assert_eq!((refused.status, &*refused.code), (403, "token_used"));
    }
}

#[tokio::test]
async fn a_sealing_key_that_keeps_nothing_secret_is_refused() {
    let world = World::start().await;
    let token = world.token(Some("web-1")).await;
    let (key, csr) = key_and_csr();
    let request = EnrolRequest {
        secret: token.secret.clone(),
        name: name("web-1"),
        csr: csr.clone(),
        sealing_key: SealingKey([0; 32]),
    };
    let refused = problem(world.enrol_with(&token, request, key).await);
    assert_eq!(
        (refused.status, &*refused.code),
        (400, "sealing_key_refused")
    );
    let host = world.try_enrol(&token, "web-1").await.unwrap();
    let renewal = RenewRequest {
        csr,
        sealing_key: SealingKey([0; 32]),
    };
    let refused = problem(host.client.renew(&renewal).await);
    assert_eq!(
        (refused.status, &*refused.code),
        (400, "sealing_key_refused")
    );
}

#[tokio::test]
async fn garbled_requests_use_no_token_up() {
    let world = World::start().await;
    let token = world.token(Some("web-1")).await;
    let raw = world.raw(None);
    let url = format!("{}{ENROL}", world.agents());
    let post = |body: Vec<u8>| raw.post(&url).body(body).send();
    for body in [
        b"".to_vec(),
        b"{".to_vec(),
        vec![0xff; 100],
        b"[[[[".repeat(5_000),
    ] {
        let answer = post(body).await.unwrap();
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    assert_eq!(post(vec![b' '; 64 * 1024]).await.unwrap().status(), 413);
    let (_, csr) = key_and_csr();
    let keyless = serde_json::json!({ "secret": token.secret, "name": "web-1", "csr": csr });
    let answer = post(serde_json::to_vec(&keyless).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("sealing_key"));
    for csr in ["", "nonsense", &csr.replace("MII", "MIJ"), &csr[..200]] {
        let request = EnrolRequest {
            secret: token.secret.clone(),
            name: name("web-1"),
            csr: csr.to_owned(),
            sealing_key: sealing_key("web-1"),
        };
        let answer = post(serde_json::to_vec(&request).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 400);
        assert!(answer.text().await.unwrap().contains("csr_refused"));
    }
    world
        .try_enrol(&token, "web-1")
        .await
        .expect("the token is as it was");
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let world = World::start().await;
    let raw = world.raw(None);
    let url = format!("{}{ENROL}", world.agents());
    let mut slowed = 0;
    for _ in 0..80 {
        let answer = raw.post(&url).body("{}").send().await.unwrap();
        if answer.status() == 429 {
            assert!(answer.headers().contains_key("retry-after"));
            slowed += 1;
        }
    }
    assert!(slowed >= 10, "{slowed} of 80 were told to wait");
}

#[tokio::test]
async fn of_many_with_one_token_one_enrols() {
    let world = World::start().await;
    world.serving().await;
    let token = world.token(None).await;
    let names: Vec<String> = (0..8).map(|n| format!("new-{n}")).collect();
    let tries = names.iter().map(|name| world.try_enrol(&token, name));
    let tries = futures_util::future::join_all(tries).await;
    let (won, lost): (Vec<_>, Vec<_>) = tries.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for refused in lost {
        assert_eq!(problem(refused).code, "token_used");
    }
    assert_eq!(
        world.all_hosts().await.len(),
        3,
        "the two of the repo and the one that enrolled"
    );
}

#[tokio::test]
async fn an_rsa_key_is_refused_and_uses_no_token_up() {
    let world = World::start().await;
    let token = world.token(Some("web-1")).await;
    let request = EnrolRequest {
        secret: token.secret.clone(),
        name: name("web-1"),
        csr: RSA_REQUEST.to_owned(),
        sealing_key: sealing_key("web-1"),
    };
    let refused = holdfast_client::enrol(&world.agents(), &token, request).await;
    let refused = problem(refused);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "csr_refused")
    );
    world.try_enrol(&token, "web-1").await.unwrap();
}

/// Made by `openssl req -new -newkey rsa:2048 -nodes -subj /CN=web-1`.
const RSA_REQUEST: &str = include_str!("rsa-request.pem");
