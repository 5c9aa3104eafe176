//! The walk that mends: window by window, in the order of the catalog.
//!
//! What a window is about to do is in the ledger before it is done. A resource that fails keeps
//! those that need it from being walked. A change is owed to its subscribers until the walk has
//! reached them and the notification was delivered.

use std::collections::HashSet;
use std::time::Instant;

use holdfast_modules::Shown;
use holdfast_modules::harness::{self, Enforced};
use holdfast_modules::module::Refreshed;
use holdfast_schemas::report::{Outcome, ResourceReport, RunMode};
use holdfast_schemas::resource::Resource;

use super::edges::Edges;
use super::fate::{Fates, Skip, Wrong};
use super::look::{self, Seen};
use super::manner::{self, Walked};
use super::moving::Moving;
use super::refresh::{just_started, pending};
use super::veil::{self, Moment, Veil};
use super::window::{self, Manner, Window};
use super::wording::{ENDED_EARLY, creates, ended, left_over, told, with};
use super::{Completeness, Task, close};
use crate::drift;
use crate::durable::DiskError;
use crate::ledger::{self, Act, Acted, Debt, Ledger};
use crate::report::{Execution, line};
use crate::said::chain;

/// Walks the catalog and mends what differs.
pub(super) fn walk(task: &Task<'_>, first_look: Vec<Seen>) -> Result<Execution, DiskError> {
    let edges = Edges::of(&task.catalog.resources);
    let windows = window::windows(&task.catalog.resources, &edges);
    let mut walk = Walk {
        task,
        edges: &edges,
        ledger: Ledger::open(task.ledger, task.missing)?,
        fates: Fates::new(task.catalog.resources.len()),
        lines: task.catalog.resources.iter().map(|_| None).collect(),
        found_good: Vec::new(),
        blameless: 0,
        acted: false,
    };
    let sealed = veil::sealed_in(&task.catalog.resources, task.host.as_probe());
    if let Err(error) = walk.ledger.veil(sealed) {
        return Ok(walk.broken_off(&error));
    }
    let mut first_look = first_look.into_iter();
    for window in windows {
        let seen: Vec<Seen> = first_look.by_ref().take(window.range.len()).collect();
        if let Err(error) = walk.window(&window, seen) {
            // What was done is told even when the ledger's disk is full: the report says why the
            // rest was not.
            return Ok(walk.broken_off(&error));
        }
    }
    walk.finish()
}

/// What became of the resources of a window, as the ledger is told.
#[derive(Default)]
struct Done {
    acted: Vec<Acted>,
    owed: Vec<Debt>,
}

/// The walk under way.
struct Walk<'a> {
    task: &'a Task<'a>,
    edges: &'a Edges,
    ledger: Ledger,
    fates: Fates,
    lines: Vec<Option<ResourceReport>>,
    found_good: Vec<usize>,
    blameless: u32,
    acted: bool,
}

