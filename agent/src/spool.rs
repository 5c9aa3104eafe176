//! Reports that the server has not acknowledged yet: one file each, oldest first, bounded.
//!
//! A report is spooled before it is sent and removed once the server says that it is on its disk.
//! When the spool is full the oldest report that tells of no drift makes room, loudly; one that
//! the server refuses for good goes to `failed/`, as evidence.

use std::fs;
use std::path::{Path, PathBuf};

use holdfast_schemas::report::{Cause, Report};

use crate::durable::{self, DiskError};

/// Most reports kept for a server that is away: at a run every five minutes, more than three
/// days of reports that each say something new.
pub(crate) const MAX_SPOOLED: usize = 1000;

/// Most bytes kept.
pub(crate) const MAX_SPOOLED_BYTES: u64 = 64 * 1024 * 1024;

/// Most refused reports kept as evidence.
const MAX_FAILED: usize = 50;

/// Marks in its file's name a report that tells of drift.
const DRIFT_MARK: &str = "-drift";

/// How much a spool may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Reports.
    pub(crate) reports: usize,
    /// Bytes.
    pub(crate) bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            reports: MAX_SPOOLED,
            bytes: MAX_SPOOLED_BYTES,
        }
    }
}

/// The spool.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    bounds: Bounds,
}

/// A report in the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spooled {
    path: PathBuf,
    bytes: u64,
}

impl Spool {
    /// The spool in a folder, which exists.
    pub(crate) fn new(folder: PathBuf, bounds: Bounds) -> Self {
        Self { folder, bounds }
    }

    /// Puts a report on disk, to be sent.
    pub(crate) fn put(&self, report: &Report) -> Result<(), DiskError> {
        let drift = tells_of_drift(report);
        let mark = if drift { DRIFT_MARK } else { "" };
        let name = format!("{:020}{mark}.json", report.id.sequence);
        let path = self.folder.join(name);
        let bytes = serde_json::to_vec(report)
            .map_err(std::io::Error::other)
            .map_err(DiskError::io("write", &path))?;
        self.make_room(bytes.len() as u64)?;
        durable::write(&path, &bytes)
    }

