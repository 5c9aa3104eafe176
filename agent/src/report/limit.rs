//! A report that is no larger than a server accepts, whatever happened to however many resources.
//!
//! Diffs go first, then whole lines, those of failures last. What is left says what is missing;
//! the counts stay whole.

use holdfast_schemas::report::{MAX_REPORT, Outcome, Report, ResourceReport};
use holdfast_schemas::resource::ResourceId;
use serde::Serialize;

/// The part of a report that its lines may take, in bytes; as much again in thirds is left for
/// what is owed, for orphans, and for the rest of the document.
const FOR_LINES: usize = MAX_REPORT / 4 * 3;

/// The part for what is owed, and for orphans.
const FOR_LISTS: usize = MAX_REPORT / 12;

/// Longest remark that is added to a line.
const FOR_REMARK: usize = 128;

/// Cuts a report down to what a server accepts, if it is longer.
pub(crate) fn limit(report: &mut Report) {
    if size(report) <= MAX_REPORT {
        return;
    }
    shorten(&mut report.pending, FOR_LISTS, |_| 0);
    shorten(&mut report.orphans, FOR_LISTS, |_: &ResourceId| 0);
    let lines = report.resources.len();
    let diffs: Vec<Option<String>> = report.resources.iter_mut().map(without_diff).collect();
    let rank = |line: &ResourceReport| match line.outcome {
        Outcome::Failed | Outcome::NotConverged => 0,
        Outcome::Changed | Outcome::Drifted => 1,
        Outcome::Skipped => 2,
        Outcome::InSync => 3,
    };
    let kept = shorten(&mut report.resources, FOR_LINES, rank);
    let mut room = FOR_LINES.saturating_sub(size(&report.resources));
    let diffs = diffs.into_iter().zip(kept).filter(|(_, kept)| *kept);
    for (line, (diff, _)) in report.resources.iter_mut().zip(diffs) {
        let Some(diff) = diff else { continue };
        let needed = size(&diff) + FOR_REMARK;
        match needed <= room {
            true => {
                room -= needed;
                line.diff = Some(diff);
            }
            false => remark(line, "its diff is left out: the report would be too large"),
        }
    }
    let missing = lines - report.resources.len();
    if let (1.., Some(last)) = (missing, report.resources.last_mut()) {
        let told = format!("{missing} other resources are left out: the report would be too large");
        remark(last, &told);
    }
}

fn without_diff(line: &mut ResourceReport) -> Option<String> {
    line.diff.take()
}

fn remark(line: &mut ResourceReport, text: &str) {
    line.message = Some(match line.message.take() {
        Some(message) => format!("{message}\n{text}"),
        None => text.to_owned(),
    });
}

/// Keeps as many entries as fit, the lowest rank first, in their order; which were kept.
fn shorten<T: Serialize>(entries: &mut Vec<T>, room: usize, rank: impl Fn(&T) -> u8) -> Vec<bool> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&place| rank(&entries[place]));
    let mut kept = vec![false; entries.len()];
    let mut left = room;
    for place in order {
        let needed = size(&entries[place]) + FOR_REMARK;
        if needed > left {
            break;
        }
        left -= needed;
        kept[place] = true;
    }
    let mut keep = kept.iter();
    entries.retain(|_| keep.next().copied().unwrap_or_default());
    kept
}

/// Bytes of something as JSON. What a report holds always serialises.
fn size<T: Serialize + ?Sized>(of: &T) -> usize {
    serde_json::to_vec(of).unwrap_or_default().len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use holdfast_schemas::report::MAX_SHOWN;

    use super::super::tests::{a_report, an_exec};
    use super::*;
    use crate::report::line;
    use holdfast_schemas::report::RunMode;

    fn report(lines: usize, diff: usize, outcome: Outcome) -> Report {
        let mut report = a_report(1, None);
        let resource = an_exec("many");
        let told = ResourceReport {
            diff: Some("+".repeat(diff)),
            ..line(&resource, RunMode::Enforce, outcome)
        };
        report.resources.extend(vec![told; lines]);
        report
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let mut report = report(100, MAX_SHOWN, Outcome::Changed);
        let before = report.clone();
        limit(&mut report);
        assert_eq!(report, before);
    }

    #[test]
    fn diffs_go_first_and_the_line_says_so() {
        let mut report = report(2000, MAX_SHOWN, Outcome::Changed);
        limit(&mut report);
        assert!(size(&report) <= MAX_REPORT);
        assert_eq!(report.resources.len(), 2001);
        assert!(report.resources[1].diff.is_some());
        let last = report.resources.last().unwrap();
        assert_eq!(last.diff, None);
        assert!(last.message.as_ref().unwrap().contains("left out"));
    }

    #[test]
    fn lines_go_next_and_failures_stay() {
        let mut report = report(100_000, 10, Outcome::Skipped);
        let failed = report.resources.remove(0);
        report.resources.push(failed.clone());
        report.orphans = vec![failed.id.clone(); 200_000];
        limit(&mut report);
        assert!(size(&report) <= MAX_REPORT);
        assert!(report.resources.len() < 50_000);
        let last = report.resources.last().unwrap();
        assert_eq!(
            (last.id.clone(), last.outcome),
            (failed.id, Outcome::Failed)
        );
        assert!(last.message.as_ref().unwrap().contains("other resources"));
    }
}
