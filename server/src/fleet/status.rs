//! How a host stands, from what is remembered of it and what time it is.

use std::time::Duration;

use holdfast_schemas::HostName;
use holdfast_schemas::operator_api::{HostStatus, HostSummary};
use holdfast_schemas::report::RunStatus;
use holdfast_store::{Assigned, HostRecord, Reported};
use jiff::Timestamp;

/// Seconds between two check-ins of a host, before splay: what a fleet of ten thousand costs the
/// server by it is 170 small exchanges a second.
pub const CHECK_IN_S: u32 = 60;

/// A host that was not heard of for three intervals is silent.
const SILENT_AFTER: Duration = Duration::from_secs(3 * CHECK_IN_S as u64);

/// How a host stands, and since when.
pub fn status(record: &HostRecord, now: Timestamp) -> (HostStatus, Option<Timestamp>) {
    let Some(seen) = record.seen else {
        return (HostStatus::NeverSeen, Some(record.enrolled));
    };
    if now > seen + SILENT_AFTER {
        return (HostStatus::Silent, Some(seen));
    }
    if record.held.is_some() {
        return (HostStatus::Held, None);
    }
    let assigned = record.assigned.as_ref();
    let Some(reported) = &record.reported else {
        return (
            HostStatus::Pending,
            assigned.map(|assigned| assigned.issued),
        );
    };
    match assigned {
        Some(assigned) if !speaks_of(reported, assigned) => {
            return (HostStatus::Pending, Some(assigned.issued));
        }
        None => return (HostStatus::Pending, None),
        Some(_) => {}
    }
    let status = match reported.status {
        RunStatus::InSync | RunStatus::Changed => HostStatus::InSync,
        RunStatus::Drifted => HostStatus::Drifted,
        RunStatus::Failed | RunStatus::NotRun => HostStatus::Failed,
    };
    (status, Some(reported.received))
}

/// Whether a report tells how the host stands to what it is to have. One of an earlier generation
/// with the same body does only if the host said since that it is still so: in between it was
/// given, and may have applied, another.
fn speaks_of(reported: &Reported, assigned: &Assigned) -> bool {
    let since = reported.generation >= assigned.generation || reported.confirmed >= assigned.issued;
    reported.catalog == assigned.body && since
}

/// A host's line in a list.
pub fn summary(record: &HostRecord, now: Timestamp) -> HostSummary {
    let (status, since) = status(record, now);
    let assigned = record.assigned.as_ref();
    let reported = record.reported.as_ref();
    HostSummary {
        name: record.name.clone(),
        status,
        since,
        seen: record.seen,
        confirmed: reported.map(|reported| reported.confirmed),
        wants: assigned.map_or(0, |assigned| assigned.generation),
        has: reported.map_or(0, |reported| reported.generation),
        revision: assigned.map(|assigned| assigned.revision.clone()),
        catalog: assigned.map(|assigned| assigned.body),
        agent: record.agent.clone(),
        counts: reported.map(|reported| reported.counts),
        message: record
            .revoked
            .as_ref()
            .map(|revoked| format!("revoked: {}", revoked.reason))
            .or_else(|| record.held.clone()),
    }
}

/// The line of a host that the repo declares and no agent enrolled for.
pub fn never_enrolled(name: HostName) -> HostSummary {
    HostSummary {
        name,
        status: HostStatus::NeverSeen,
        since: None,
        seen: None,
        confirmed: None,
        wants: 0,
        has: 0,
        revision: None,
        catalog: None,
        agent: None,
        counts: None,
        message: Some("the repo declares it, but no agent enrolled".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use holdfast_schemas::Digest;
    use holdfast_schemas::catalog::{Bytes, SignedEnvelope};
    use holdfast_schemas::report::{Counts, ReportId, RunMode};
    use holdfast_store::Certificate;

    use super::*;

    fn start() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn record() -> HostRecord {
        let certificate = Certificate {
            serial: "01".to_owned(),
            fingerprint: Digest::of("der"),
            expires: start(),
        };
        HostRecord::new("h1".parse().unwrap(), start(), certificate)
    }

    fn assigned(body: &str) -> Assigned {
        Assigned {
            generation: 2,
            body: Digest::of(body),
            revision: "r".to_owned(),
            issued: start(),
            envelope: SignedEnvelope {
                envelope: String::new(),
                signature: Bytes::default(),
            },
            sealed_to: None,
        }
    }

    fn reported(body: &str, status: RunStatus) -> Reported {
        Reported {
            generation: 2,
            catalog: Digest::of(body),
            report: ReportId {
                incarnation: "0".repeat(32),
                sequence: 1,
            },
            mode: RunMode::Enforce,
            received: start(),
            confirmed: start(),
            status,
            counts: Counts::default(),
        }
    }

    #[test]
    fn a_host_goes_from_never_seen_to_in_sync_and_silent() {
        let soon = start() + Duration::from_secs(10);
        let mut host = record();
        assert_eq!(status(&host, soon).0, HostStatus::NeverSeen);
        host.seen = Some(start());
        assert_eq!(status(&host, soon).0, HostStatus::Pending);
        host.assigned = Some(assigned("b"));
        host.reported = Some(reported("a", RunStatus::InSync));
        assert_eq!(
            status(&host, soon).0,
            HostStatus::Pending,
            "of the catalog before"
        );
        for (run, stands) in [
            (RunStatus::InSync, HostStatus::InSync),
            (RunStatus::Changed, HostStatus::InSync),
            (RunStatus::Drifted, HostStatus::Drifted),
            (RunStatus::Failed, HostStatus::Failed),
            (RunStatus::NotRun, HostStatus::Failed),
        ] {
            host.reported = Some(reported("b", run));
            assert_eq!(status(&host, soon).0, stands);
        }
        host.held = Some("why".to_owned());
        assert_eq!(status(&host, soon).0, HostStatus::Held);
        let late = start() + Duration::from_secs(181);
        assert_eq!(status(&host, late), (HostStatus::Silent, Some(start())));
    }

    #[test]
    fn a_report_of_before_a_rollback_says_nothing_until_it_is_confirmed() {
        let issued = start() + Duration::from_secs(60);
        let now = start() + Duration::from_secs(90);
        let mut host = record();
        host.seen = Some(now);
        host.reported = Some(reported("b", RunStatus::InSync));
        host.assigned = Some(Assigned {
            generation: 4,
            issued,
            ..assigned("b")
        });
        assert_eq!(
            status(&host, now),
            (HostStatus::Pending, Some(issued)),
            "generation 3 was another catalog"
        );
        if let Some(reported) = &mut host.reported {
            reported.confirmed = now;
        }
        assert_eq!(status(&host, now).0, HostStatus::InSync);
        assert_eq!(summary(&host, now).confirmed, Some(now));
    }
}
