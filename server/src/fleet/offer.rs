//! What a host that checks in is given.

use holdfast_schemas::agent_api::CheckIn;
use holdfast_store::{Assigned, HostRecord};

/// Largest generation that a host may claim: the largest integer that every JSON reader keeps
/// whole (RFC 8259, 6). A claim near the end of the range would leave nothing to rise to.
pub const MAX_GENERATION: u64 = (1 << 53) - 1;

/// What a host that checks in is given.
#[derive(Debug, PartialEq, Eq)]
pub enum Offer<'r> {
    /// It holds the newest.
    Unchanged,
    /// This one.
    Give(&'r Assigned),
    /// The one assigned, under a generation that is still to be allocated: the agent has seen a
    /// higher one, or another catalog under the same, as after the server was restored.
    Raise,
    /// Nothing yet, and why.
    Waiting(String),
}

/// Decides on a check-in.
pub fn offer<'r>(record: &'r HostRecord, ask: &CheckIn) -> Offer<'r> {
    let Some(assigned) = &record.assigned else {
        return Offer::Waiting(waiting_reason(record));
    };
    let missing = missing_features(assigned, &ask.features);
    if !missing.is_empty() {
        return Offer::Waiting(format!(
            "the catalog needs {}, which agent {} does not know; upgrade the agent",
            missing.join(", "),
            ask.agent
        ));
    }
    let other_body = ask.body.is_some_and(|body| body != assigned.body);
    match ask.generation.cmp(&assigned.generation) {
        std::cmp::Ordering::Greater => Offer::Raise,
        std::cmp::Ordering::Equal if other_body => Offer::Raise,
        std::cmp::Ordering::Equal if ask.body.is_some() => Offer::Unchanged,
        _ => Offer::Give(assigned),
    }
}

fn waiting_reason(record: &HostRecord) -> String {
    match (&record.held, record.facts) {
        (Some(held), _) => format!("the host is held: {held}"),
        (None, None) => "the server waits for the host's facts".to_owned(),
        (None, Some(_)) => "the server has no revision that compiles yet".to_owned(),
    }
}

/// What an assigned catalog demands and an agent does not know.
fn missing_features(assigned: &Assigned, known: &[String]) -> Vec<String> {
    // Only the text is signed; a catalog of plain types demands nothing and is not parsed again.
    if !assigned.envelope.envelope.contains("\"features\"") {
        return Vec::new();
    }
    // If it cannot be read back, nothing of it can be demanded.
    let envelope = assigned.opened();
    let mut demanded = envelope
        .map(|envelope| envelope.features)
        .unwrap_or_default();
    demanded.retain(|feature| !known.contains(feature));
    demanded
}

/// The next generation of a host: above whatever the server gave it and whatever it accepted.
pub fn next_generation(record: &HostRecord, claimed: u64) -> u64 {
    let given = record
        .assigned
        .as_ref()
        .map_or(0, |assigned| assigned.generation);
    given.max(record.accepted).max(claimed) + 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use holdfast_schemas::Digest;
    use holdfast_schemas::catalog::{Bytes, Envelope, SignedEnvelope};
    use holdfast_store::Certificate;

    use super::*;

    fn record(assigned: Option<(u64, &str)>, demanded: &[&str]) -> HostRecord {
        let certificate = Certificate {
            serial: "01".to_owned(),
            fingerprint: Digest::of("der"),
            expires: "2026-02-01T00:00:00Z".parse().unwrap(),
        };
        let enrolled = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut record = HostRecord::new("h1".parse().unwrap(), enrolled, certificate);
        record.assigned = assigned.map(|(generation, body)| {
            let envelope = Envelope {
                host: "h1".parse().unwrap(),
                generation,
                body: Digest::of(body),
                size: 1,
                features: demanded.iter().map(|&word| word.to_owned()).collect(),
                sealed: std::collections::BTreeMap::new(),
                key: "k".to_owned(),
                issued: enrolled,
            };
            Assigned {
                generation,
                body: Digest::of(body),
                revision: "r".to_owned(),
                issued: enrolled,
                envelope: SignedEnvelope {
                    envelope: serde_json::to_string(&envelope).unwrap(),
                    signature: Bytes(vec![0; 64]),
                },
                sealed_to: None,
            }
        });
        record
    }

    fn ask(generation: u64, body: Option<&str>) -> CheckIn {
        CheckIn {
            agent: "1".to_owned(),
            features: vec!["type:file".to_owned()],
            generation,
            body: body.map(Digest::of),
            facts: Digest::of("facts"),
            last_run: None,
        }
    }

    #[test]
    fn an_agent_gets_what_it_lacks_and_nothing_else() {
        let record = record(Some((4, "b")), &["type:file"]);
        let assigned = record.assigned.as_ref().unwrap();
        let give = || Offer::Give(assigned);
        assert_eq!(offer(&record, &ask(4, Some("b"))), Offer::Unchanged);
        assert_eq!(offer(&record, &ask(3, Some("a"))), give());
        assert_eq!(
            offer(&record, &ask(3, Some("b"))),
            give(),
            "given back under a new number"
        );
        assert_eq!(offer(&record, &ask(0, None)), give());
        assert_eq!(offer(&record, &ask(4, None)), give(), "it lost the body");
    }

    #[test]
    fn an_agent_that_knows_more_than_the_server_is_not_stranded() {
        let record = record(Some((4, "b")), &[]);
        assert_eq!(offer(&record, &ask(9, Some("z"))), Offer::Raise);
        assert_eq!(offer(&record, &ask(9, Some("b"))), Offer::Raise);
        assert_eq!(offer(&record, &ask(4, Some("z"))), Offer::Raise);
        assert_eq!(next_generation(&record, 9), 10);
        assert_eq!(next_generation(&record, 0), 5);
    }

    #[test]
    fn who_has_to_wait_is_told_why() {
        let told = |record: &HostRecord| match offer(record, &ask(0, None)) {
            Offer::Waiting(reason) => reason,
            other => unreachable!("{other:?}"),
        };
        assert!(told(&record(None, &[])).contains("facts"));
        let mut held = record(None, &[]);
        held.held = Some("no such fact".to_owned());
        assert!(told(&held).contains("no such fact"));
        assert!(told(&record(Some((1, "b")), &["type:moon"])).contains("type:moon"));
    }
}
