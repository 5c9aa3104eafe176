//! What leaves the host after a run: the report if it is news, and whatever waited before it.

use holdfast_client::ClientError;
use holdfast_schemas::report::{Report, RunMode};

use crate::agent::Agent;
use crate::last_run::{LastRun, Told};
use crate::life::Life;
use crate::report::{self, Begun, Execution, Subject};
use crate::said::chain;
use crate::spool::{Bounds, Spool};
use crate::state::StateError;

/// Statuses by which a server says that this very report is at fault, and always will be
/// (RFC 9110). Others, a revoked certificate for one, say nothing of the report.
const REPORT_AT_FAULT: [u16; 4] = [400, 413, 415, 422];

/// Makes the report of a run, keeps it if it says something new, and sends what waits. A state
/// folder that takes nothing more is a failure of the run, and hides nothing that it did.
pub(crate) async fn report(
    agent: &Agent,
    execution: Execution,
    subject: Subject,
    begun: Begun,
) -> Report {
    let unsent = Life::peek(&agent.state).unsent();
    let mut report = execution.into_report(unsent, subject, begun);
    report::limit(&mut report);
    if let Err(error) = keep(agent, &mut report).await {
        tracing::error!(error = chain(&error), "the server is not told of this run");
        report::fail(&mut report, &chain(&error));
    }
    report
}

async fn keep(agent: &Agent, report: &mut Report) -> Result<(), StateError> {
    let state = &agent.state;
    let mut life = Life::of(state)?;
    report.id = life.unsent();
    let last = LastRun::load(state);
    let spool = Spool::new(state.spool(), Bounds::default());
    let told = match last {
        Some(last) if last.says_the_same(report) => last.told,
        last => {
            report.id = life.next(state)?;
            spool.put(report)?;
            match report.mode {
                // What a no-op run says is no description of the host as it is kept.
                RunMode::NoOp => last.and_then(|last| last.told),
                RunMode::Enforce | RunMode::Audit => Some(Told {
                    report: report.id.clone(),
                    gist: report::gist(report),
                }),
            }
        }
    };
    LastRun::of(report, told).save(state)?;
    send(agent, &spool).await
}

/// Sends what waits, oldest first, until the server does not answer.
async fn send(agent: &Agent, spool: &Spool) -> Result<(), StateError> {
    for waiting in spool.waiting()? {
        let Some(report) = spool.read(&waiting)? else {
            continue;
        };
        match agent.client.post_report(&report).await {
            Ok(_) => spool.acknowledge(&waiting)?,
            Err(ClientError::Refused { problem, .. })
                if REPORT_AT_FAULT.contains(&problem.status) =>
            {
                spool.refuse(&waiting, &problem.to_string())?;
            }
            Err(error) => {
                tracing::warn!(
                    error = chain(&error),
                    "reports wait in the spool until the server takes them"
                );
                return Ok(());
            }
        }
    }
    Ok(())
}
