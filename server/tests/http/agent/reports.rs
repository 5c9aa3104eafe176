//! `POST /v1/agent/reports`: of oneself, once, and bounded.

use holdfast_client::PageRequest;
use holdfast_schemas::agent_api::LastRun;
use holdfast_schemas::operator_api::HostStatus;
use holdfast_schemas::report::RunStatus;
use holdfast_schemas::routes::agent::REPORTS;
use jiff::Timestamp;

use crate::world::{World, name, open, problem};

#[tokio::test]
async fn a_report_counts_once() {
    let world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let report = host.report(1, &open(&signed), RunStatus::InSync);
    let first = host.client.post_report(&report).await.unwrap();
    assert_eq!((first.report, first.known), (report.id.clone(), false));
    assert!(host.client.post_report(&report).await.unwrap().known);
    let page = PageRequest::default();
    let stored = world
        .operator()
        .reports(Some(&host.name), page)
        .await
        .unwrap();
    assert_eq!(stored.rows.len(), 1);
    assert_eq!(stored.rows[0].report, report);
    let stands = world.operator().host(&host.name).await.unwrap();
    assert_eq!(stands.status, HostStatus::InSync);
    assert_eq!(
        (stands.wants, stands.has),
        (report.generation, report.generation)
    );

    let mut other = report.clone();
    other.status = RunStatus::Failed;
    let forked = problem(host.client.post_report(&other).await);
    assert_eq!(
        (forked.status, forked.code.as_str()),
        (409, "report_forked")
    );
}

#[tokio::test]
async fn a_check_in_says_that_the_last_report_still_holds() {
    let world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let envelope = open(&signed);
    let report = host.report(1, &envelope, RunStatus::InSync);
    host.client.post_report(&report).await.unwrap();
    let page = || world.operator();
    let confirmed = async || {
        let page = page()
            .reports(Some(&name("web-1")), PageRequest::default())
            .await
            .unwrap();
        page.rows[0].confirmed
    };
    let before = confirmed().await;
    let mut ask = host.asks(envelope.generation, Some(envelope.body));
    ask.last_run = Some(LastRun {
        report: report.id,
        at: Timestamp::now(),
    });
    host.check_in(&ask).await;
    assert!(confirmed().await > before);
}

#[tokio::test]
async fn nobody_reports_for_another_or_without_bounds() {
    let world = World::start().await;
    let (host, signed) = world.enrol_with_catalog("web-1").await;
    let envelope = open(&signed);
    let mut report = host.report(1, &envelope, RunStatus::InSync);
    report.host = name("web-2");
    let refused = problem(host.client.post_report(&report).await);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "report_of_another_host")
    );

    let mut report = host.report(1, &envelope, RunStatus::InSync);
    report.id.incarnation = "../../etc/passwd".to_owned();
    let refused = problem(host.client.post_report(&report).await);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "report_id_malformed")
    );
    report = host.report(0, &envelope, RunStatus::InSync);
    assert_eq!(problem(host.client.post_report(&report).await).status, 400);
    report = host.report(1, &envelope, RunStatus::InSync);
    report.format = 2;
    assert_eq!(
        problem(host.client.post_report(&report).await).code,
        "report_format"
    );

    let raw = world.raw(Some((&host.identity.certificate, &host.key)));
    let url = format!("{}{REPORTS}", world.agents());
    let answer = raw
        .post(&url)
        .body(vec![b' '; (8 << 20) + 1])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 413);
    let answer = raw.post(&url).body("not json").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let page = PageRequest::default();
    let stored = world.operator().reports(None, page).await.unwrap();
    assert!(stored.rows.is_empty(), "nothing of it was kept");
}
