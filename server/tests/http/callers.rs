//! Every route against every kind of caller: what is not allowed explicitly is refused, and says
//! why.

use std::time::Duration;

use holdfast::pki::Pki;
use holdfast_schemas::routes::{agent, operator};
use holdfast_store::{HostRecord, Revocation, SledStore};
use jiff::Timestamp;
use reqwest::{Client, Method};

use crate::world::{World, key_and_csr, name};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn routes_of_hosts() -> [(Method, String); 6] {
    let blob = agent::BLOB.replace("{digest}", &"0".repeat(64));
    [
        (Method::POST, agent::CHECK_IN.to_owned()),
        (Method::GET, agent::NEWS.to_owned()),
        (Method::PUT, agent::INVENTORY.to_owned()),
        (Method::POST, agent::REPORTS.to_owned()),
        (Method::GET, blob),
        (Method::POST, agent::RENEW.to_owned()),
    ]
}

fn routes_of_operators() -> [(Method, &'static str); 7] {
    [
        (Method::GET, operator::STATUS),
        (Method::GET, operator::HOSTS),
        (Method::GET, "/v1/hosts/web-1"),
        (Method::GET, "/v1/hosts/web-1/inventory"),
        (Method::GET, operator::REPORTS),
        (Method::GET, operator::DRIFT),
        (Method::POST, operator::TOKENS),
    ]
}

/// Somebody, and the answer they get to whatever they ask.
struct Caller {
    who: &'static str,
    client: Client,
    status: u16,
    code: &'static str,
}

#[tokio::test]
async fn the_routes_of_hosts_are_closed_to_everybody_else() {
    let mut world = World::start().await;
    let replaced = world.enrol("web-1").await;
    world.enrol("web-1").await;
    let revoked = world.enrol("web-2").await;
    let ended = world.enrol("ended-1").await;
    world.stop().await;
    let (lapsed, lapsed_key) = set_back(&world, &ended.name);
    revoke(&world, &revoked.name);
    world.restart().await;
    let own = std::fs::read_to_string(world.data().join("pki/server.pem")).unwrap();
    let (forged, forged_key) = forge();
    let caller = |who, shows, status, code| Caller {
        who,
        client: world.raw(shows),
        status,
        code,
    };
    let (replaced, revoked) = (&replaced, &revoked);
    let shows = |host: &crate::world::Host| (host.identity.certificate.clone(), host.key.clone());
    let (replaced, revoked) = (shows(replaced), shows(revoked));
    let callers = [
        caller("nobody", None, 401, "certificate_missing"),
        caller(
            "a host of another authority",
            Some((&forged, &forged_key)),
            403,
            "certificate_foreign",
        ),
        caller(
            "the server itself",
            Some((&own, &own)),
            403,
            "certificate_foreign",
        ),
        caller(
            "a host that enrolled again",
            Some((&replaced.0, &replaced.1)),
            403,
            "certificate_superseded",
        ),
        caller(
            "a revoked host",
            Some((&revoked.0, &revoked.1)),
            403,
            "certificate_revoked",
        ),
        caller(
            "a host away for too long",
            Some((&lapsed, &lapsed_key)),
            403,
            "certificate_",
        ),
    ];
    let token = world.credential().token;
    for caller in &callers {
        for (method, path) in routes_of_hosts() {
            let url = format!("{}{path}", world.agents());
            // An operator's token opens nothing here.
            let asked = caller.client.request(method, url).bearer_auth(&token);
            let answer = asked.body("{}").send().await.unwrap();
            assert_eq!(answer.status(), caller.status, "{} on {path}", caller.who);
            let text = answer.text().await.unwrap();
            assert!(
                text.contains(caller.code),
                "{} on {path}: {text}",
                caller.who
            );
        }
    }
}

#[tokio::test]
async fn each_listener_knows_only_its_own_routes() {
    let world = World::start().await;
    let host = world.enrol("web-1").await;
    let client = world.raw(Some((&host.identity.certificate, &host.key)));
    let token = world.credential().token;
    for (method, path) in routes_of_operators() {
        let at_agents = client.request(method.clone(), format!("{}{path}", world.agents()));
        let answer = at_agents.bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path} for agents");
        let at_operators = client.request(method, format!("{}{path}", world.operators()));
        let answer = at_operators.body("{}").send().await.unwrap();
        assert_eq!(answer.status(), 401, "{path} with a host's certificate");
    }
    for (method, path) in routes_of_hosts() {
        let url = format!("{}{path}", world.operators());
        let asked = client.request(method, url).bearer_auth(&token);
        assert_eq!(asked.send().await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn names_in_paths_are_names_and_nothing_else() {
    let world = World::start().await;
    let host = world.enrol("web-1").await;
    let client = world.raw(Some((&host.identity.certificate, &host.key)));
    let token = world.credential().token;
    let long = "a".repeat(5000);
    for text in [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e",
        "a%2Fb",
        "%00",
        "%ff",
        "web-1%00",
        "a%0d%0aset-cookie:%20x=y",
        "WEB-1",
        &long,
    ] {
        for url in [
            format!("{}/v1/hosts/{text}", world.operators()),
            format!("{}/v1/hosts/{text}/inventory", world.operators()),
            format!("{}/v1/agent/blobs/{text}", world.agents()),
        ] {
            let answer = client.get(&url).bearer_auth(&token).send().await.unwrap();
            assert!([400, 404].contains(&answer.status().as_u16()), "{url}");
            assert!(!answer.headers().contains_key("set-cookie"), "{url}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
        }
    }
}

fn forge() -> (String, String) {
    let elsewhere = tempfile::tempdir().unwrap();
    let pki = Pki::open(elsewhere.path()).unwrap();
    let (key, csr) = key_and_csr();
    let now = Timestamp::now();
    let forged = pki.authority.certify_host(&name("web-1"), &csr, now);
    (forged.unwrap().chain, key)
}

/// A certificate of a host that ended longer ago than it can be renewed.
fn set_back(world: &World, host: &holdfast_schemas::HostName) -> (String, String) {
    let pki = Pki::open(&world.data().join("pki")).unwrap();
    let (key, csr) = key_and_csr();
    let then = Timestamp::now() - 200 * DAY;
    let ended = pki.authority.certify_host(host, &csr, then).unwrap();
    change(world, host, move |record| record.enrolled = then - DAY);
    (ended.chain, key)
}

fn revoke(world: &World, host: &holdfast_schemas::HostName) {
    change(world, host, |record| {
        record.revoked = Some(Revocation {
            at: Timestamp::now(),
            reason: "stolen".to_owned(),
        });
    });
}

fn change(
    world: &World,
    host: &holdfast_schemas::HostName,
    change: impl FnOnce(&mut HostRecord) + Send + 'static,
) {
    let store = SledStore::open(&world.data().join("store")).unwrap();
    store.update_host(host, Box::new(change)).unwrap();
}
