//! Tokens that let nobody in: each is refused with a sentence and a hint, nothing is kept of the
//! attempt, and the token that was not at fault still works.

use holdfast_schemas::operator_api::{HostStatus, NewToken};
use holdfast_testkit::{Agent, Ran, wait_until};

use crate::wire::{operator, runtime};
use crate::world::{PATIENCE, World};

/// What the program says of a token, and that nothing came of it.
fn expect_refused(host: &Agent, ran: &Ran, says: &str) {
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
    assert!(!host.state().join("identity.json").exists());
}

#[test]
fn wrong_tokens_let_nobody_in() {
    let world = World::new();
    let agents = world.server.agents();
    let web = Agent::new("web").unwrap();
    let db = Agent::new("db").unwrap();
    let token = |words: &[&str]| {
        let mut all = vec!["token", "create"];
        all.extend(words);
        let all: [&str; 4] = all.try_into().unwrap();
        world.server.ask(all).unwrap().trim().to_owned()
    };

    let garbled = web.enrol_with(&agents, "hft_nonsense").unwrap();
    expect_refused(&web, &garbled, "holdfast token create");

    let for_web = token(&["--host", "web"]);
    let (_, fingerprint) = for_web.rsplit_once('_').unwrap();
    let unknown = format!("hft_{}_{fingerprint}", "0".repeat(32));
    let unknown = web.enrol_with(&agents, &unknown).unwrap();
    expect_refused(&web, &unknown, "hint:");

    let foreign = for_web.replace(fingerprint, &"0".repeat(64));
    let foreign = web.enrol_with(&agents, &foreign).unwrap();
    expect_refused(&web, &foreign, "the CA that the token names");

    let elsewhere = db.enrol_with(&agents, &for_web).unwrap();
    expect_refused(&db, &elsewhere, "hint:");

    let free = token(&["--ttl", "1h"]);
    let claimed = db.enrol_with(&agents, &free).unwrap();
    expect_refused(&db, &claimed, "--host db");

    // None of these attempts used it up.
    let enrolled = web.enrol_with(&agents, &for_web).unwrap();
    assert_eq!(enrolled.code, Some(0), "{}", enrolled.stderr);
    let thief = Agent::new("web").unwrap();
    let used = thief.enrol_with(&agents, &for_web).unwrap();
    expect_refused(&thief, &used, "used");
    assert_eq!(web.once(&[]).unwrap().code, Some(2));
}

#[test]
fn a_token_whose_answer_was_lost_is_not_spent() {
    let world = World::new();
    let agents = world.server.agents();
    let token = world.server.ask(["token", "create", "--host", "web"]);
    let token = token.unwrap().trim().to_owned();
    let web = Agent::new("web").unwrap();
    // The server has enrolled it when it finds that it cannot keep what it was given.
    let taken = web.state().join("identity.json/taken");
    std::fs::create_dir_all(&taken).unwrap();
    let lost = web.enrol_with(&agents, &token).unwrap();
    assert_eq!(lost.code, Some(1), "{}", lost.stdout);
    assert_eq!(world.host("web").status, HostStatus::NeverSeen);
    std::fs::remove_dir(&taken).unwrap();
    std::fs::remove_dir(web.state().join("identity.json")).unwrap();

    let thief = Agent::new("web").unwrap();
    let used = thief.enrol_with(&agents, &token).unwrap();
    expect_refused(&thief, &used, "used");
    let again = web.enrol_with(&agents, &token).unwrap();
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(web.once(&[]).unwrap().code, Some(2));
}

#[test]
fn an_expired_token_lets_nobody_in() {
    let world = World::new();
    let wanted = NewToken {
        ttl_s: 1,
        host: Some("web".parse().unwrap()),
    };
    let issued = runtime().block_on(operator(&world.server).create_token(&wanted));
    let issued = issued.unwrap();
    let expires = std::time::SystemTime::from(issued.expires);
    let expired = || std::time::SystemTime::now() > expires;
    assert!(wait_until(PATIENCE, expired));
    let web = Agent::new("web").unwrap();
    let late = web.enrol_with(&world.server.agents(), &issued.token.to_string());
    expect_refused(&web, &late.unwrap(), "expired");
}
