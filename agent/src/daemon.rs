//! `run`: the agent as a service. One loop: run, then wait for whatever calls for the next run.
//!
//! A run is never set off while one is under way: what happened meanwhile is a level that the
//! next wait finds (the time, the server's newest catalog, events not yet read), so requests
//! coalesce by themselves and none is lost. Being asked to end is answered after the resource at
//! hand.

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use holdfast_schemas::Digest;
use holdfast_schemas::report::{Outcome, RunMode, RunStatus, Trigger};
use holdfast_schemas::resource::ResourceId;
use tokio::time::sleep;

use crate::afresh;
use crate::agent::Agent;
use crate::ends::{AskedTwice, Ended, Ends};
use crate::execute;
use crate::held::Held;
use crate::news::News;
use crate::run_once::{Ran, RunError, Wish, run_once};
use crate::said::chain;
use crate::schedule;
use crate::sealing::Contents;
use crate::trust::Verified;
use crate::watch::{DEBOUNCE, Interests, Rhythm, Touched, Watcher};

/// Runs in a row that failed and are tried again before their turn: most of what fails in passing
/// (a file that was being written, a lock of dpkg) has passed within the minute that these take.
const QUICK_RETRIES: u32 = 5;

/// Failed resources of one run that are logged; the report tells all.
const LOGGED_FAILURES: usize = 10;

/// Why the agent cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DaemonError {
    /// The kernel lets nobody ask it to end.
    #[error("signals cannot be received")]
    Signals(#[source] io::Error),
    /// The end was asked for twice.
    #[error(transparent)]
    AtOnce(#[from] AskedTwice),
}

/// What the agent does first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// It runs.
    WithARun,
    /// It waits for what calls for a run: one has just ended well.
    Waiting,
}

/// Runs until asked to end.
pub(crate) async fn serve(mut agent: Agent, begin: Begin) -> Result<(), DaemonError> {
    let mut ends = Ends::new().map_err(DaemonError::Signals)?;
    let mut between = Between::new();
    let mut trigger = Trigger::Timer;
    if begin == Begin::Waiting {
        between.resume(&agent).await;
        trigger = tokio::select! {
            trigger = between.next(&agent) => trigger,
            _ = ends.asked() => return Ok(()),
        };
    }
    loop {
        let wish = Wish {
            trigger,
            mode: RunMode::Enforce,
        };
        let ran = match run_or_end(&mut agent, wish, &mut ends).await {
            Ended::ByItself(ran) => ran,
            Ended::Asked(_) => {
                tracing::info!("ended, as asked");
                return Ok(());
            }
            Ended::AtOnce(twice) => return Err(twice.into()),
        };
        between.after(&agent, trigger, &ran).await;
        let ended_well = ran.as_ref().is_ok_and(|ran| !is_bad(ran.report.status));
        drop(ran);
        between.settle();
        // Runs that the watch sets off are counted, to know a fight, and small.
        if ended_well && trigger != Trigger::Watch {
            afresh::take_own_place(between.began_with, agent.interval.length());
        }
        trigger = tokio::select! {
            trigger = between.next(&agent) => trigger,
            _ = ends.asked() => {
                tracing::info!("ended, as asked");
                return Ok(());
            }
        };
    }
}

/// Runs once. Asked to end, it does so after the resource at hand.
pub(crate) async fn run_or_end(
    agent: &mut Agent,
    wish: Wish,
    ends: &mut Ends,
) -> Ended<Result<Ran, RunError>> {
    let (stop, executing) = (agent.stop.clone(), agent.executing.clone());
    ends.over(run_once(agent, wish), &stop, &executing).await
}

/// What is waited for between two runs.
struct Between {
    watcher: Option<Watcher>,
    rhythm: Rhythm,
    rest: Duration,
    meanwhile: Touched,
    failures: u32,
    news: News,
    body: Option<Digest>,
    began_with: u64,
}

impl Between {
    fn new() -> Self {
        let watcher = Watcher::new();
        if let Err(error) = &watcher {
            tracing::warn!(%error, "managed files cannot be watched: drift waits for the timer");
        }
        Self {
            watcher: watcher.ok(),
            rhythm: Rhythm::default(),
            rest: Duration::ZERO,
            meanwhile: Touched::Nothing,
            failures: 0,
            news: News::default(),
            body: None,
            began_with: afresh::own_memory(),
        }
    }

    /// Goes on after a run of a process whose place this one took: it ended well.
    async fn resume(&mut self, agent: &Agent) {
        let held = Held::load(&agent.state, &agent.enrolled).ok();
        if let Some(catalog) = held.and_then(|held| held.catalog) {
            self.body = Some(catalog.envelope().body);
            self.follow(agent, &catalog, &HashSet::new()).await;
            drop(catalog);
            self.settle();
        }
        self.began_with = afresh::own_memory();
    }

    /// Puts what is kept together, once the catalog is gone.
    fn settle(&mut self) {
        if let Some(watcher) = &mut self.watcher {
            watcher.settle();
        }
    }

