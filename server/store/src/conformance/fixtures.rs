//! Records that the cases are about.

use std::sync::Arc;

use holdfast_schemas::inventory::{Inventory, Metrics};
use holdfast_schemas::report::{
    Cause, Change, CheckMode, Counts, Outcome, REPORT_FORMAT, Report, ReportId, ResourceReport,
    RunMode, RunStatus, Trigger,
};
use holdfast_schemas::resource::Kind;
use holdfast_schemas::secret::SealingKey;
use holdfast_schemas::{Digest, HostName, facts::Facts};
use jiff::Timestamp;

use crate::{Certificate, Claim, Enrolment, Heartbeat, HostRecord, Store, TokenRecord};

/// A host's name.
pub fn host(name: &str) -> HostName {
    name.parse().unwrap()
}

/// Seconds after some moment.
pub fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

pub(super) fn certificate(serial: &str) -> Certificate {
    Certificate {
        serial: serial.to_owned(),
        fingerprint: Digest::of(serial),
        expires: time(1_000_000),
    }
}

pub(super) fn token(secret: &str, bound: Option<&str>) -> TokenRecord {
    TokenRecord {
        secret: Digest::of(secret),
        created: time(0),
        expires: time(3600),
        host: bound.map(host),
        used: None,
    }
}

/// What a host comes with; its keys are `keys`.
pub(super) fn claim(secret: &str, name: &str, keys: &str) -> Claim {
    Claim {
        secret: Digest::of(secret),
        name: host(name),
        request: Digest::of(keys),
    }
}

/// An enrolment whose keys and certificate are called `serial`.
pub(super) fn enrolment(secret: &str, name: &str, serial: &str) -> Enrolment {
    Enrolment {
        claim: claim(secret, name, serial),
        certificate: certificate(serial),
        sealing_key: Some(sealing_key(serial)),
    }
}

pub(super) fn sealing_key(name: &str) -> SealingKey {
    SealingKey(*Digest::of(name).as_bytes())
}

/// Enrols a host.
pub(super) fn enrolled(store: &Arc<dyn Store>, name: &str) -> HostRecord {
    let secret = format!("secret of {name}");
    store.put_token(token(&secret, Some(name))).unwrap();
    let enrolment = enrolment(&secret, name, &format!("serial of {name}"));
    store.redeem(enrolment, time(1)).unwrap()
}

pub(super) fn beat(second: i64, confirms: Option<ReportId>) -> Heartbeat {
    Heartbeat {
        seen: time(second),
        agent: "0.1.0".to_owned(),
        features: vec!["type:file".to_owned()],
        accepted: 3,
        confirms,
    }
}

/// A report of one file that drifted and was mended; the file's content changed by `bytes` bytes.
pub fn report(name: &str, sequence: u64, bytes: usize) -> Report {
    let id = "file[/etc/motd]".parse().unwrap();
    let resource = ResourceReport {
        id,
        kind: Kind::File,
        mode: CheckMode::Enforce,
        outcome: Outcome::Changed,
        cause: Some(Cause::Drift),
        certainty: None,
        changes: vec![Change {
            property: "content".to_owned(),
            from: Some("x".repeat(bytes)),
            to: Some(sequence.to_string()),
        }],
        diff: None,
        refreshed: false,
        skipped_because: None,
        message: None,
        duration_ms: 1,
    };
    Report {
        format: REPORT_FORMAT,
        host: host(name),
        id: ReportId {
            incarnation: "0123456789abcdef0123456789abcdef".to_owned(),
            sequence,
        },
        generation: 7,
        catalog: Digest::of("a catalog"),
        mode: RunMode::Enforce,
        trigger: Trigger::Timer,
        started: time(sequence.try_into().unwrap()),
        duration_ms: 12,
        status: RunStatus::Changed,
        counts: Counts {
            total: 1,
            changed: 1,
            ..Counts::default()
        },
        resources: vec![resource],
        health: Vec::new(),
        pending: Vec::new(),
        orphans: Vec::new(),
        error: None,
    }
}

pub(super) fn inventory(hostname: &str) -> Inventory {
    let package = |number: u32| holdfast_schemas::inventory::InstalledPackage {
        name: format!("package-{number}"),
        version: "1.0-1".to_owned(),
        arch: "amd64".to_owned(),
    };
    Inventory {
        collected: time(0),
        facts: Facts {
            hostname: hostname.to_owned(),
            ..Facts::default()
        },
        metrics: Metrics::default(),
        packages: (0..500).map(package).collect(),
        services: Vec::new(),
    }
}
