//! `PUT /v1/agent/inventory`: facts are an input of compilation.

use holdfast_schemas::routes::agent::INVENTORY;

use crate::world::{World, inventory, open};

#[tokio::test]
async fn other_facts_give_another_catalog() {
    let world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let first = open(&signed);
    host.client
        .put_inventory(&inventory("redhat"))
        .await
        .unwrap();
    let body = host.client.news(Some(&first.body)).await.unwrap().body;
    assert_ne!(body, Some(first.body));
    let signed = host
        .offered(&host.asks(first.generation, Some(first.body)))
        .await;
    assert_eq!(open(&signed).generation, first.generation + 1);
    let text = serde_json::to_string(&host.catalog(&signed).await).unwrap();
    assert!(text.contains("on redhat"));
    let stored = world.operator().inventory(&host.name).await.unwrap();
    assert_eq!(stored.facts.os.family, "redhat");
}

#[tokio::test]
async fn too_much_is_refused() {
    let world = World::start().await;
    let host = world.enrol("web-1").await;
    let raw = world.raw(Some((&host.identity.certificate, &host.key)));
    let url = format!("{}{INVENTORY}", world.agents());
    let answer = raw
        .put(url)
        .body(vec![b' '; (8 << 20) + 1])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 413);
}

#[tokio::test]
async fn what_nests_too_deep_is_refused_and_what_is_kept_can_be_read() {
    let world = World::start().await;
    let host = world.enrol("web-1").await;
    let raw = world.raw(Some((&host.identity.certificate, &host.key)));
    let url = format!("{}{INVENTORY}", world.agents());
    let with = |depth: usize| {
        let mut document = serde_json::to_value(inventory("debian")).unwrap();
        let deep = (0..depth).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
        document["facts"]["custom"] = deep;
        raw.put(&url).body(document.to_string()).send()
    };
    for depth in [31, 100, 120, 125, 5000] {
        let answer = with(depth).await.unwrap();
        assert_eq!(answer.status(), 400, "{depth}");
    }
    assert_eq!(with(30).await.unwrap().status(), 204);
    let stored = world.operator().inventory(&host.name).await.unwrap();
    assert!(stored.facts.more.contains_key("custom"));
}
