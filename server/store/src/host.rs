//! What is remembered of one host.

use holdfast_schemas::catalog::{Envelope, SignedEnvelope};
use holdfast_schemas::report::{Counts, ReportId, RunMode, RunStatus};
use holdfast_schemas::secret::SealingKey;
use holdfast_schemas::{Digest, HostName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Changes a host's record; runs inside the store's transaction, so it must be quick and must
/// not call the store. A record it leaves as it was is not written.
pub type HostChange = Box<dyn FnOnce(&mut HostRecord) + Send>;

/// Most certificates on record for a host; the oldest goes first. An agent whose answer got lost
/// asks again, with the same key or with the certificate it still has.
const MAX_CERTIFICATES: usize = 8;

/// One enrolled host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRecord {
    /// Its name.
    pub name: HostName,
    /// When it enrolled (last).
    pub enrolled: Timestamp,
    /// The certificates it may come with, newest last.
    pub certificates: Vec<Certificate>,
    /// The key that its secrets are sealed to; absent for an agent that sent none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealing_key: Option<SealingKey>,
    /// Whether it may come at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
    /// When it was last heard of. Of heartbeats, so it may fall back a little over a crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
    /// The agent's version, as of the last check-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What the agent understands, as of the last check-in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// The newest generation that the agent ever said it accepted.
    #[serde(default)]
    pub accepted: u64,
    /// Digest of the facts in the inventory that is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Digest>,
    /// The catalog it is to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Assigned>,
    /// Its last report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Reported>,
    /// Why it is held at an older catalog; absent when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

impl HostRecord {
    /// A host that has just enrolled and was not heard of since.
    pub fn new(name: HostName, enrolled: Timestamp, certificate: Certificate) -> Self {
        Self {
            name,
            enrolled,
            certificates: vec![certificate],
            sealing_key: None,
            revoked: None,
            seen: None,
            agent: None,
            features: Vec::new(),
            accepted: 0,
            facts: None,
            assigned: None,
            reported: None,
            held: None,
        }
    }

    /// Puts a certificate on record, within the bound.
    pub fn add_certificate(&mut self, added: Certificate) {
        let surplus = (self.certificates.len() + 1).saturating_sub(MAX_CERTIFICATES);
        self.certificates.drain(..surplus);
        self.certificates.push(added);
    }

    /// Takes in what a heartbeat says, where it is news.
    pub(crate) fn hear(&mut self, beat: &Heartbeat) {
        if self.seen.is_none_or(|seen| seen <= beat.seen) {
            self.seen = Some(beat.seen);
            self.agent = Some(beat.agent.clone());
            self.features.clone_from(&beat.features);
        }
        self.accepted = self.accepted.max(beat.accepted);
        if let (Some(reported), Some(report)) = (&mut self.reported, &beat.confirms)
            && reported.report == *report
        {
            reported.confirmed = reported.confirmed.max(beat.seen);
        }
    }
}

/// A certificate of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Serial number, hexadecimal.
    pub serial: String,
    /// BLAKE3 digest of its DER.
    pub fingerprint: Digest,
    /// When it ends.
    pub expires: Timestamp,
}

/// That a host may not come any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Since when.
    pub at: Timestamp,
    /// Why, in an operator's words.
    pub reason: String,
}

/// The catalog that a host is to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// Its generation.
    pub generation: u64,
    /// Digest of its body.
    pub body: Digest,
    /// The revision it was compiled from.
    pub revision: String,
    /// When it was given out.
    pub issued: Timestamp,
    /// What the agent gets.
    pub envelope: SignedEnvelope,
    /// The key that its secrets are sealed to; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_to: Option<SealingKey>,
}

impl Assigned {
    /// The envelope, read back. We wrote it: `None` means that the record was damaged in a way
    /// that JSON survives.
    pub fn opened(&self) -> Option<Envelope> {
        serde_json::from_str(&self.envelope.envelope).ok()
    }

    /// The blobs that only this host can open. An envelope without any is not parsed.
    pub fn sealed(&self) -> Vec<Digest> {
        if self.sealed_to.is_none() {
            return Vec::new();
        }
        let envelope = self.opened();
        let sealed = envelope.map(|envelope| envelope.sealed).unwrap_or_default();
        sealed.into_values().map(|blob| blob.digest).collect()
    }
}

/// The last report of a host, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// Generation of the catalog it is about.
    pub generation: u64,
    /// Digest of that catalog.
    pub catalog: Digest,
    /// Which report.
    pub report: ReportId,
    /// Whether the run changed things.
    pub mode: RunMode,
    /// When the server took it.
    pub received: Timestamp,
    /// When the host last said that it is still so.
    pub confirmed: Timestamp,
    /// The outcome.
    pub status: RunStatus,
    /// Resources by outcome.
    pub counts: Counts,
}

/// What a check-in says that need not survive a crash: the next one says it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The server's time.
    pub seen: Timestamp,
    /// The agent's version.
    pub agent: String,
    /// What the agent understands.
    pub features: Vec<String>,
    /// The newest generation it ever accepted.
    pub accepted: u64,
    /// The report that still describes the host.
    pub confirms: Option<ReportId>,
}
