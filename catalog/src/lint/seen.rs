//! What was seen of hosts so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_schemas::HostName;
use holdfast_schemas::resource::ResourceId;

use crate::compile::HostInput;
use crate::diag::{Diagnostics, Span};
use crate::vars::Term;

/// What was seen of hosts so far.
#[derive(Debug, Default)]
pub struct Seen {
    /// Groups that a host is in, or may be, by their places.
    pub(super) joined: BTreeSet<usize>,
    /// Layers of which a host may use anything, for nobody can know what it uses: the globals, or
    /// a group by its place.
    pub(super) open: BTreeSet<Option<usize>>,
    /// Values that some host gets.
    pub(super) used: BTreeSet<TermId>,
    /// What the first host gets that has the layer of a value, and not the value.
    pub(super) instead: BTreeMap<TermId, Instead>,
    /// Services, by whether something installs them: the hosts where nothing does.
    pub(super) bare: BTreeMap<ResourceId, BTreeSet<HostName>>,
    /// Execs that wait to be notified, and whether some host's is.
    pub(super) waiting: BTreeMap<ResourceId, bool>,
    /// Hosts that have no catalog because facts are not known.
    unknown: BTreeSet<HostName>,
    /// What keeps other hosts from having one.
    wrong: Diagnostics,
}

/// A value of the site, told from others by where it is in memory: a site does not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TermId(usize);

/// What a host gets instead of a value.
#[derive(Debug, Clone)]
pub(super) struct Instead {
    pub(super) host: HostName,
    /// Nothing where the value is taken away.
    pub(super) winner: Option<(Span, String)>,
}

impl TermId {
    pub(super) fn of(term: &Arc<Term>) -> Self {
        Self(Arc::as_ptr(term) as usize)
    }
}

impl Seen {
    /// Takes what another thread saw.
    pub fn extend(&mut self, other: Self) {
        self.joined.extend(other.joined);
        self.open.extend(other.open);
        self.used.extend(other.used);
        for (term, instead) in other.instead {
            self.gets_instead(term, instead);
        }
        for (id, hosts) in other.bare {
            self.bare.entry(id).or_default().extend(hosts);
        }
        for (id, notified) in other.waiting {
            *self.waiting.entry(id).or_default() |= notified;
        }
        self.unknown.extend(other.unknown);
        self.wrong.extend(other.wrong);
    }

    /// The hosts that cannot be looked at, for their facts are not known.
    pub fn unknown(&self) -> impl ExactSizeIterator<Item = &HostName> {
        self.unknown.iter()
    }

    /// What keeps hosts from having a catalog, facts apart.
    pub fn wrong(&self) -> Diagnostics {
        self.wrong.clone().sorted()
    }

    /// Whether every host was looked at.
    pub(super) fn is_whole(&self) -> bool {
        self.unknown.is_empty() && self.wrong.is_empty()
    }

    pub(super) fn cannot_compile(&mut self, host: &HostInput, wrong: Diagnostics) {
        match wrong.needs_only_facts() {
            true => {
                self.unknown.insert(host.name.clone());
            }
            false => self.wrong.extend(wrong),
        }
    }

    /// Takes what a host gets instead of a value; the first host by name is kept.
    pub(super) fn gets_instead(&mut self, term: TermId, instead: Instead) {
        let known = self.instead.entry(term).or_insert_with(|| instead.clone());
        if instead.host < known.host {
            *known = instead;
        }
    }
}