    /// Takes what a run teaches: what to watch, what is held, how long the watch is to rest.
    async fn after(&mut self, agent: &Agent, trigger: Trigger, ran: &Result<Ran, RunError>) {
        let ran = match ran {
            Ok(ran) => ran,
            Err(error) => {
                tracing::error!(error = chain(error), "the run was not carried out");
                return;
            }
        };
        tell(ran);
        self.failures = match is_bad(ran.report.status) {
            true => self.failures.saturating_add(1),
            false => 0,
        };
        self.body = Some(ran.catalog.envelope().body);
        let lines = ran.report.resources.iter();
        let wrong: HashSet<&ResourceId> = lines
            .filter(|line| !matches!(line.outcome, Outcome::InSync | Outcome::Changed))
            .map(|line| &line.id)
            .collect();
        self.follow(agent, &ran.catalog, &wrong).await;
        self.rest = match trigger {
            Trigger::Watch => self.rhythm.after_run(ran.report.status, Instant::now()),
            Trigger::Timer | Trigger::Manual | Trigger::Catalog => {
                self.rhythm.refresh();
                Duration::ZERO
            }
        };
    }

    /// Watches what the catalog manages. Among the events of the run itself may be a foreign one,
    /// and before a folder was watched nobody told of any: then it is looked once more whether
    /// everything is as the run left it.
    async fn follow(&mut self, agent: &Agent, catalog: &Verified, wrong: &HashSet<&ResourceId>) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        let followed = watcher.follow(Interests::of(catalog.catalog(), &agent.place));
        let drained = watcher.drain().await;
        let touched = followed.and_then(|followed| Ok(followed.max(drained?)));
        let touched = touched.unwrap_or_else(|error| {
            tracing::warn!(
                %error,
                "not every managed file can be watched: drift of the others waits for the timer"
            );
            Touched::Managed
        });
        self.meanwhile = match touched {
            Touched::Managed if left_again(agent, catalog, wrong) => Touched::Managed,
            Touched::Managed | Touched::Nothing => Touched::Nothing,
        };
    }

    /// Waits for what calls for the next run.
    async fn next(&mut self, agent: &Agent) -> Trigger {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let wait = schedule::until_next(
            agent.enrolled.name(),
            agent.interval.length(),
            now.unwrap_or_default(),
            schedule::chance(),
        );
        let wait = match self.failures {
            failures @ 1..=QUICK_RETRIES => {
                wait.min(schedule::pause_after(failures, schedule::chance()))
            }
            _ => wait,
        };
        tokio::select! {
            () = sleep(wait) => Trigger::Timer,
            () = self.news.wait(&agent.client, self.body) => Trigger::Catalog,
            () = disturbed(&mut self.watcher, self.rest, self.meanwhile) => Trigger::Watch,
        }
    }
}

/// Whether a path that was as wanted at the end of a run is not any more.
fn left_again(agent: &Agent, catalog: &Verified, wrong: &HashSet<&ResourceId>) -> bool {
    let Ok(contents) = Contents::shared(&agent.state, catalog) else {
        return false;
    };
    let Ok(host) = agent.place.host(contents, &agent.stop) else {
        return false;
    };
    let resources = catalog.catalog().resources.iter();
    let good = resources.filter(|resource| !wrong.contains(&resource.id));
    execute::left_again(good, &*host)
}

/// Whether a run did not do what it was to do.
fn is_bad(status: RunStatus) -> bool {
    match status {
        RunStatus::Failed | RunStatus::NotRun => true,
        RunStatus::InSync | RunStatus::Changed | RunStatus::Drifted => false,
    }
}

/// Waits until something managed is touched, and then for the toucher to finish.
async fn disturbed(watcher: &mut Option<Watcher>, rest: Duration, meanwhile: Touched) {
    sleep(rest).await;
    if meanwhile == Touched::Managed {
        return sleep(DEBOUNCE).await;
    }
    let Some(watching) = watcher.as_mut().filter(|watcher| !watcher.is_idle()) else {
        return std::future::pending().await;
    };
    match watching.disturbed().await {
        Ok(()) => sleep(DEBOUNCE).await,
        Err(error) => {
            tracing::warn!(%error, "watching ended: drift waits for the timer");
            *watcher = None;
            std::future::pending().await
        }
    }
}

/// One line of log for a run, and one for each resource that failed.
fn tell(ran: &Ran) {
    let report = &ran.report;
    let lines = report.resources.iter();
    let failed =
        lines.filter(|line| matches!(line.outcome, Outcome::Failed | Outcome::NotConverged));
    for line in failed.take(LOGGED_FAILURES) {
        let error = line.message.as_deref().unwrap_or_default();
        tracing::error!(resource.id = %line.id, error, "a resource is not as wanted");
    }
    let counts = &report.counts;
    let (changed, failed) = (counts.changed, counts.failed + counts.not_converged);
    let (generation, took) = (report.generation, report.duration_ms);
    match report.status {
        RunStatus::InSync => tracing::debug!(
            catalog.generation = generation,
            duration_ms = took,
            "in sync"
        ),
        RunStatus::Changed | RunStatus::Drifted => tracing::info!(
            catalog.generation = generation,
            run.changed = changed,
            run.drifted = counts.drifted,
            duration_ms = took,
            "the host had left its desired state"
        ),
        RunStatus::Failed | RunStatus::NotRun => tracing::error!(
            catalog.generation = generation,
            run.changed = changed,
            run.failed = failed,
            run.skipped = counts.skipped,
            duration_ms = took,
            "the host could not be brought to its desired state"
        ),
    }
}
