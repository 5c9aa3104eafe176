//! What the journal says, read from its start: which wish each resource was last brought to, and
//! which notifications are owed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use holdfast_schemas::resource::ResourceId;
use serde::{Deserialize, Serialize};

use super::journal::{Damage, Read};
use super::record::{Act, Acted, Debt, Record, SpecMark};

/// What is remembered of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Entry {
    /// The wish it was last brought to; `None` when none is known to be fulfilled.
    pub(crate) spec: Option<SpecMark>,
    /// Whether Holdfast made it.
    pub(crate) made: bool,
}

/// Whether memory can be relied on to know every resource that was ever enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Knowledge {
    /// It can: what it does not know is new.
    #[default]
    Whole,
    /// There was damage: what it does not know may be anything.
    Lost,
}

/// What the ledger remembers.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    entries: HashMap<ResourceId, Entry>,
    owed: BTreeMap<ResourceId, BTreeSet<ResourceId>>,
    open: Vec<Act>,
    interrupted: bool,
    present: bool,
    knowledge: Knowledge,
}

impl Memory {
    /// Replays a journal. What stands behind damage counts for debts alone: a restart too many
    /// does less harm than one that is lost.
    pub(super) fn replay(read: Read) -> Self {
        let mut memory = Self {
            present: read.present,
            ..Self::default()
        };
        for record in read.records {
            memory.apply(record);
        }
        memory.interrupted = !memory.open.is_empty();
        memory.close_open();
        if read.damage == Damage::Found {
            memory.knowledge = Knowledge::Lost;
            memory.entries.clear();
            memory.owe_behind(read.behind);
        }
        memory
    }

    fn owe_behind(&mut self, records: Vec<Record>) {
        for record in records {
            match record {
                Record::Intent { acts } => self.open.extend(acts),
                Record::Outcome { owed, .. } => self.owe(owed),
                Record::Adopted { .. }
                | Record::Refreshed { .. }
                | Record::Forgotten { .. }
                | Record::Interrupted
                | Record::Knows(_) => {}
            }
        }
        self.close_open();
    }

    /// Takes one more record.
    pub(super) fn apply(&mut self, record: Record) {
        match record {
            Record::Intent { acts } => {
                self.close_open();
                self.open = acts;
            }
            Record::Outcome { acted, owed } => {
                self.open.clear();
                self.enter(acted);
                self.owe(owed);
            }
            Record::Adopted { found } => self.enter(found),
            Record::Refreshed { resource } => {
                self.owed.remove(&resource);
            }
            Record::Interrupted => self.close_open(),
            Record::Knows(knowledge) => self.knowledge = knowledge,
            Record::Forgotten { resources } => {
                for resource in resources {
                    self.entries.remove(&resource);
                    self.owed.remove(&resource);
                }
            }
        }
    }

    /// Counts an intent whose end nobody wrote down as done: its notifications are owed, and what
    /// it was to make is Holdfast's. The wish itself counts as fulfilled only once it is seen so.
    fn close_open(&mut self) {
        for act in std::mem::take(&mut self.open) {
            for to in act.notifies {
                self.owed.entry(to).or_default().insert(act.id.clone());
            }
            if act.makes {
                let entry = self.entries.entry(act.id).or_default();
                entry.made = true;
            }
        }
    }

    fn enter(&mut self, acted: Vec<Acted>) {
        for Acted { id, spec, made } in acted {
            self.entries.insert(id, Entry { spec, made });
        }
    }

    fn owe(&mut self, owed: Vec<Debt>) {
        for Debt { to, because } in owed {
            self.owed.entry(to).or_default().extend(because);
        }
    }

    /// What is remembered of a resource.
    pub(crate) fn entry(&self, id: &ResourceId) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// Every resource remembered.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&ResourceId, &Entry)> {
        self.entries.iter()
    }

    /// The notifications that are owed, and because of whom.
    pub(crate) fn owed(&self) -> &BTreeMap<ResourceId, BTreeSet<ResourceId>> {
        &self.owed
    }

    /// The same as the journal writes them.
    pub(crate) fn debts(&self) -> Vec<Debt> {
        let debt = |(to, because): (&ResourceId, &BTreeSet<ResourceId>)| Debt {
            to: to.clone(),
            because: because.iter().cloned().collect(),
        };
        self.owed.iter().map(debt).collect()
    }

    /// Whether what is not remembered was never enforced.
    pub(crate) fn knowledge(&self) -> Knowledge {
        self.knowledge
    }

    /// The same memory; that there is no journal means loss where there was one before.
    pub(super) fn expecting(mut self, expected: Knowledge) -> Self {
        if !self.present && expected == Knowledge::Lost {
            self.knowledge = Knowledge::Lost;
        }
        self
    }

    /// Whether a crash left the last intent open.
    pub(super) fn interrupted(&self) -> bool {
        self.interrupted
    }

    /// The records that say all of this anew.
    pub(super) fn snapshot(&self, entries_per_record: usize) -> Vec<Record> {
        let acted = |(id, entry): (&ResourceId, &Entry)| Acted {
            id: id.clone(),
            spec: entry.spec,
            made: entry.made,
        };
        let mut found: Vec<Acted> = self.entries.iter().map(acted).collect();
        found.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let adopted = |found: &[Acted]| Record::Adopted {
            found: found.to_vec(),
        };
        let mut records = vec![Record::Knows(self.knowledge)];
        records.extend(found.chunks(entries_per_record).map(adopted));
        if !self.owed.is_empty() {
            records.push(Record::Outcome {
                acted: Vec::new(),
                owed: self.debts(),
            });
        }
        records
    }
}
