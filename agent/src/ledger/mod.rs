//! What this host was brought to, and what it still owes: the agent's memory between runs.
//!
//! The ledger is a journal of checksummed lines in a plain file, only ever appended to. What is
//! about to be done is on disk before it is done ([`Ledger::intend`]), so that a crash in between
//! loses no notification; what became of it is appended after, and reaches the disk with the next
//! intent or at the end of the run. Reading the journal from its start gives the [`Memory`]; when
//! most of it is history, it is written anew from memory and takes the old one's place.
//!
//! A run that finds everything in sync reads none of this: the [`Settled`] mark beside the
//! journal says which catalog the journal agrees with, and holds as long as nobody appended.

mod journal;
mod memory;
mod record;
mod settled;

use std::path::{Path, PathBuf};

use holdfast_schemas::Digest;
use holdfast_schemas::resource::{Resource, ResourceId, Spec};

use crate::durable::{self, DiskError};
use journal::{Damage, Journal};

pub(crate) use memory::{Knowledge, Memory};
pub(crate) use record::{Act, Acted, Debt, FileId, Record, SpecMark, Veiled};
pub(crate) use settled::Settled;

/// A journal shorter than this, in bytes, is never written anew: it is read in a millisecond.
const COMPACT_FROM: u64 = 256 * 1024;

/// How many times longer than what it says a journal may be before it is written anew.
const COMPACT_FACTOR: u64 = 4;

/// Records of the journal written anew hold this many entries each.
const ENTRIES_PER_RECORD: usize = 500;

const JOURNAL: &str = "journal";
const DAMAGED: &str = "journal.damaged";

/// The mark of a specification: two resources of one name are the same wish if these are equal.
pub(crate) fn mark(spec: &Spec) -> SpecMark {
    // A specification holds only strings, numbers, lists and maps with string keys: it always
    // serialises into memory.
    SpecMark::of(&serde_json::to_vec(spec).unwrap_or_default())
}

/// The ledger, open for writing.
#[derive(Debug)]
pub(crate) struct Ledger {
    folder: PathBuf,
    journal: Journal,
    memory: Memory,
}

/// Begins an empty ledger, if there is none.
pub(crate) fn begin(folder: &Path) -> Result<(), DiskError> {
    let path = folder.join(JOURNAL);
    match path.exists() {
        true => Ok(()),
        false => Journal::open(&path, 0).map(drop),
    }
}

/// Reads what is remembered, and changes nothing. `missing` is what it means if there is no
/// journal: a host that is new, or one whose ledger is gone.
pub(crate) fn recall(folder: &Path, missing: Knowledge) -> Result<Memory, DiskError> {
    let read = journal::read(&folder.join(JOURNAL))?;
    Ok(Memory::replay(read).expecting(missing))
}

impl Ledger {
    /// Opens the ledger of a state folder: cuts a tail that a crash tore, sets a damaged journal
    /// aside, counts what was intended and never told as owed, and writes anew what is mostly
    /// history (runs that were killed never came to their end).
    pub(crate) fn open(folder: &Path, missing: Knowledge) -> Result<Self, DiskError> {
        let path = folder.join(JOURNAL);
        let read = journal::read(&path)?;
        let damage = read.damage;
        let good = match damage {
            Damage::None => read.good,
            Damage::Found => 0,
        };
        let memory = Memory::replay(read).expecting(missing);
        if damage == Damage::Found {
            set_aside(folder)?;
        }
        let mut ledger = Self {
            folder: folder.to_owned(),
            journal: Journal::open(&path, good)?,
            memory,
        };
        ledger.recover(damage)?;
        ledger.compact()?;
        Ok(ledger)
    }

    /// What is remembered.
    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Writes down what is about to be done, and returns once that is on disk.
    pub(crate) fn intend(&mut self, acts: Vec<Act>) -> Result<(), DiskError> {
        self.append(Record::Intent { acts })?;
        self.journal.sync()
    }

    /// Writes down what became of the last intent; on disk with the next one, or at the end.
    pub(crate) fn conclude(&mut self, acted: Vec<Acted>, owed: Vec<Debt>) -> Result<(), DiskError> {
        self.append(Record::Outcome { acted, owed })
    }

    /// Writes down that a notification was delivered.
    pub(crate) fn refreshed(&mut self, resource: &ResourceId) -> Result<(), DiskError> {
        self.append(Record::Refreshed {
            resource: resource.clone(),
        })
    }

