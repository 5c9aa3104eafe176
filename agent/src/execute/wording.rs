//! What the walk that mends says of a resource, in the words of a report.

use holdfast_modules::Shown;
use holdfast_schemas::report::{Change, ResourceReport};

use super::fate::Skip;
use crate::report::Execution;

/// Whether the differences say that the thing was not there at all.
pub(super) fn creates(shown: &Shown) -> bool {
    let created = |change: &Change| {
        matches!(change.property.as_str(), "ensure" | "state")
            && matches!(change.from.as_deref(), None | Some("absent"))
    };
    shown.changes.iter().any(created)
}

/// A line with the differences that it tells.
pub(super) fn with(mut told: ResourceReport, shown: Shown) -> ResourceReport {
    told.changes = shown.changes;
    told.diff = shown.diff;
    told
}

/// What still differs, in a sentence.
pub(super) fn left_over(left: &Shown) -> String {
    let show = |change: &Change| {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        format!("{} is {}", change.property, text(&change.from))
    };
    let left: Vec<String> = left.changes.iter().map(show).collect();
    format!("after it was mended, {}", left.join(", "))
}

/// Why a run as a whole failed that was asked to end.
pub(super) const ENDED_EARLY: &str = "the run was ended before its end, as asked";

/// Why a resource is not walked when the run was asked to end.
pub(super) fn ended() -> Skip {
    Skip {
        because: "the run was ended before its turn".to_owned(),
        blameless: false,
    }
}

/// The lines of a whole catalog; one that has none was simply in sync.
pub(super) fn told(lines: Vec<Option<ResourceReport>>, blameless: u32) -> Execution {
    let mut execution = Execution {
        blameless,
        ..Execution::default()
    };
    for told in lines {
        match told {
            Some(told) => execution.push(told),
            None => execution.quiet(1),
        }
    }
    execution
}
