//! `POST /v1/agent/renew`.

use holdfast_schemas::enrol::RenewRequest;

use crate::world::{World, key_and_csr, problem};

#[tokio::test]
async fn a_certificate_buys_the_next_one() {
    let world = World::start().await;
    let host = world.enrol("web-1").await;
    let (key, csr) = key_and_csr();
    let identity = host.client.renew(&RenewRequest { csr }).await.unwrap();
    assert_eq!(identity.name, host.name);
    assert_ne!(identity.certificate, host.identity.certificate);
    let renewed = world.host(identity, key);
    renewed.check_in(&renewed.asks(0, None)).await;
    host.check_in(&host.asks(0, None)).await;
    let csr = "garbage".to_owned();
    let refused = problem(renewed.client.renew(&RenewRequest { csr }).await);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "csr_refused")
    );
}
