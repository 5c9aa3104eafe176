//! `POST /v1/agent/renew`.

use futures_util::StreamExt as _;
use holdfast_schemas::enrol::RenewRequest;
use holdfast_schemas::routes::agent::RENEW;

use crate::world::{World, key_and_csr, problem, sealing_key};

#[tokio::test]
async fn a_certificate_buys_the_next_one() {
    let world = World::start().await;
    let host = world.enrol("web-1").await;
    let (key, csr) = key_and_csr();
    let identity = host
        .client
        .renew(&RenewRequest {
            csr,
            sealing_key: sealing_key("web-1"),
        })
        .await
        .unwrap();
    assert_eq!(identity.name, host.name);
    assert_ne!(identity.certificate, host.identity.certificate);
    let renewed = world.host(identity, key);
    renewed.check_in(&renewed.asks(0, None)).await;
    host.check_in(&host.asks(0, None)).await;
    let csr = "garbage".to_owned();
    let refused = problem(
        renewed
            .client
            .renew(&RenewRequest {
                csr,
                sealing_key: sealing_key("web-1"),
            })
            .await,
    );
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "csr_refused")
    );
}

#[tokio::test]
async fn a_renewal_that_a_new_enrolment_overtakes_is_worth_nothing() {
    let world = World::start().await;
    let stolen = world.enrol("web-1").await;
    let (_, csr) = key_and_csr();
    let body = serde_json::to_vec(&RenewRequest {
        csr,
        sealing_key: sealing_key("web-1"),
    })
    .unwrap();
    let (first, second) = (body[..20].to_vec(), body[20..].to_vec());
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(first)]).chain(
        futures_util::stream::once(async move {
            let _ = wait.await;
            Ok(second)
        }),
    );
    let raw = world.raw(Some((&stolen.identity.certificate, &stolen.key)));
    let url = format!("{}{RENEW}", world.agents());
    let slow = raw
        .post(url)
        .body(reqwest::Body::wrap_stream(pieces))
        .send();
    let slow = tokio::spawn(slow);
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let good = world.enrol("web-1").await;
    go.send(()).unwrap();
    let answer = slow.await.unwrap().unwrap();
    assert_eq!(answer.status(), 403);
    assert!(
        answer
            .text()
            .await
            .unwrap()
            .contains("certificate_superseded")
    );
    good.check_in(&good.asks(0, None)).await;
}
