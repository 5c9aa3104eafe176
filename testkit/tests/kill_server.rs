//! What the server acknowledged is on disk: it is killed under a load of reports from several
//! hosts, again and again. No report that it gave a receipt for is missing afterwards, none is
//! there twice, and no host's generation goes backwards.
//!
//! `HOLDFAST_KILLS` says how often; the campaign asks for many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_client::{AgentClient, OperatorClient, PageRequest, enrol};
use holdfast_schemas::HostName;
use holdfast_schemas::enrol::EnrolRequest;
use holdfast_schemas::operator_api::{Credential, NewToken};
use holdfast_schemas::report::Report;
use holdfast_schemas::secret::SealingKey;
use holdfast_testkit::{Server, Site};
use tokio::task::JoinSet;

/// How often the server is killed unless `HOLDFAST_KILLS` says otherwise.
const KILLS: u64 = 5;

/// Hosts that report at once.
const HOSTS: usize = 4;

/// Reports of a host that are looked for: those of the last round lie among them.
const NEWEST: usize = 500;

/// Longest load before a kill: reached only when the kill fails.
const LOAD: Duration = Duration::from_secs(60);

/// A report as an agent sends it; the sample of the published contract.
const SAMPLE: &str = include_str!("../../schemas/samples/valid/report/drift-failure-and-skip.json");

/// A host, and the newest of its reports that were acknowledged.
struct Client {
    name: HostName,
    agent: AgentClient,
    /// The number sent last.
    sent: u64,
    /// Those that the server gave a receipt for, in this round.
    acknowledged: Vec<u64>,
    /// The newest generation that the server wanted it to have.
    generation: u64,
}

#[test]
fn no_acknowledged_report_is_missing_after_a_kill() {
    // A provider that is installed already is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kills = std::env::var("HOLDFAST_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let site = Site::new().unwrap();
    for host in 0..HOSTS {
        let file = format!("hosts/web-{host}.yaml");
        site.write(&file, "roles: [motd]\n").unwrap();
    }
    commit(&site, 0);
    let mut server = Server::start(site.path()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut clients = runtime.block_on(enrolled(&server));

    let mut receipts = 0;
    for round in 0..kills {
        // Another moment of the load in every round, from before its first receipt on, and while
        // a commit is taken up.
        let moment = Duration::from_millis(20 + round * 37 % 400);
        commit(&site, round + 1);
        std::thread::scope(|scope| {
            let killer = scope.spawn(|| {
                std::thread::sleep(moment);
                server.kill().unwrap();
            });
            clients = runtime.block_on(load(std::mem::take(&mut clients)));
            killer.join().unwrap();
        });
        server.start_again().unwrap();
        runtime.block_on(async {
            for client in &mut clients {
                expect_kept(&server, client, round).await;
                expect_counted_once(&server, client).await;
                expect_no_older_generation(&server, client).await;
                receipts += client.acknowledged.len() as u64;
            }
        });
    }
    let generations: Vec<u64> = clients.iter().map(|client| client.generation).collect();
    eprintln!("{kills} kills, {receipts} receipts, generations {generations:?}");
    assert!(receipts > kills, "hardly a receipt");
    assert!(generations.iter().all(|&one| one > 0), "no generations");
}

/// Commits another text for all hosts.
fn commit(site: &Site, round: u64) {
    let role = format!("resources:\n  - file: /etc/motd\n    content: round {round}\n");
    site.write("roles/motd/role.yaml", &role).unwrap();
    site.commit("a round").unwrap();
}

/// All hosts send reports until the server is gone.
async fn load(clients: Vec<Client>) -> Vec<Client> {
    let mut sending = JoinSet::new();
    for client in clients {
        sending.spawn(report(client));
    }
    let sent = tokio::time::timeout(LOAD, sending.join_all()).await;
    sent.expect("the server was not killed")
}

async fn report(mut client: Client) -> Client {
    client.acknowledged.clear();
    loop {
        client.sent += 1;
        match client.agent.post_report(&numbered(&client)).await {
            Ok(_) => client.acknowledged.push(client.sent),
            Err(_) => return client,
        }
    }
}

/// The host's report of the number sent last.
fn numbered(client: &Client) -> Report {
    let mut report: Report = serde_json::from_str(SAMPLE).unwrap();
    report.host = client.name.clone();
    report.id.sequence = client.sent;
    report
}

/// What was acknowledged is there, each once.
async fn expect_kept(server: &Server, client: &Client, round: u64) {
    let kept = kept(server, &client.name).await;
    let newest = client.acknowledged.iter().rev().take(NEWEST);
    let missing: Vec<&u64> = newest.filter(|number| !kept.contains_key(number)).collect();
    assert!(missing.is_empty(), "round {round}: {missing:?} are missing");
    expect_single(&kept);
}

/// The report without a receipt is sent again, as an agent does: it is there once, whether the
/// server had it or not.
async fn expect_counted_once(server: &Server, client: &Client) {
    let again = client.agent.post_report(&numbered(client)).await;
    assert_eq!(again.unwrap().report.sequence, client.sent);
    let kept = kept(server, &client.name).await;
    assert_eq!(kept.get(&client.sent), Some(&1));
    expect_single(&kept);
}

fn expect_single(kept: &BTreeMap<u64, usize>) {
    let twice: Vec<_> = kept.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?} are there more than once");
}

async fn expect_no_older_generation(server: &Server, client: &mut Client) {
    let wants = operator(server).host(&client.name).await.unwrap().wants;
    let before = client.generation;
    assert!(
        wants >= before,
        "{} went from {before} to {wants}",
        client.name
    );
    client.generation = wants;
}

/// The numbers of the newest reports that the server has of a host, and how often each.
async fn kept(server: &Server, host: &HostName) -> BTreeMap<u64, usize> {
    let operator = operator(server);
    let mut kept = BTreeMap::new();
    let mut after: Option<String> = None;
    while kept.len() < NEWEST {
        let page = PageRequest {
            after: after.as_deref(),
            limit: Some(100),
        };
        let page = operator.reports(Some(host), page).await.unwrap();
        for row in &page.rows {
            *kept.entry(row.report.id.sequence).or_default() += 1;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    kept
}

fn operator(server: &Server) -> OperatorClient {
    let text = std::fs::read(server.credential()).unwrap();
    let credential: Credential = serde_json::from_slice(&text).unwrap();
    OperatorClient::new(&credential).unwrap()
}

async fn enrolled(server: &Server) -> Vec<Client> {
    let mut clients = Vec::new();
    for host in 0..HOSTS {
        let name: HostName = format!("web-{host}").parse().unwrap();
        clients.push(Client {
            agent: enrolled_as(server, &name).await,
            name,
            sent: 0,
            acknowledged: Vec::new(),
            generation: 0,
        });
    }
    clients
}

async fn enrolled_as(server: &Server, host: &HostName) -> AgentClient {
    let wanted = NewToken {
        ttl_s: 600,
        host: Some(host.clone()),
    };
    let token = operator(server).create_token(&wanted).await.unwrap().token;
    let key = rcgen::KeyPair::generate().unwrap();
    let request = rcgen::CertificateParams::default().serialize_request(&key);
    let request = EnrolRequest {
        secret: token.secret.clone(),
        name: host.clone(),
        csr: request.unwrap().pem().unwrap(),
        sealing_key: SealingKey([7; 32]),
    };
    let identity = enrol(&server.agents(), &token, request).await.unwrap();
    AgentClient::new(&server.agents(), &identity, &key.serialize_pem()).unwrap()
}
