//! From a commit to what hosts are given.

use holdfast_schemas::operator_api::HostStatus;

use crate::world::{World, inventory, open};

#[tokio::test]
async fn a_commit_is_taken_up_by_itself() {
    let world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let before = open(&signed);
    world.commit(&[("globals.yaml", "vars:\n  motto: two\n")]);
    let body = host.client.news(Some(&before.body)).await.unwrap().body;
    assert_ne!(body, Some(before.body));
    let signed = host
        .offered(&host.asks(before.generation, Some(before.body)))
        .await;
    assert_eq!(open(&signed).generation, before.generation + 1);
    let text = serde_json::to_string(&host.catalog(&signed).await).unwrap();
    assert!(text.contains("two for web-1"));
}

#[tokio::test]
async fn a_host_whose_catalog_is_the_same_hears_nothing() {
    let world = World::start().await;
    let (one, one_signed) = world.enrol_with_catalog("web-1").await;
    let (two, two_signed) = world.enrol_with_catalog("web-2").await;
    world.commit(&[("hosts/web-2.yaml", "vars:\n  motto: mine\nroles: [site]\n")]);
    let before = open(&two_signed).body;
    two.client.news(Some(&before)).await.unwrap();
    let one_now = open(&one.offered(&one.asks(0, None)).await);
    assert_eq!(one_now, open(&one_signed), "not even another generation");
}

#[tokio::test]
async fn a_commit_that_does_not_compile_is_refused_and_the_last_good_one_stays() {
    let world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let active = world.serving().await;
    world.commit(&[("globals.yaml", "vars:\n  moto: two\n")]);
    let diagnostics = world.refused().await;
    assert!(diagnostics.contains("motto"), "{diagnostics}");
    assert_eq!(world.serving().await, active);
    assert_eq!(host.offered(&host.asks(0, None)).await, signed);

    world.commit(&[("globals.yaml", "vars: [\n")]);
    world.commit(&[("globals.yaml", "vars:\n  motto: three\n")]);
    let before = open(&signed).body;
    host.client.news(Some(&before)).await.unwrap();
    assert_eq!(world.operator().status().await.unwrap().refused, None);
}

#[tokio::test]
async fn a_host_whose_own_facts_do_not_compile_is_held_alone() {
    let world = World::start().await;
    let role = crate::world::ROLE.replace(
        "facts.os.family",
        "{ 'debian': 'deb', 'redhat': 'rpm' }[facts.os.family]",
    );
    world.commit(&[("roles/site/role.yaml", &role)]);
    let (one, signed) = world.enrol_with_catalog("web-1").await;
    let two = world.enrol("web-2").await;
    two.client.put_inventory(&inventory("plan9")).await.unwrap();
    two.check_in(&two.asks(0, None)).await;
    let held = world
        .host_when("web-2", |host| host.status == HostStatus::Held)
        .await;
    assert!(held.message.is_some());
    world.commit(&[("globals.yaml", "vars:\n  motto: two\n")]);
    let before = open(&signed).body;
    one.client.news(Some(&before)).await.unwrap();
    two.client
        .put_inventory(&inventory("redhat"))
        .await
        .unwrap();
    world
        .host_when("web-2", |host| {
            host.catalog.is_some() && host.status == HostStatus::Pending
        })
        .await;
}
