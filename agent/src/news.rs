//! The long poll that makes a new catalog known within a second instead of within an interval.
//!
//! News only nudge: what is new is asked for by the run itself. A body that was announced and
//! could not be taken is not announced again until it is another one, or some time has passed.

use std::time::Duration;

use holdfast_client::AgentClient;
use holdfast_schemas::Digest;
use tokio::time::sleep;

use crate::said::chain;
use crate::schedule;

/// Shortest time between two questions when the server answers at once, so that one that has
/// nothing to hold a question for is not asked without end.
const BREATH: Duration = Duration::from_secs(1);

/// The question for news, across runs.
#[derive(Debug, Default)]
pub(crate) struct News {
    failures: u32,
    announced: Option<Digest>,
    repeats: u32,
}

impl News {
    /// Waits until the server has another catalog than the one held.
    pub(crate) async fn wait(&mut self, client: &AgentClient, held: Option<Digest>) {
        if self.repeats > 0 {
            sleep(schedule::pause_after(self.repeats, schedule::chance())).await;
        }
        loop {
            if self.failures > 0 {
                sleep(schedule::pause_after(self.failures, schedule::chance())).await;
            }
            let asked = tokio::time::Instant::now();
            match client.news(held.as_ref()).await {
                Ok(news) if news.body.is_some() && news.body != held => {
                    self.failures = 0;
                    self.repeats = match news.body == self.announced {
                        true => self.repeats.saturating_add(1),
                        false => 0,
                    };
                    self.announced = news.body;
                    return;
                }
                Ok(_) => {
                    self.failures = 0;
                    self.repeats = 0;
                    tokio::time::sleep_until(asked + BREATH).await;
                }
                Err(error) => {
                    if self.failures == 0 {
                        tracing::warn!(error = chain(&error), "no news: the timer goes on");
                    }
                    self.failures = self.failures.saturating_add(1);
                }
            }
        }
    }
}
