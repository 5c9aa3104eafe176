//! The differences of many hosts, each said once with the hosts that have it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use holdfast_schemas::{Digest, HostName};
use serde::Serialize;

use super::change::Change;
use super::text::{TextDiff, Unread};
use crate::compile::Compiled;
use crate::diag::Diagnostics;

/// What a revision makes of a host.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// It does not declare the host.
    Absent,
    /// Its catalog.
    Compiled(&'a Compiled),
    /// Why there is none.
    Failed(&'a Diagnostics),
}

/// Differences while they are gathered.
#[derive(Debug, Default)]
pub struct FleetDiff {
    changes: HashMap<Digest, Shared>,
    diff: SiteDiff,
}

/// A difference and those who have it.
#[derive(Debug)]
struct Shared {
    /// As the first of the hosts by name has it.
    change: Change,
    hosts: BTreeSet<HostName>,
}

/// In what two revisions of a site differ.
#[derive(Debug, Default, Serialize)]
pub struct SiteDiff {
    /// Hosts that one revision or both declare.
    pub hosts: usize,
    /// Hosts whose catalogs are equal.
    pub equal: usize,
    /// Differences by the hosts that have them, the most hosts first.
    pub groups: Vec<Group>,
    /// Hosts that only the second revision declares, and how many resources they get.
    pub joining: BTreeMap<HostName, usize>,
    /// Hosts that only the first revision declares.
    pub leaving: BTreeSet<HostName>,
    /// Hosts that have no catalog in the second revision, and had one or were not declared.
    pub broken: BTreeSet<HostName>,
    /// Hosts that have a catalog in the second revision and had none.
    pub mended: BTreeSet<HostName>,
    /// Hosts that have a catalog in neither.
    pub still_broken: BTreeSet<HostName>,
    /// Hosts that cannot be compared offline, by what they need.
    pub unchecked: BTreeMap<String, BTreeSet<HostName>>,
    /// Why there is no catalog for those who have none in the second revision.
    pub diagnostics: Diagnostics,
}

/// Hosts, and the differences that they have and no other host has.
#[derive(Debug, Serialize)]
pub struct Group {
    /// The hosts.
    pub hosts: BTreeSet<HostName>,
    /// What differs; lines around what differs are those of the first host.
    pub changes: Vec<Change>,
}

impl FleetDiff {
    /// Nothing compared so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what two revisions make of a host.
    pub fn host(&mut self, host: &HostName, before: Outcome<'_>, after: Outcome<'_>) {
        self.diff.hosts += 1;
        let needs = [before, after].into_iter().find_map(needs_facts);
        let diff = &mut self.diff;
        match (before, after) {
            _ if needs.is_some() => {
                let hosts = diff.unchecked.entry(needs.unwrap_or_default()).or_default();
                hosts.insert(host.clone());
            }
            (Outcome::Compiled(before), Outcome::Compiled(after)) => {
                let changes = super::changes(before, after);
                diff.equal += usize::from(changes.is_empty());
                changes.into_iter().for_each(|one| self.take(host, one));
            }
            (Outcome::Failed(_), Outcome::Failed(wrong)) => {
                diff.still_broken.insert(host.clone());
                diff.diagnostics.extend(wrong.clone());
            }
            (_, Outcome::Failed(wrong)) => {
                diff.broken.insert(host.clone());
                diff.diagnostics.extend(wrong.clone());
            }
            (Outcome::Failed(_), Outcome::Compiled(_)) => {
                diff.mended.insert(host.clone());
            }
            (Outcome::Absent, Outcome::Compiled(after)) => {
                let resources = after.catalog.resources.len();
                diff.joining.insert(host.clone(), resources);
            }
            (_, Outcome::Absent) => {
                diff.leaving.insert(host.clone());
            }
        }
    }

    /// Takes what another thread gathered.
    pub fn extend(&mut self, other: Self) {
        for (fingerprint, theirs) in other.changes {
            let Some(ours) = self.changes.get_mut(&fingerprint) else {
                self.changes.insert(fingerprint, theirs);
                continue;
            };
            if theirs.hosts.first() < ours.hosts.first() {
                ours.change = theirs.change;
            }
            ours.hosts.extend(theirs.hosts);
        }
        let (diff, more) = (&mut self.diff, other.diff);
        diff.hosts += more.hosts;
        diff.equal += more.equal;
        diff.joining.extend(more.joining);
        diff.leaving.extend(more.leaving);
        diff.broken.extend(more.broken);
        diff.mended.extend(more.mended);
        diff.still_broken.extend(more.still_broken);
        for (needs, hosts) in more.unchecked {
            diff.unchecked.entry(needs).or_default().extend(hosts);
        }
        diff.diagnostics.extend(more.diagnostics);
    }

    fn take(&mut self, host: &HostName, change: Change) {
        let fingerprint = change.fingerprint();
        match self.changes.get_mut(&fingerprint) {
            None => {
                let hosts = BTreeSet::from([host.clone()]);
                self.changes.insert(fingerprint, Shared { change, hosts });
            }
            Some(known) => {
                if known.hosts.first().is_some_and(|first| host < first) {
                    known.change = change;
                }
                known.hosts.insert(host.clone());
            }
        }
    }

    /// Says everything once, in an order that does not depend on that in which it came.
    pub fn finish(self) -> SiteDiff {
        let mut groups: HashMap<BTreeSet<HostName>, Vec<Change>> = HashMap::new();
        for shared in self.changes.into_values() {
            groups.entry(shared.hosts).or_default().push(shared.change);
        }
        let groups = groups.into_iter().map(|(hosts, mut changes)| {
            changes.sort_by(|a, b| a.rank().cmp(&b.rank()));
            Group { hosts, changes }
        });
        let mut diff = self.diff;
        diff.groups = groups.collect();
        diff.groups.sort_by(|a, b| {
            let most_first = b.hosts.len().cmp(&a.hosts.len());
            most_first.then_with(|| a.hosts.cmp(&b.hosts))
        });
        diff.diagnostics = diff.diagnostics.sorted();
        diff
    }
}

/// What a host needs before it can be compiled, where it is facts and nothing else.
fn needs_facts(outcome: Outcome<'_>) -> Option<String> {
    let Outcome::Failed(wrong) = outcome else {
        return None;
    };
    let needs = || wrong.iter().map(|one| one.message.as_str());
    wrong
        .needs_only_facts()
        .then(|| needs().collect::<Vec<&str>>().join("; "))
}

impl SiteDiff {
    /// Whether the two revisions make the same of every host that can be compared.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
            && self.joining.is_empty()
            && self.leaving.is_empty()
            && self.broken.is_empty()
            && self.mended.is_empty()
    }

    /// How many hosts have two catalogs that differ.
    pub fn differing(&self) -> usize {
        let hosts = self.groups.iter().flat_map(|group| &group.hosts);
        hosts.collect::<BTreeSet<&HostName>>().len()
    }

    /// The content files, by digest, whose bytes are needed to show their lines.
    pub fn unread(&self) -> BTreeSet<Digest> {
        let changes = self.groups.iter().flat_map(|group| &group.changes);
        let attributes = changes.flat_map(Change::attributes);
        let unread = attributes.filter_map(|attribute| match &attribute.text {
            Some(TextDiff::Unread(known)) => Some((attribute, known)),
            _ => None,
        });
        let digests = unread.flat_map(|(attribute, known)| {
            let before = known.before.is_none().then_some(attribute.before.as_ref());
            let after = known.after.is_none().then_some(attribute.after.as_ref());
            [before, after].into_iter().flatten().filter_map(digest)
        });
        digests.collect()
    }

    /// Puts lines where only digests could be compared; what is not given stays as it is.
    pub fn read(&mut self, contents: &BTreeMap<Digest, Vec<u8>>) {
        let changes = self.groups.iter_mut().flat_map(|group| &mut group.changes);
        for attribute in changes.flat_map(Change::attributes_mut) {
            let Some(TextDiff::Unread(Unread { before, after })) = &attribute.text else {
                continue;
            };
            let bytes = |known: &Option<Arc<[u8]>>, shown: Option<&serde_json::Value>| match known {
                Some(bytes) => Some(bytes.to_vec()),
                None => contents.get(&digest(shown)?).cloned(),
            };
            let pair = bytes(before, attribute.before.as_ref())
                .zip(bytes(after, attribute.after.as_ref()));
            if let Some((before, after)) = pair {
                attribute.text = Some(TextDiff::of(&before, &after));
            }
        }
    }
}

/// The digest in a content as it is shown.
fn digest(shown: Option<&serde_json::Value>) -> Option<Digest> {
    shown?.get("digest")?.as_str()?.parse().ok()
}