    /// The reports that wait, oldest first.
    pub(crate) fn waiting(&self) -> Result<Vec<Spooled>, DiskError> {
        let mut found = Vec::new();
        let listed = fs::read_dir(&self.folder).map_err(DiskError::io("list", &self.folder))?;
        for entry in listed {
            let entry = entry.map_err(DiskError::io("list", &self.folder))?;
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let bytes = entry
                .metadata()
                .map_err(DiskError::io("look at", &path))?
                .len();
            found.push(Spooled { path, bytes });
        }
        found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Reads one that waits. One that does not read back is set aside and is `None`.
    pub(crate) fn read(&self, spooled: &Spooled) -> Result<Option<Report>, DiskError> {
        match durable::read_json(&spooled.path) {
            Err(DiskError::Damaged { source, .. }) => {
                self.refuse(spooled, &source.to_string())?;
                Ok(None)
            }
            read => read,
        }
    }

    /// The server has it on disk.
    pub(crate) fn acknowledge(&self, spooled: &Spooled) -> Result<(), DiskError> {
        durable::remove(&spooled.path)
    }

    /// The server will never take it, and why: it is kept as evidence.
    pub(crate) fn refuse(&self, spooled: &Spooled, why: &str) -> Result<(), DiskError> {
        let failed = self.folder.join("failed");
        let name = spooled.path.file_name().unwrap_or_default();
        let kept = failed.join(name);
        tracing::error!(
            report.kept = %kept.display(),
            report.refusal = why,
            "a report can never be delivered and was set aside"
        );
        durable::rename(&spooled.path, &kept)?;
        trim(&failed)
    }

    /// Drops reports until one of this length fits.
    fn make_room(&self, coming: u64) -> Result<(), DiskError> {
        let mut waiting = self.waiting()?;
        let mut bytes: u64 = waiting.iter().map(|spooled| spooled.bytes).sum();
        while !waiting.is_empty()
            && (waiting.len() >= self.bounds.reports || bytes + coming > self.bounds.bytes)
        {
            let of_no_drift = waiting.iter().position(|spooled| !spooled.of_drift());
            let dropped = waiting.remove(of_no_drift.unwrap_or_default());
            bytes -= dropped.bytes;
            tracing::error!(
                report.dropped = %dropped.path.display(),
                spool.reports = waiting.len(),
                "the spool is full: the oldest report was dropped unsent"
            );
            durable::remove(&dropped.path)?;
        }
        Ok(())
    }
}

impl Spooled {
    fn of_drift(&self) -> bool {
        let stem = self.path.file_stem().and_then(|stem| stem.to_str());
        stem.is_some_and(|stem| stem.ends_with(DRIFT_MARK))
    }
}

fn tells_of_drift(report: &Report) -> bool {
    let drifted = |cause: &Option<Cause>| *cause == Some(Cause::Drift);
    report.resources.iter().any(|line| drifted(&line.cause))
}

/// Keeps the newest pieces of evidence.
fn trim(failed: &Path) -> Result<(), DiskError> {
    let listed = fs::read_dir(failed).map_err(DiskError::io("list", failed))?;
    let mut kept: Vec<PathBuf> = listed.flatten().map(|entry| entry.path()).collect();
    kept.sort_unstable();
    let surplus = kept.len().saturating_sub(MAX_FAILED);
    kept.iter()
        .take(surplus)
        .try_for_each(|path| durable::remove(path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::report::tests::a_report;

    fn spool(reports: usize) -> (tempfile::TempDir, Spool) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("failed")).unwrap();
        let bounds = Bounds {
            reports,
            ..Bounds::default()
        };
        let spool = Spool::new(folder.path().to_owned(), bounds);
        (folder, spool)
    }

    fn sequences(spool: &Spool) -> Vec<u64> {
        let waiting = spool.waiting().unwrap();
        let read = |spooled| spool.read(spooled).unwrap().unwrap().id.sequence;
        waiting.iter().map(read).collect()
    }

    #[test]
    fn reports_wait_oldest_first() {
        let (_folder, spool) = spool(10);
        for sequence in [2, 10, 1] {
            spool.put(&a_report(sequence, None)).unwrap();
        }
        assert_eq!(sequences(&spool), [1, 2, 10]);
        let first = spool.waiting().unwrap().remove(0);
        spool.acknowledge(&first).unwrap();
        assert_eq!(sequences(&spool), [2, 10]);
    }

    #[test]
    fn a_full_spool_drops_the_oldest_that_tells_of_no_drift() {
        let (_folder, spool) = spool(3);
        spool.put(&a_report(1, Some(Cause::Drift))).unwrap();
        spool.put(&a_report(2, None)).unwrap();
        spool.put(&a_report(3, Some(Cause::Drift))).unwrap();
        spool.put(&a_report(4, Some(Cause::Drift))).unwrap();
        assert_eq!(sequences(&spool), [1, 3, 4]);
        spool.put(&a_report(5, None)).unwrap();
        assert_eq!(sequences(&spool), [3, 4, 5]);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let (folder, mut spool) = spool(100);
        spool.put(&a_report(1, None)).unwrap();
        let one = spool.waiting().unwrap()[0].bytes;
        // A time in a report is some digits longer or shorter.
        spool.bounds.bytes = 2 * one + one / 2;
        for sequence in 2..6 {
            spool.put(&a_report(sequence, None)).unwrap();
        }
        assert_eq!(sequences(&spool), [4, 5]);
        drop(folder);
    }

    #[test]
    fn what_cannot_be_delivered_is_kept_as_evidence() {
        let (folder, spool) = spool(10);
        spool.put(&a_report(1, None)).unwrap();
        let path = spool.waiting().unwrap()[0].path.clone();
        fs::write(&path, "{ torn").unwrap();
        let waiting = spool.waiting().unwrap();
        assert_eq!(spool.read(&waiting[0]).unwrap(), None);
        assert!(spool.waiting().unwrap().is_empty());
        let evidence = fs::read_dir(folder.path().join("failed")).unwrap();
        assert_eq!(evidence.count(), 1);
    }
}
