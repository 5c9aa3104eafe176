//! What the server does by itself. A task takes no input: it reads the present, moves it one
//! step, and runs on a timer and on a nudge; so a nudge that is lost costs time and nothing else,
//! and a crash in the middle is the present of the next run.

mod certificate;
mod compile;
mod plan;
mod retention;
mod revision;
mod source;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

pub(crate) use source::Source;

use crate::context::{Nudges, Server};
use crate::pki::TlsIdentity;

/// When a task runs.
struct Schedule {
    /// From the end of one run to the beginning of the next.
    period: Duration,
    /// What makes it run before its time.
    bell: fn(&Nudges) -> &Notify,
    /// The first run.
    first: First,
}

/// When a task runs first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    /// When the server starts.
    AtOnce,
    /// So long after it.
    After(Duration),
}

/// Starts every task; they end when the server stops.
pub(crate) fn start(server: &Arc<Server>, tls: Arc<TlsIdentity>, source: Source) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let schedule = Schedule {
        period: source.period(),
        bell: |nudges| &nudges.source,
        first: First::AtOnce,
    };
    let source = Arc::new(tokio::sync::Mutex::new(source));
    tasks.spawn(drive(server.clone(), schedule, move |server| {
        let source = source.clone();
        async move { source.lock().await.step(&server).await }
    }));
    tasks.spawn(drive(server.clone(), compile::SCHEDULE, compile::step));
    tasks.spawn(drive(
        server.clone(),
        retention::HEARTBEATS,
        retention::write_heartbeats,
    ));
    tasks.spawn(drive(server.clone(), retention::PRUNE, retention::prune));
    tasks.spawn(drive(server.clone(), retention::SWEEP, retention::sweep));
    tasks.spawn(drive(
        server.clone(),
        certificate::SCHEDULE,
        move |server| certificate::step(server, tls.clone()),
    ));
    tasks
}

/// Takes a step, rests until the timer or a nudge, and again.
async fn drive<F, S>(server: Arc<Server>, schedule: Schedule, mut step: S)
where
    S: FnMut(Arc<Server>) -> F + Send,
    F: Future<Output = ()> + Send,
{
    let mut stopping = server.stopping.clone();
    let bell = (schedule.bell)(&server.nudge);
    let mut rest = match schedule.first {
        First::AtOnce => Duration::ZERO,
        First::After(first) => first,
    };
    loop {
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => return,
            () = bell.notified() => {}
            () = tokio::time::sleep(rest) => {}
        }
        step(server.clone()).await;
        rest = schedule.period;
    }
}
