//! What the server acknowledged is on disk: it is killed under a load of reports, again and again,
//! and no report that it gave a receipt for is missing afterwards.
//!
//! `HOLDFAST_KILLS` says how often; the campaign asks for many.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use holdfast_client::{AgentClient, OperatorClient, PageRequest, enrol};
use holdfast_schemas::HostName;
use holdfast_schemas::enrol::EnrolRequest;
use holdfast_schemas::operator_api::{Credential, NewToken};
use holdfast_schemas::report::Report;
use holdfast_testkit::{Server, Site};

/// How often the server is killed unless `HOLDFAST_KILLS` says otherwise.
const KILLS: u64 = 3;

/// Reports of the last round lie within this many of the newest.
const NEWEST: usize = 500;

/// A report as an agent sends it; the sample of the published contract.
const SAMPLE: &str = include_str!("../../schemas/samples/valid/report/drift-failure-and-skip.json");

#[test]
fn no_acknowledged_report_is_missing_after_a_kill() {
    // A provider that is installed already is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kills = std::env::var("HOLDFAST_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let site = Site::new().unwrap();
    site.write("hosts/web.yaml", "roles: []\n").unwrap();
    site.commit("a host").unwrap();
    let mut server = Server::start(site.path()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let host: HostName = "web".parse().unwrap();
    let agent = runtime.block_on(enrolled(&server, &host));

    let mut sequence = 0;
    for round in 0..kills {
        // Another moment of the load in every round, from before its first receipt on.
        let moment = Duration::from_millis(20 + round * 37 % 400);
        let sent = std::thread::scope(|scope| {
            let killer = scope.spawn(|| {
                std::thread::sleep(moment);
                server.kill().unwrap();
            });
            let sent = runtime.block_on(report(&agent, sequence));
            killer.join().unwrap();
            sent
        });
        server.start_again().unwrap();
        let kept = runtime.block_on(kept(&server, &host));
        let newest = sent.iter().rev().take(NEWEST);
        let missing: Vec<&u64> = newest.filter(|number| !kept.contains(number)).collect();
        assert!(
            missing.is_empty(),
            "round {round}: {missing:?} of {} are missing",
            sent.len()
        );
        sequence = sent.last().copied().unwrap_or(sequence) + 1;
    }
    assert!(
        sequence > kills,
        "the server gave hardly a receipt: {sequence}"
    );
}

/// Sends reports until the server is gone; gives the numbers of those it acknowledged.
async fn report(agent: &AgentClient, before: u64) -> Vec<u64> {
    let mut report: Report = serde_json::from_str(SAMPLE).unwrap();
    report.host = "web".parse().unwrap();
    let mut acknowledged = Vec::new();
    let begin = Instant::now();
    for number in before + 1.. {
        report.id.sequence = number;
        match agent.post_report(&report).await {
            Ok(_) => acknowledged.push(number),
            Err(_) => break,
        }
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "the server was not killed"
        );
    }
    acknowledged
}

/// The numbers of the newest reports that the server has.
async fn kept(server: &Server, host: &HostName) -> BTreeSet<u64> {
    let operator = operator(server);
    let mut kept = BTreeSet::new();
    let mut after: Option<String> = None;
    while kept.len() < NEWEST {
        let page = PageRequest {
            after: after.as_deref(),
            limit: Some(100),
        };
        let page = operator.reports(Some(host), page).await.unwrap();
        kept.extend(page.rows.iter().map(|row| row.report.id.sequence));
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

async fn enrolled(server: &Server, host: &HostName) -> AgentClient {
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
    };
    let identity = enrol(&server.agents(), &token, request).await.unwrap();
    AgentClient::new(&server.agents(), &identity, &key.serialize_pem()).unwrap()
}