impl Walk<'_> {
    fn resource(&self, place: usize) -> &Resource {
        &self.task.catalog.resources[place]
    }

    /// Walks one window. What was seen before anything was changed still holds; after that,
    /// everything is looked at again.
    fn window(&mut self, window: &Window, first: Vec<Seen>) -> Result<(), DiskError> {
        let seen = match self.acted {
            true => look::at_range(self.task, window.range.clone()),
            false => first,
        };
        let at_hand = self.at_hand(window, seen);
        if !at_hand.is_empty() {
            self.intend(&at_hand)?;
            self.acted = true;
        }
        let places: Vec<usize> = at_hand.iter().map(|(place, _)| *place).collect();
        let mut done = Done::default();
        match window.manner {
            Manner::SideBySide => {
                for level in window::levels(&places, &self.task.catalog.resources, self.edges) {
                    self.act(level, manner::side_by_side, &mut done);
                }
            }
            Manner::Together => self.act(places, manner::together, &mut done),
            Manner::Alone => self.act(places, manner::one_by_one, &mut done),
        }
        if !at_hand.is_empty() {
            self.ledger.conclude(done.acted, done.owed)?;
        }
        window
            .range
            .clone()
            .try_for_each(|place| self.deliver(place))
    }

    /// The resources of a window that are to be enforced: what differs, and what depends on
    /// something in the window that differs. The others are told off here.
    fn at_hand(&mut self, window: &Window, seen: Vec<Seen>) -> Vec<(usize, Seen)> {
        let mut at_hand: Vec<(usize, Seen)> = Vec::new();
        let mut moving = Moving::default();
        for (place, seen) in window.range.clone().zip(seen) {
            if self.task.stop.asked() {
                self.end_before(place);
                continue;
            }
            let resources = &self.task.catalog.resources;
            if let Some(skip) = self.fates.skip(place, self.edges, resources) {
                self.skip(place, skip);
                continue;
            }
            match seen {
                Seen::Ended => self.end_before(place),
                Seen::Omitted(because) => {
                    let skip = Skip {
                        because,
                        blameless: true,
                    };
                    self.skip(place, skip);
                    self.fates.spoil(place, Wrong::Omitted);
                }
                Seen::InSync(remark)
                    if !moving.touches(place, self.resource(place), self.edges) =>
                {
                    self.found_good.push(place);
                    if let Some(remark) = remark {
                        self.line_of(place, Outcome::InSync).message = Some(remark.into());
                    }
                }
                seen => {
                    moving.enter(place, &resources[place]);
                    at_hand.push((place, seen));
                }
            }
        }
        at_hand
    }

    /// Writes down what is about to be done.
    fn intend(&mut self, at_hand: &[(usize, Seen)]) -> Result<(), DiskError> {
        let act = |(place, seen): &(usize, Seen)| {
            let resource = self.resource(*place);
            let told = self.edges.tells(*place).iter();
            Act {
                id: resource.id.clone(),
                spec: ledger::mark(&resource.spec),
                notifies: told.map(|&to| self.resource(to).id.clone()).collect(),
                makes: match seen {
                    Seen::Differs(observation) => creates(&observation.shown),
                    Seen::Failed(_) => ledger::is_wanted(&resource.spec),
                    Seen::InSync(_) | Seen::Omitted(_) | Seen::Ended => false,
                },
            }
        };
        let acts = at_hand.iter().map(act).collect();
        self.ledger.intend(acts)
    }

    /// Enforces resources in a manner, but for those that need one that failed meanwhile.
    fn act(&mut self, mut places: Vec<usize>, manner: manner::Enforce, done: &mut Done) {
        places.retain(|&place| {
            let resources = &self.task.catalog.resources;
            let skip = self.fates.skip(place, self.edges, resources);
            let free = skip.is_none();
            if let Some(skip) = skip {
                self.skip(place, skip);
            }
            free
        });
        if places.is_empty() {
            return;
        }
        let mut veiled = self.veiled(&places, Moment::Before);
        let results = manner(self.task, &places);
        veiled.extend(self.veiled(&places, Moment::After));
        for result in results {
            places.retain(|&place| place != result.place);
            match veiled.contains(&result.place) {
                true => self.conclude(result, veil::over_outcome, done),
                false => self.conclude(result, |outcome| outcome, done),
            }
        }
        for unreached in places {
            self.end_before(unreached);
        }
    }

    /// Of which resources nothing is shown that was found.
    fn veiled(&self, places: &[usize], moment: Moment) -> HashSet<usize> {
        let (memory, probe) = (self.ledger.memory(), self.task.host.as_probe());
        let Some(veil) = Veil::drawn(memory, probe, moment) else {
            return HashSet::new();
        };
        let over = |place: &&usize| veil.is_over(self.resource(**place), memory, probe);
        places.iter().filter(over).copied().collect()
    }

    /// Takes the result of one resource, and tells it through a veil.
    fn conclude(&mut self, result: Walked, veil: fn(Enforced) -> Enforced, done: &mut Done) {
        let Done { acted, owed } = done;
        let Walked {
            place,
            enforced,
            took,
        } = result;
        let resource = &self.task.catalog.resources[place];
        let known = self.ledger.memory().entry(&resource.id);
        let known_made = known.is_some_and(|entry| entry.made);
        let mut told = line(resource, RunMode::Enforce, Outcome::Changed);
        told.cause = Some(drift::cause(resource, self.ledger.memory()));
        told.duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let in_part = matches!(&enforced, Enforced::Failed { tried: Some(tried), .. }
            if self.changed_in_part(resource, tried));
        let fulfilled = |made: bool| Acted {
            id: resource.id.clone(),
            spec: Some(ledger::mark(&resource.spec)),
            made: made && ledger::is_wanted(&resource.spec),
        };
        match veil(enforced) {
            Enforced::InSync => {
                acted.push(fulfilled(known_made));
                self.found_good.push(place);
                return;
            }
            Enforced::Changed(shown) => {
                acted.push(fulfilled(known_made || creates(&shown)));
                owed.extend(self.debts(place));
                told = with(told, shown);
            }
            Enforced::NotConverged { tried, left } => {
                told.outcome = Outcome::NotConverged;
                told.message = Some(left_over(&left));
                told = with(told, tried);
                owed.extend(self.debts(place));
                self.fates.spoil(place, Wrong::NotConverged);
            }
            Enforced::Failed { tried, error } => {
                told.outcome = Outcome::Failed;
                told.message = Some(chain(&error));
                match tried {
                    Some(tried) => {
                        if in_part {
                            owed.extend(self.debts(place));
                        }
                        told = with(told, tried);
                    }
                    None => told.cause = None,
                }
                self.fates.spoil(place, Wrong::Failed);
            }
        }
        self.lines[place] = Some(told);
    }

    /// Whether something that failed may have changed the host all the same.
    fn changed_in_part(&self, resource: &Resource, tried: &Shown) -> bool {
        match harness::observe(&resource.spec, self.task.host.as_probe()) {
            Ok(observation) => observation.shown != *tried,
            Err(_) => true,
        }
    }

    /// What a change of a resource is owed to others.
    fn debts(&self, place: usize) -> impl Iterator<Item = Debt> {
        let because = &self.resource(place).id;
        let told = self.edges.tells(place).iter();
        told.map(|&to| Debt {
            to: self.resource(to).id.clone(),
            because: vec![because.clone()],
        })
    }

    /// Delivers the notification that is owed to a resource, if one is and nothing is wrong.
    fn deliver(&mut self, place: usize) -> Result<(), DiskError> {
        let resource = &self.task.catalog.resources[place];
        let owed = self.ledger.memory().owed().contains_key(&resource.id);
        if !owed || self.fates.is_bad(place) || self.task.stop.asked() {
            return Ok(());
        }
        let begun = Instant::now();
        let refreshed = match self.lines[place].as_ref().is_some_and(just_started) {
            // It read its configuration a moment ago.
            true => Ok(Refreshed::NothingToDo),
            false => harness::refresh(&resource.spec, self.task.host),
        };
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        match refreshed {
            Ok(Refreshed::NothingToDo) => self.ledger.refreshed(&resource.id),
            Ok(Refreshed::Done) => {
                self.acted = true;
                let told = self.line_of(place, Outcome::Changed);
                told.refreshed = true;
                told.duration_ms += took;
                let owed = self.debts(place).collect();
                self.ledger.conclude(Vec::new(), owed)?;
                self.ledger.refreshed(&resource.id)
            }
            Err(error) => {
                let message = format!("its notification failed: {}", chain(&error));
                let told = self.line_of(place, Outcome::Failed);
                told.outcome = Outcome::Failed;
                told.message = Some(message);
                told.duration_ms += took;
                self.fates.spoil(place, Wrong::Failed);
                Ok(())
            }
        }
    }

    /// The line of a resource, begun with an outcome if it has none or says only that all was well.
    fn line_of(&mut self, place: usize, outcome: Outcome) -> &mut ResourceReport {
        let resource = &self.task.catalog.resources[place];
        let told =
            self.lines[place].get_or_insert_with(|| line(resource, RunMode::Enforce, outcome));
        if told.outcome == Outcome::InSync {
            told.outcome = outcome;
        }
        told
    }

    /// A resource is not walked because the run is to end.
    fn end_before(&mut self, place: usize) {
        self.skip(place, ended());
        self.fates.spoil(place, Wrong::Ended);
    }

    fn skip(&mut self, place: usize, skip: Skip) {
        let told = self.line_of(place, Outcome::Skipped);
        told.skipped_because = Some(skip.because);
        self.blameless += u32::from(skip.blameless);
    }

    /// Ends the walk: remembers what was found good, tells what is still owed.
    fn finish(mut self) -> Result<Execution, DiskError> {
        let resources = &self.task.catalog.resources;
        let probe = self.task.host.as_probe();
        let sealed = veil::remembered(self.ledger.memory(), probe);
        self.ledger.veil(sealed)?;
        self.look_back()?;
        let found = std::mem::take(&mut self.found_good);
        self.ledger
            .adopt(found.into_iter().map(|place| &resources[place]))?;
        let completeness = match (0..resources.len()).any(|place| self.fates.is_bad(place)) {
            true => Completeness::Partial,
            false => Completeness::Whole,
        };
        let mut execution = told(self.lines, self.blameless);
        execution.pending = pending(self.ledger.memory(), resources);
        if self.task.stop.asked() {
            execution.error = Some(ENDED_EARLY.to_owned());
        }
        execution.orphans = close(self.task, self.ledger, completeness)?;
        Ok(execution)
    }

    /// Looks once more at the paths that were changed, and at others of their last name: what two
    /// resources reach by different folders, or what a command or a package changed after its turn,
    /// is not as wanted, and never would be.
    fn look_back(&mut self) -> Result<(), DiskError> {
        let resources = &self.task.catalog.resources;
        let name = |place: usize| window::path_of(&resources[place].spec)?.file_name();
        let changed = |line: &Option<ResourceReport>| {
            line.as_ref()
                .is_some_and(|told| told.outcome == Outcome::Changed)
        };
        let places = 0..resources.len();
        let names: HashSet<_> = places
            .clone()
            .filter(|&place| changed(&self.lines[place]))
            .filter_map(name)
            .collect();
        let mut undone = Vec::new();
        for place in places.filter(|&place| name(place).is_some_and(|name| names.contains(name))) {
            let resource = &resources[place];
            let told = &self.lines[place];
            let good = told
                .as_ref()
                .is_none_or(|told| told.outcome == Outcome::InSync);
            if self.fates.is_bad(place) || !(good || changed(told)) {
                continue;
            }
            let Seen::Differs(left) = look::at(resource, self.task.host.as_probe()) else {
                continue;
            };
            let left = match self.veiled(&[place], Moment::Before).is_empty() {
                true => left.shown,
                false => veil::over(left.shown),
            };
            let known = self.ledger.memory().entry(&resource.id);
            let made = known.is_some_and(|entry| entry.made);
            let (id, spec) = (resource.id.clone(), None);
            undone.push(Acted { id, spec, made });
            self.fates.spoil(place, Wrong::NotConverged);
            let told = self.line_of(place, Outcome::NotConverged);
            told.outcome = Outcome::NotConverged;
            let why = "and something that came later in this run undid it";
            told.message = Some(format!("{}: {why}", left_over(&left)));
        }
        self.found_good.retain(|&place| !self.fates.is_bad(place));
        match undone.is_empty() {
            true => Ok(()),
            false => self.ledger.conclude(undone, Vec::new()),
        }
    }

    /// Ends the walk where the ledger could not be written.
    fn broken_off(mut self, error: &DiskError) -> Execution {
        let good: HashSet<usize> = self.found_good.iter().copied().collect();
        for place in 0..self.lines.len() {
            let unreached = !good.contains(&place) && self.lines[place].is_none();
            if unreached {
                let skip = Skip {
                    because: "the run broke off before its turn".to_owned(),
                    blameless: false,
                };
                self.skip(place, skip);
            }
        }
        let mut execution = told(self.lines, self.blameless);
        execution.pending = pending(self.ledger.memory(), &self.task.catalog.resources);
        execution.error = Some(format!("the ledger cannot be written: {}", chain(error)));
        execution
    }
}
