//! Follows the repo: a new head is looked for on a timer, and judged before any agent sees it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use holdfast_source::{Location, LocationError, Options, Revision, Source as Repo, SourceError};

use super::revision::{LookError, judge_head};
use crate::context::Server;
use crate::http::chain;
use crate::options::ServeOptions;

/// How often a repo on this machine is looked at: a look costs a millisecond or two.
const LOCAL_PERIOD: Duration = Duration::from_secs(1);

/// How often a remote one is: a look is a connection to somebody else's machine.
const REMOTE_PERIOD: Duration = Duration::from_secs(30);

/// A refused head is judged again after other facts came in, but not more often than this: a
/// judgement compiles the whole fleet.
const JUDGED_AGAIN: Duration = Duration::from_secs(30);

/// Longest rest after a head could not be judged, as on a full disk: a try costs a compilation of
/// the fleet. The first rest is a second, and each is twice the one before.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// Follows the repo.
pub(crate) struct Source {
    place: Place,
    /// Open, once the repo was there.
    repo: Option<Arc<Repo>>,
    /// The head that was judged last.
    judged: Option<Judged>,
    /// The head that could not be judged, if that was so the last time.
    failed: Option<Failed>,
    /// The last failure that was logged; the same is not logged again.
    said: Option<String>,
}

/// What a look at the repo came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// The head is judged.
    Done,
    /// It could not be judged a while ago, and has to wait for its next try.
    Rests,
}

/// A head that was judged, and what the judgement rests on.
#[derive(Debug)]
struct Judged {
    head: Revision,
    /// How often the fleet's facts had changed by then.
    facts: u64,
    at: Instant,
}

impl Judged {
    /// Whether the judgement stands: other facts may make a refused revision compile.
    fn stands(&self, head: &Revision, facts: u64) -> bool {
        self.head == *head && (self.facts == facts || self.at.elapsed() < JUDGED_AGAIN)
    }
}

/// A head that could not be judged, for a reason that is not its own.
#[derive(Debug)]
struct Failed {
    head: Revision,
    /// How long to let it rest.
    rest: Duration,
    at: Instant,
}

impl Failed {
    /// After another failure with this head.
    fn again(before: Option<&Self>, head: Revision) -> Self {
        let before = before.filter(|before| before.head == head);
        let rest = before.map_or(Duration::from_secs(1), |before| before.rest * 2);
        Self {
            head,
            rest: rest.min(LONGEST_REST),
            at: Instant::now(),
        }
    }

    /// Whether a head has to rest still; another one has its try at once.
    fn rests(&self, head: &Revision) -> bool {
        self.head == *head && self.at.elapsed() < self.rest
    }
}

/// Where the repo is.
#[derive(Debug)]
struct Place {
    site: String,
    branch: Option<String>,
    cache: PathBuf,
    period: Duration,
}

impl Source {
    /// Takes note of where the repo is; whether it can be read shows later.
    pub(crate) fn new(options: &ServeOptions) -> Result<Self, LocationError> {
        let period = match options.site.parse()? {
            Location::Path(_) => LOCAL_PERIOD,
            Location::Url(_) => REMOTE_PERIOD,
        };
        Ok(Self {
            place: Place {
                site: options.site.clone(),
                branch: options.branch.clone(),
                cache: options.data.join("source"),
                period,
            },
            repo: None,
            judged: None,
            failed: None,
            said: None,
        })
    }

    /// From one look to the next.
    pub(crate) fn period(&self) -> Duration {
        self.place.period
    }

    /// Looks at the repo, and takes a new head up.
    pub(crate) async fn step(&mut self, server: &Arc<Server>) {
        match self.look(server).await {
            Ok(Look::Done) => self.said = None,
            Ok(Look::Rests) => {}
            Err(error) => {
                let text = chain(&error);
                if self.said.as_ref() != Some(&text) {
                    tracing::error!(error = %text, "the catalog repo was not taken up");
                    self.said = Some(text);
                }
            }
        }
        server.settled.send_replace(true);
    }

    async fn look(&mut self, server: &Arc<Server>) -> Result<Look, LookError> {
        let repo = self.open()?;
        let looked = repo.clone();
        let look = tokio::task::spawn_blocking(move || {
            looked.refresh()?;
            looked.head()
        });
        // A remote that does not answer has its time; the end of the server does not wait for it.
        let mut stopping = server.stopping.clone();
        let head = tokio::select! {
            head = look => head??,
            _ = stopping.wait_for(|stop| *stop) => return Ok(Look::Rests),
        };
        let facts = server.facts_changed.load(Ordering::Relaxed);
        if self
            .judged
            .as_ref()
            .is_some_and(|judged| judged.stands(&head, facts))
        {
            return Ok(Look::Done);
        }
        if self
            .failed
            .as_ref()
            .is_some_and(|failed| failed.rests(&head))
        {
            return Ok(Look::Rests);
        }
        let _turn = server.compiling.lock().await;
        let (at_work, looked) = (server.clone(), head.clone());
        let judged = move || judge_head(&at_work, &repo, &looked);
        let judged = tokio::task::spawn_blocking(judged).await;
        if let Err(error) = judged.map_err(LookError::from).flatten() {
            self.failed = Some(Failed::again(self.failed.as_ref(), head));
            return Err(error);
        }
        server.nudge.compile.notify_one();
        let at = Instant::now();
        self.failed = None;
        self.judged = Some(Judged { head, facts, at });
        Ok(Look::Done)
    }

    fn open(&mut self) -> Result<Arc<Repo>, SourceError> {
        if let Some(repo) = &self.repo {
            return Ok(repo.clone());
        }
        let options = Options {
            branch: self.place.branch.clone(),
            ..Options::new(&self.place.cache)
        };
        let repo = Arc::new(Repo::open(&self.place.site, options)?);
        self.repo = Some(repo.clone());
        Ok(repo)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_head_that_cannot_be_judged_rests_longer_each_time_and_another_has_its_try() {
        let head: Revision = Revision::working_tree();
        let first = Failed::again(None, head.clone());
        assert!(first.rests(&head));
        let mut failed = first;
        let mut rests = Vec::new();
        for _ in 0..8 {
            rests.push(failed.rest.as_secs());
            failed = Failed::again(Some(&failed), head.clone());
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 30, 30, 30]);
        failed.at = Instant::now().checked_sub(LONGEST_REST).unwrap();
        assert!(!failed.rests(&head));
    }

    #[test]
    fn other_facts_have_a_head_judged_again_but_not_at_once() {
        let head = Revision::working_tree();
        let judged = |ago: Duration| Judged {
            head: head.clone(),
            facts: 1,
            at: Instant::now().checked_sub(ago).unwrap(),
        };
        assert!(judged(JUDGED_AGAIN).stands(&head, 1));
        assert!(judged(Duration::ZERO).stands(&head, 2));
        assert!(!judged(JUDGED_AGAIN).stands(&head, 2));
    }
}
