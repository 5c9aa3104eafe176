//! Sorting: resources that are declared once each, edges that lead to resources there are, and of
//! all orders that the edges allow the one nearest to what was written.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashSet};

use holdfast_schemas::resource::{Resource, ResourceId};

use super::automatic::{self, Automatic};
use super::cycles::{components, shortest};
use super::once::once_each;
use super::written::{Edges, written};
use crate::compile::Note;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::lower::{Absent, Built, Frame};

/// Most cycles told at once, each apart from the others.
const MAX_CYCLES: usize = 20;

/// Puts resources into their order. `None` where that is impossible, which is told.
pub(crate) fn order(
    (built, frames): (Vec<Built<'_>>, &[Frame]),
    absent: &Absent<'_>,
    wrong: &mut Diagnostics,
) -> Option<(Vec<Resource>, Vec<Note>)> {
    let built = once_each(built, wrong);
    let mut edges = written((&built, frames), absent, wrong);
    if sorted(&edges).is_none() {
        let cycles = shortest(&edges.graph());
        let told = cycles.iter().take(MAX_CYCLES);
        let told = told.filter_map(|cycle| told_cycle(cycle, &built, &edges));
        told.for_each(|told| wrong.push(told));
        return None;
    }
    let notes = add_automatic(&built, &mut edges);
    let order = sorted(&edges)?;
    let ids: Vec<ResourceId> = built.iter().map(|one| one.id.clone()).collect();
    let mut built: Vec<Option<Built<'_>>> = built.into_iter().map(Some).collect();
    let resources = order.into_iter().filter_map(|place| {
        let one = built[place].take()?;
        let named = |edges: &BTreeSet<usize>| -> Vec<ResourceId> {
            edges.iter().map(|&to| ids[to].clone()).collect()
        };
        let only = edges.requires[place].difference(&edges.subscribes[place]);
        let only: BTreeSet<usize> = only.copied().collect();
        Some(Resource {
            id: one.id,
            spec: one.spec,
            requires: named(&only),
            subscribes: named(&edges.subscribes[place]),
        })
    });
    Some((resources.collect(), notes))
}

/// The order nearest to the written one: of what waits for nothing, always the first.
fn sorted(edges: &Edges) -> Option<Vec<usize>> {
    let count = edges.requires.len();
    let mut waiting = vec![0_usize; count];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (from, waits) in waiting.iter_mut().enumerate() {
        for to in edges.all(from) {
            *waits += 1;
            followers[to].push(from);
        }
    }
    let ready = (0..count).filter(|&place| waiting[place] == 0).map(Reverse);
    let mut ready: BinaryHeap<Reverse<usize>> = ready.collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(place)) = ready.pop() {
        order.push(place);
        for &follower in &followers[place] {
            waiting[follower] -= 1;
            if waiting[follower] == 0 {
                ready.push(Reverse(follower));
            }
        }
    }
    (order.len() == count).then_some(order)
}

/// Adds the automatic edges, but for those that would close a cycle.
fn add_automatic(built: &[Built<'_>], edges: &mut Edges) -> Vec<Note> {
    let automatic = automatic::edges(built);
    let before = edges.requires.clone();
    for edge in &automatic {
        edges.requires[edge.from].insert(edge.to);
    }
    if sorted(edges).is_some() {
        return Vec::new();
    }
    // An edge between two components is in no cycle, whichever of the others are left out.
    let component = components(&edges.graph());
    edges.requires = before;
    let (within, between): (Vec<Automatic>, Vec<Automatic>) = automatic
        .into_iter()
        .partition(|edge| component[edge.from] == component[edge.to]);
    for edge in between {
        edges.requires[edge.from].insert(edge.to);
    }
    let mut notes = Vec::new();
    for Automatic { from, to, because } in within {
        match leads(edges, (to, from), &component) {
            true => notes.push(Note::DroppedEdge {
                from: built[from].id.clone(),
                to: built[to].id.clone(),
                because,
            }),
            false => {
                edges.requires[from].insert(to);
            }
        }
    }
    notes
}

/// Whether one resource waits for another of its component, by whatever way.
fn leads(edges: &Edges, (from, to): (usize, usize), component: &[usize]) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(place) = open.pop() {
        if place == to {
            return true;
        }
        if component[place] == component[to] && seen.insert(place) {
            open.extend(edges.all(place));
        }
    }
    false
}

/// Shows a loop, from the resource in it that is written first.
fn told_cycle(cycle: &[usize], built: &[Built<'_>], edges: &Edges) -> Option<Diagnostic> {
    let name = |&place: &usize| built[place].id.to_string();
    let mut names: Vec<String> = cycle.iter().map(name).collect();
    names.extend(cycle.first().map(name));
    let message = format!("resources wait for each other: {}", names.join(" -> "));
    let mut told: Option<Diagnostic> = None;
    for (step, &from) in cycle.iter().enumerate() {
        let to = cycle[(step + 1) % cycle.len()];
        let span = edges.places.get(&(from, to)).unwrap_or(built[from].span);
        let label = format!("{} waits for {}", built[from].id, built[to].id);
        told = Some(match told {
            None => Diagnostic::new(Code::DependencyCycle, message.as_str(), span).label(label),
            Some(told) => told.also(span, label),
        });
    }
    told
}
