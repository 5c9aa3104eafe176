//! What the journal says, read from its start: which wish each resource was last brought to,
//! which notifications are owed, and where secrets were put.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::ResourceId;
use serde::{Deserialize, Serialize};

use super::journal::{Damage, Read};
use super::record::{Act, Acted, Debt, FileId, Record, SpecMark, Veiled};

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
    veiled: BTreeMap<HostPath, Option<FileId>>,
    open: Vec<Act>,
    interrupted: bool,
    present: bool,
    knowledge: Knowledge,
}

impl Memory {
    /// Replays a journal. What stands behind damage counts for debts and for where secrets are
    /// alone: a restart too many does less harm than one that is lost.
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
            memory.take_behind(read.behind);
        }
        memory
    }

    fn take_behind(&mut self, records: Vec<Record>) {
        for record in records {
            match record {
                Record::Intent { acts } => self.open.extend(acts),
                Record::Outcome { owed, .. } => self.owe(owed),
                Record::Veiled { places } => self.veil(places),
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
            Record::Veiled { places } => self.veil(places),
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

    /// Remembers where secrets are. A path whose file is gone keeps the one that was there: it may
    /// have another name now. No path is ever forgotten: what was backed up there may come back.
    pub(crate) fn veil(&mut self, places: Vec<Veiled>) {
        for Veiled { path, file } in places {
            let known = self.veiled.entry(path).or_default();
            *known = file.or(*known);
        }
    }

    /// Whether the memory knows of a path with secrets, and of the file there.
    pub(super) fn knows(&self, veiled: &Veiled) -> bool {
        let known = self.veiled.get(&veiled.path);
        known.is_some_and(|known| veiled.file.is_none() || veiled.file == *known)
    }

    /// The paths where contents with secrets were put, and the files there.
    pub(crate) fn veiled(&self) -> &BTreeMap<HostPath, Option<FileId>> {
        &self.veiled
    }

    /// The same as the journal writes them.
    pub(super) fn veils(&self) -> Vec<Veiled> {
        let veiled = |(path, file): (&HostPath, &Option<FileId>)| Veiled {
            path: path.clone(),
            file: *file,
        };
        self.veiled.iter().map(veiled).collect()
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
        let veiled = |places: &[Veiled]| Record::Veiled {
            places: places.to_vec(),
        };
        records.extend(self.veils().chunks(entries_per_record).map(veiled));
        if !self.owed.is_empty() {
            records.push(Record::Outcome {
                acted: Vec::new(),
                owed: self.debts(),
            });
        }
        records
    }
}
