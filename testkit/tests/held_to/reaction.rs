//! How long a change takes: a commit until it is on the host, a tampered file until the agent has
//! mended it and the operator sees it. The figures are printed; only the deadline is asserted.

use std::time::{Duration, Instant};

use holdfast_schemas::report::Cause;
use holdfast_testkit::{Agent, wait_until};

use crate::world::{HOST, PATIENCE, World, host};

/// Times that each is measured.
const ROUNDS: usize = 5;

#[test]
fn drift_is_mended_and_a_commit_arrives_within_seconds() {
    let world = World::new();
    let web = Agent::enrolled(&world.server, "web").unwrap();
    // The timer has no part in it.
    let mut service = web.run(&["--interval", "1h"]).unwrap();
    let reads = |text: &str| web.read("/etc/motd").is_ok_and(|found| found == text);
    let mut until = |what: &str, text: &str| {
        let begun = Instant::now();
        let came = wait_until(PATIENCE, || reads(text));
        assert!(came, "{what}: not so:\n{}", web.log());
        assert!(service.lives(), "{}", web.log());
        begun.elapsed()
    };
    until("the first run", "say hello\n");
    world.wait_until("the first report", || world.host("web").has > 0);

    let mut mended = Vec::new();
    for _ in 0..ROUNDS {
        std::fs::write(web.path("/etc/motd"), "tampered\n").unwrap();
        mended.push(until("drift is mended", "say hello\n"));
    }
    world.wait_until("the drift is on record", || {
        let motd = |event: &&holdfast_schemas::operator_api::DriftEvent| {
            event.resource.to_string() == "file[/etc/motd]" && event.cause == Cause::Drift
        };
        world
            .drift()
            .iter()
            .any(|event| motd(&event) && event.mended)
    });

    let mut arrived = Vec::new();
    for round in 0..ROUNDS {
        let greeting = format!("round-{round}");
        world.commit(&[(HOST, &host(&greeting))]);
        arrived.push(until("the commit", &format!("say {greeting}\n")));
    }
    eprintln!("drift until mended:     {}", told(&mut mended));
    eprintln!("commit until applied:   {}", told(&mut arrived));
}

/// Median and longest.
fn told(times: &mut [Duration]) -> String {
    times.sort();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    format!("median {median:.0?}, longest {longest:.0?}")
}
