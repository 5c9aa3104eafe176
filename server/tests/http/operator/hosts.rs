//! `GET /v1/hosts`, `/v1/hosts/{name}`: pages over enrolled and declared hosts.

use holdfast_client::PageRequest;
use holdfast_schemas::operator_api::HostStatus;

use crate::world::{World, name};

#[tokio::test]
async fn declared_and_enrolled_hosts_are_listed_in_pages() {
    let world = World::start().await;
    world.serving().await;
    world.enrol("web-1").await;
    let token = world.token(None).await;
    world.try_enrol(&token, "guest").await.unwrap();
    let all = world.all_hosts().await;
    let names: Vec<&str> = all.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["guest", "web-1", "web-2"]);
    assert_eq!(all[2].status, HostStatus::NeverSeen);
    let status = world.operator().status().await.unwrap();
    assert_eq!(status.hosts, 3);
    let identity = std::fs::read_to_string(world.data().join("age-identity")).unwrap();
    let own = holdfast_secrets::Keyring::parse(&identity).unwrap();
    assert_eq!(status.recipients, own.recipients(), "whom to encrypt to");

    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = PageRequest {
            after: after.as_deref(),
            limit: Some(1),
        };
        let page = world.operator().hosts(page).await.unwrap();
        assert_eq!(page.rows.len(), 1);
        seen.extend(page.rows.into_iter().map(|host| host.name));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["guest", "web-1", "web-2"].map(name));
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let world = World::start().await;
    world.serving().await;
    let operator = world.operator();
    let unknown = operator.host(&name("nobody")).await.unwrap_err();
    assert_eq!(unknown.problem().unwrap().status, 404);
    let inventory = operator.inventory(&name("web-1")).await.unwrap_err();
    assert_eq!(inventory.problem().unwrap().code, "inventory_unknown");
    let raw = world.raw(None);
    let token = world.credential().token;
    for path in [
        "/v1/hosts/UPPER",
        "/v1/hosts?limit=many",
        "/v1/hosts?after=%2f%2f",
        "/v1/reports?colour=red",
    ] {
        let url = format!("{}{path}", world.operators());
        let answer = raw.get(url).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{path}");
    }
}
