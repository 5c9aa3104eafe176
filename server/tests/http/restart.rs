//! Everything comes back, and a repo that is gone keeps no host from its catalog.

use holdfast_client::PageRequest;
use holdfast_schemas::operator_api::HostStatus;
use holdfast_schemas::report::RunStatus;

use crate::world::{World, inventory, open, options};

#[tokio::test]
async fn a_restart_keeps_everything() {
    let mut world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let report = host.report(1, &open(&signed), RunStatus::Drifted);
    host.client.post_report(&report).await.unwrap();
    let active = world.serving().await;
    world.restart().await;
    assert_eq!(world.serving().await, active);
    let host = world.again(&host);
    assert_eq!(host.offered(&host.asks(0, None)).await, signed);
    assert!(host.client.post_report(&report).await.unwrap().known);
    let stored = world
        .operator()
        .reports(None, PageRequest::default())
        .await
        .unwrap();
    assert_eq!(stored.rows.len(), 1);
    let stands = world.operator().host(&host.name).await.unwrap();
    assert_eq!(stands.status, HostStatus::Drifted);
}

#[tokio::test]
async fn a_repo_that_is_gone_keeps_no_host_from_its_catalog() {
    let mut world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let aside = world.folder.path().join("aside");
    std::fs::rename(world.repo(), &aside).unwrap();
    world.restart().await;
    let host = world.again(&host);
    assert_eq!(host.offered(&host.asks(0, None)).await, signed);
    host.catalog(&signed).await;
    std::fs::rename(&aside, world.repo()).unwrap();
    world.commit(&[("globals.yaml", "vars:\n  motto: back\n")]);
    let before = open(&signed).body;
    host.client.news(Some(&before)).await.unwrap();
}

#[tokio::test]
async fn facts_are_compiled_against_the_served_revision_while_a_commit_is_refused() {
    let mut world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    world.commit(&[("globals.yaml", "vars:\n  moto: two\n")]);
    world.refused().await;
    world.restart().await;
    let host = world.again(&host);
    host.client
        .put_inventory(&inventory("redhat"))
        .await
        .unwrap();
    let before = open(&signed).body;
    let after = host.client.news(Some(&before)).await.unwrap().body;
    assert_ne!(after, Some(before));
    let text = serde_json::to_string(&host.catalog(&host.offered(&host.asks(0, None)).await).await);
    assert!(text.unwrap().contains("one for web-1 on redhat"));
}

#[tokio::test]
async fn facts_that_were_damaged_hold_no_other_host_and_are_asked_for_again() {
    let mut world = World::start().await;
    let (one, signed) = world.enrol_with_catalog("web-1").await;
    let two = world.enrol("web-2").await;
    let mut found = inventory("debian");
    // Long enough for a file of its own, which can be damaged from outside.
    found.facts.hostname = "x".repeat(50_000);
    two.client.put_inventory(&found).await.unwrap();
    world
        .host_when("web-2", |host| host.catalog.is_some())
        .await;
    world.stop().await;
    damage_what_holds(&world.data().join("store"), &"x".repeat(50_000));
    world.commit(&[("globals.yaml", "vars:\n  motto: two\n")]);
    world.restart().await;
    let (one, two) = (world.again(&one), world.again(&two));
    let before = open(&signed).body;
    let body = one.client.news(Some(&before)).await.unwrap().body;
    assert_ne!(body, Some(before), "the other host has its catalog");
    let facts = holdfast_schemas::Digest::of(serde_json::to_vec(&found.facts).unwrap());
    let ask = holdfast_schemas::agent_api::CheckIn {
        facts,
        ..two.asks(0, None)
    };
    let wanted = async {
        while !two.check_in(&ask).await.want_inventory {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), wanted)
        .await
        .expect("the agent is asked for its facts");
    two.client.put_inventory(&found).await.unwrap();
    let body = async {
        loop {
            let signed = two.offered(&ask).await;
            let text = serde_json::to_string(&two.catalog(&signed).await).unwrap();
            if text.contains("two for web-2") {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), body)
        .await
        .expect("it has its catalog again");
}

/// Breaks every document of a store that holds a text and nothing but facts.
fn damage_what_holds(folder: &std::path::Path, text: &str) {
    let mut damaged = 0;
    let mut ahead = vec![folder.to_owned()];
    while let Some(folder) = ahead.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                ahead.push(entry.path());
                continue;
            }
            let bytes = std::fs::read(entry.path()).unwrap();
            let held = String::from_utf8_lossy(&bytes);
            let first = held.lines().next().unwrap_or_default();
            if first.contains("f/web-2") && held.contains(text) {
                std::fs::write(entry.path(), held.replace(text, "y")).unwrap();
                damaged += 1;
            }
        }
    }
    assert_eq!(damaged, 1, "the document of the facts");
}

#[tokio::test]
async fn a_folder_that_is_not_the_servers_is_left_as_it_is() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let others = folder.path().join("home");
    std::fs::create_dir(&others).unwrap();
    std::fs::write(others.join("letter.txt"), "dear").unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&others, open).unwrap();
    let options = options(folder.path().to_str().unwrap(), &others);
    let refused = holdfast::serve(options).await.unwrap_err();
    assert!(refused.to_string().contains("--data"), "{refused}");
    let mode = std::fs::metadata(&others).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    assert_eq!(std::fs::read_dir(&others).unwrap().count(), 1);
}

#[tokio::test]
async fn two_servers_do_not_share_a_folder() {
    let world = World::start().await;
    let options = options(world.repo().to_str().unwrap(), &world.data());
    let refused = holdfast::serve(options).await.unwrap_err();
    assert!(refused.to_string().contains("another server"));
}

#[tokio::test]
async fn a_remote_repo_that_does_not_answer_does_not_hold_up_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = options(
        &format!("https://{}/site.git", mute.local_addr().unwrap()),
        &folder.path().join("data"),
    );
    let server = holdfast::serve(options).await.unwrap();
    // It is asked, and keeps quiet.
    let asked = mute.accept().await.unwrap();
    let began = std::time::Instant::now();
    server.stop().await;
    assert!(began.elapsed() < std::time::Duration::from_secs(5));
    drop((asked, mute));
}

#[tokio::test]
async fn who_waits_for_news_is_answered_when_the_server_ends() {
    let mut world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let body = open(&signed).body;
    let waiting = tokio::spawn(async move { host.client.news(Some(&body)).await });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(!waiting.is_finished(), "nothing new, so it is held");
    let began = std::time::Instant::now();
    world.stop().await;
    assert_eq!(waiting.await.unwrap().unwrap().body, Some(body));
    assert!(began.elapsed() < std::time::Duration::from_secs(8));
}
