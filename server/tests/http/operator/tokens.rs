//! `POST /v1/tokens`.

use holdfast_schemas::operator_api::NewToken;

use crate::world::{World, problem};

#[tokio::test]
async fn a_token_has_bounds_and_names_the_authority() {
    let world = World::start().await;
    let issue = async |ttl_s| {
        let ask = NewToken { ttl_s, host: None };
        world.operator().create_token(&ask).await
    };
    for ttl_s in [0, u64::MAX, 91 * 24 * 60 * 60] {
        let refused = problem(issue(ttl_s).await);
        assert_eq!(
            (refused.status, refused.code.as_str()),
            (400, "ttl_out_of_range")
        );
    }
    let (one, two) = (issue(60).await.unwrap(), issue(60).await.unwrap());
    assert_ne!(one.token.secret, two.token.secret);
    assert_eq!(one.token.ca, two.token.ca);
    assert_eq!(one.agents, Some(world.agents()), "where it is good");
    assert_eq!(world.operator().status().await.unwrap().agents, one.agents);
    let left = one.expires.duration_since(jiff::Timestamp::now());
    assert!((50..=60).contains(&left.as_secs()));
}