    /// Writes down that resources were found as wanted without anything having been done, where
    /// that is news.
    pub(crate) fn adopt<'a>(
        &mut self,
        found: impl Iterator<Item = &'a Resource>,
    ) -> Result<(), DiskError> {
        let news = |resource: &Resource| {
            let spec = mark(&resource.spec);
            let known = self.memory.entry(&resource.id);
            (known.and_then(|entry| entry.spec) != Some(spec)).then(|| Acted {
                id: resource.id.clone(),
                spec: Some(spec),
                made: known.is_some_and(|entry| entry.made) && is_wanted(&resource.spec),
            })
        };
        let acted: Vec<Acted> = found.filter_map(news).collect();
        for chunk in acted.chunks(ENTRIES_PER_RECORD) {
            self.append(Record::Adopted {
                found: chunk.to_vec(),
            })?;
        }
        Ok(())
    }

    /// Writes down where contents with secrets are, where that is news; on disk with the next
    /// intent, or at the end.
    pub(crate) fn veil(&mut self, mut places: Vec<Veiled>) -> Result<(), DiskError> {
        places.retain(|veiled| !self.memory.knows(veiled));
        for chunk in places.chunks(ENTRIES_PER_RECORD) {
            self.append(Record::Veiled {
                places: chunk.to_vec(),
            })?;
        }
        Ok(())
    }

    /// Drops what is remembered of resources.
    pub(crate) fn forget(&mut self, resources: Vec<ResourceId>) -> Result<(), DiskError> {
        match resources.is_empty() {
            true => Ok(()),
            false => self.append(Record::Forgotten { resources }),
        }
    }

    /// Brings everything to disk, writes the journal anew if most of it is history, and, when
    /// nothing is owed, marks the catalog that it now agrees with.
    pub(crate) fn close(
        mut self,
        settled: Option<(Digest, Vec<ResourceId>)>,
    ) -> Result<(), DiskError> {
        if settled.is_some() && self.memory.knowledge() == Knowledge::Lost {
            self.append(Record::Knows(Knowledge::Whole))?;
        }
        self.journal.sync()?;
        self.compact()?;
        match settled {
            Some((catalog, orphans)) if self.memory.owed().is_empty() => {
                let mark = Settled {
                    catalog,
                    journal: self.journal.identity()?,
                    orphans,
                };
                mark.write(&self.folder)
            }
            _ => Ok(()),
        }
    }

    fn append(&mut self, record: Record) -> Result<(), DiskError> {
        self.journal.append(&record.to_line())?;
        self.memory.apply(record);
        Ok(())
    }

    /// Writes down what opening found out, so that the journal says so itself from now on.
    fn recover(&mut self, damage: Damage) -> Result<(), DiskError> {
        let lost = self.memory.knowledge() == Knowledge::Lost && self.journal.length() == 0;
        if lost {
            self.append(Record::Knows(Knowledge::Lost))?;
        }
        if damage == Damage::Found && !self.memory.owed().is_empty() {
            let owed = self.memory.debts();
            self.append(Record::Outcome {
                acted: Vec::new(),
                owed,
            })?;
        }
        if damage == Damage::Found && !self.memory.veiled().is_empty() {
            let places = self.memory.veils();
            self.append(Record::Veiled { places })?;
        }
        if damage == Damage::None && self.memory.interrupted() {
            self.append(Record::Interrupted)?;
        }
        self.journal.sync()
    }

    /// Writes the journal anew if it is long and most of it is history.
    fn compact(&mut self) -> Result<(), DiskError> {
        if self.journal.length() <= COMPACT_FROM {
            return Ok(());
        }
        let mut lines = Vec::new();
        for record in self.memory.snapshot(ENTRIES_PER_RECORD) {
            lines.extend_from_slice(&record.to_line());
        }
        if self.journal.length() < COMPACT_FACTOR * lines.len() as u64 {
            return Ok(());
        }
        let path = self.folder.join(JOURNAL);
        durable::write(&path, &lines)?;
        self.journal = Journal::open(&path, lines.len() as u64)?;
        Ok(())
    }
}

/// Keeps a damaged journal as evidence.
fn set_aside(folder: &Path) -> Result<(), DiskError> {
    let kept = folder.join(DAMAGED);
    durable::rename(&folder.join(JOURNAL), &kept)?;
    tracing::error!(
        ledger.kept = %kept.display(),
        "the ledger was damaged: what this host was brought to is unknown until it is enforced \
         again; owed notifications were kept"
    );
    Ok(())
}

/// Whether a specification wants its thing to be there.
pub(crate) fn is_wanted(spec: &Spec) -> bool {
    use holdfast_schemas::resource::{Ensure, PackageState};
    match spec {
        Spec::File(file) => file.ensure == Ensure::Present,
        Spec::Directory(directory) => directory.ensure == Ensure::Present,
        Spec::Symlink(link) => link.ensure == Ensure::Present,
        Spec::User(user) => user.ensure == Ensure::Present,
        Spec::Group(group) => group.ensure == Ensure::Present,
        Spec::Package(package) => {
            !matches!(package.state, PackageState::Absent | PackageState::Purged)
        }
        Spec::Service(_) | Spec::Exec(_) => false,
    }
}

#[cfg(test)]
mod tests;
