//! Variables that may be defined by each other, found once per site.
//!
//! Values are evaluated when they are asked for, so a circle that no resource of a host asks for
//! would go unnoticed until one does. Those that could be in one, going by the names that they
//! read in any layer, are few or none; they are asked for whatever the resources say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Form, HostState, Term};
use crate::render::{Engine, ProgramId, walkable};

/// The variables that, by way of those they read, may read themselves.
pub(crate) fn suspects<'a>(
    layers: impl IntoIterator<Item = &'a Arc<Term>>,
    engine: &Engine,
) -> Vec<Arc<str>> {
    let mut reads: BTreeMap<Arc<str>, BTreeSet<String>> = BTreeMap::new();
    for (name, field) in layers
        .into_iter()
        .filter_map(|vars| vars.as_map())
        .flatten()
    {
        let mut programs = Vec::new();
        programs_in(&field.term, &mut programs);
        if !programs.is_empty() {
            let names = programs.into_iter().flat_map(|id| engine.reads(id));
            reads.entry(Arc::clone(name)).or_default().extend(names);
        }
    }
    let circular = reads.keys().filter(|name| returns(name, &reads));
    circular.cloned().collect()
}

pub(super) fn programs_in(term: &Term, found: &mut Vec<ProgramId>) {
    match &term.form {
        Form::Scalar(_) => {}
        Form::Program { id, .. } => found.push(*id),
        Form::List(items) => items.iter().for_each(|item| programs_in(item, found)),
        Form::Map(map) => {
            let fields = map.values();
            fields.for_each(|field| programs_in(&field.term, found));
        }
    }
}

/// Whether a way along what is read leads back.
fn returns(name: &str, reads: &BTreeMap<Arc<str>, BTreeSet<String>>) -> bool {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut open = vec![name];
    while let Some(one) = open.pop() {
        for read in reads.get(one).into_iter().flatten() {
            if read == name {
                return true;
            }
            if seen.insert(read) {
                open.push(read);
            }
        }
    }
    false
}

/// Asks for the suspects among a host's variables; circles among them are recorded, and whatever
/// else fails is not, for nobody needs it.
pub(crate) fn ask(state: &Arc<HostState>, suspects: &[Arc<str>]) {
    let known = state.wrong_count();
    for name in suspects {
        if let Some(value) = state.variable(name) {
            // Why it cannot be walked is recorded where it is a circle.
            let _ = walkable(&value);
        }
    }
    state.keep_faults(known);
}
