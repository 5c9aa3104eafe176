//! The one thread that writes: it takes what is waiting, makes one durable batch of it, answers.
//!
//! Group commit: while one batch is on its way to the disk, the next gathers; so the cost of a
//! sync is shared by all who wait for it. Where a failed write closed the database, it is opened
//! again from here, whether or not anybody writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Disk, document_of};
use crate::StoreError;
use crate::files;
use crate::keyed::{Fate, Job, Overlay, Txn, View};

/// Most transactions in one batch. Measured, more gain nothing and make the first wait longer.
const MAX_GROUP: usize = 256;

/// Most transactions that wait; whoever comes then blocks.
const MAX_WAITING: usize = 1024;

/// Room on the disk that a batch is taken to need, in bytes: two of sled's segments.
const BATCH_ROOM: u64 = 1024 * 1024;

/// How often to look whether the database is closed: a reader may have found it so.
const AGAIN: Duration = Duration::from_secs(1);

struct Waiting {
    job: Job,
    answer: SyncSender<Result<(), StoreError>>,
}

/// A running committer; stops when dropped, after what was handed in.
pub(super) struct Committer {
    queue: Option<SyncSender<Waiting>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Starts the thread.
    pub(super) fn start(disk: Arc<Disk>) -> Result<Self, StoreError> {
        let folder = disk.records.folder().to_owned();
        let (queue, waiting) = sync_channel(MAX_WAITING);
        let thread = std::thread::Builder::new()
            .name("store-committer".to_owned())
            .spawn(move || run(&disk, &waiting))
            .map_err(StoreError::file("start the committer of", folder))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Runs a job in a transaction, and returns once that is durable.
    pub(super) fn commit(&self, job: Job) -> Result<(), StoreError> {
        let gone = || StoreError::Stopped {
            reason: "its committer ended".to_owned(),
        };
        let (answer, answered) = sync_channel(1);
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(Waiting { job, answer }).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // The thread catches the panics of jobs; one of its own was printed.
            let _ = thread.join();
        }
    }
}

fn run(disk: &Disk, waiting: &Receiver<Waiting>) {
    loop {
        let first = waiting.recv_timeout(AGAIN);
        if let Err(error) = disk.records.open_again() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the store stays closed"
            );
        }
        match first {
            Ok(first) => {
                let rest = waiting.try_iter().take(MAX_GROUP - 1);
                commit_group(disk, std::iter::once(first).chain(rest).collect());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Answers; one who no longer waits needs no answer.
fn reply(answer: &SyncSender<Result<(), StoreError>>, result: Result<(), StoreError>) {
    let _ = answer.send(result);
}

/// Runs a group's jobs and makes what they wrote durable at once.
fn commit_group(disk: &Disk, group: Vec<Waiting>) {
    let mut batch = Overlay::new();
    let mut done = Vec::with_capacity(group.len());
    for Waiting { job, answer } in group {
        match run_job(disk, &batch, job) {
            Ok(written) => {
                batch.extend(written);
                done.push(answer);
            }
            Err(error) => reply(&answer, Err(error)),
        }
    }
    let written = write(disk, &batch);
    let fate = written.as_ref().map_or(Fate::Unsure, |()| Fate::Stored);
    batch
        .values_mut()
        .flatten()
        .for_each(|record| record.settle(fate));
    if let Err(error) = &written {
        tracing::error!(error = error as &dyn std::error::Error, "a write failed");
    }
    for answer in &done {
        reply(answer, written.as_ref().map_err(again).copied());
    }
}

/// A failure once more, for each who waited for the write.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Closed { reason } => StoreError::Closed {
            reason: reason.clone(),
        },
        StoreError::Stopped { reason } => StoreError::Stopped {
            reason: reason.clone(),
        },
        _ => StoreError::Database {
            action: "write a batch",
            source: error.to_string().into(),
        },
    }
}

fn run_job(disk: &Disk, batch: &Overlay, job: Job) -> Result<Overlay, StoreError> {
    let mut txn = Txn::begin(disk, batch);
    match catch_unwind(AssertUnwindSafe(|| job(&mut txn))) {
        Ok(ran) => ran?,
        Err(_) => {
            return Err(StoreError::Refused(
                "the transaction panicked; nothing of it was stored".to_owned(),
            ));
        }
    }
    let written = txn.finish();
    // What only removes may use the reserve: it is how room is made.
    if written.values().any(Option::is_some) {
        files::check_room(disk.records.folder(), BATCH_ROOM)?;
    }
    Ok(written)
}

fn write(disk: &Disk, batch: &Overlay) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut replaced = Vec::new();
    for (key, record) in batch {
        let before = disk.raw(key)?.as_deref().and_then(document_of);
        let now = record.as_ref().and_then(|record| document_of(&record.raw));
        replaced.extend(before.filter(|_| before != now));
    }
    disk.records.write(batch)?;
    for document in replaced {
        if let Err(error) = disk.documents.remove(&document) {
            // It stays until the next start's sweep.
            tracing::warn!(error = &error as &dyn std::error::Error, "a document stays");
        }
    }
    Ok(())
}
