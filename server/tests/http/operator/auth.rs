//! Operators' routes without a token, with a wrong one, and over the wrong listener.

use holdfast_schemas::operator_api::Credential;
use holdfast_schemas::routes::operator as routes;

use crate::world::{World, problem};

#[tokio::test]
async fn every_route_wants_the_right_token() {
    let world = World::start().await;
    let raw = world.raw(None);
    let paths = [
        routes::STATUS,
        routes::HOSTS,
        "/v1/hosts/web-1",
        "/v1/hosts/web-1/inventory",
        routes::REPORTS,
        routes::DRIFT,
        "/v1/no-such-thing",
    ];
    let right = world.credential().token;
    for path in paths {
        let get = || raw.get(format!("{}{path}", world.operators()));
        let none = get().send().await.unwrap();
        assert_eq!(none.status(), 401, "{path}");
        assert_eq!(none.headers()["www-authenticate"], "Bearer");
        for wrong in [&right[1..], "", "hfo_", &"x".repeat(10_000)] {
            let answer = get().bearer_auth(wrong).send().await.unwrap();
            assert_eq!(answer.status(), 401, "{path}");
            assert!(answer.text().await.unwrap().contains("token_"));
        }
        let basic = get()
            .basic_auth("admin", Some(&right))
            .send()
            .await
            .unwrap();
        assert_eq!(basic.status(), 401);
        let good = get().bearer_auth(&right).send().await.unwrap();
        assert_ne!(good.status(), 401, "{path}");
    }
    let tokens = format!("{}{}", world.operators(), routes::TOKENS);
    let answer = raw
        .post(tokens)
        .body("{\"ttl_s\":60}")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn the_credential_is_private_and_survives_a_restart() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut world = World::start().await;
    let path = world.data().join("admin.json");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = world.credential();
    world.restart().await;
    let after = world.credential();
    assert_eq!(before.token, after.token);
    assert_eq!(
        after.server,
        world.operators(),
        "the address is the present one"
    );
    std::fs::remove_file(&path).unwrap();
    world.restart().await;
    assert_ne!(
        world.credential().token,
        before.token,
        "who lost it is not locked out"
    );
    world.operator().status().await.unwrap();
    let lost = holdfast_client::OperatorClient::new(&Credential {
        token: before.token,
        ..world.credential()
    });
    let refused = problem(lost.unwrap().status().await);
    assert_eq!(
        refused.code, "token_unknown",
        "and what was lost is worth nothing"
    );
}

#[tokio::test]
async fn a_credential_that_others_could_read_is_made_private_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut world = World::start().await;
    let path = world.data().join("admin.json");
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    world.restart().await;
    assert_eq!(mode(), 0o600);
}
