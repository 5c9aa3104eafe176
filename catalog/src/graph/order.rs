//! Sorting: resources that are declared once each, edges that lead to resources there are, and of
//! all orders that the edges allow the one nearest to what was written.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::{Resource, ResourceId, Spec};

use super::automatic::{self, Automatic};
use crate::compile::Note;
use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean};
use crate::lower::{Built, Wanted};

/// Edges by the resource that waits.
struct Edges {
    requires: Vec<BTreeSet<usize>>,
    subscribes: Vec<BTreeSet<usize>>,
    /// Where a written edge stands.
    places: HashMap<(usize, usize), Span>,
}

impl Edges {
    fn all(&self, of: usize) -> impl Iterator<Item = usize> + '_ {
        self.requires[of]
            .iter()
            .chain(&self.subscribes[of])
            .copied()
    }
}

/// Puts resources into their order; those that `failed` are declared all the same. `None` where that is impossible, which is told.
pub(crate) fn order(
    built: Vec<Built>,
    failed: &[ResourceId],
    wrong: &mut Diagnostics,
) -> Option<(Vec<Resource>, Vec<Note>)> {
    let built = once_each(built, wrong);
    let mut edges = written(&built, failed, wrong);
    if sorted(&edges).is_none() {
        wrong.push(told_cycle(&built, &edges));
        return None;
    }
    let notes = add_automatic(&built, &mut edges);
    let order = sorted(&edges)?;
    let ids: Vec<ResourceId> = built.iter().map(|one| one.id.clone()).collect();
    let mut built: Vec<Option<Built>> = built.into_iter().map(Some).collect();
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

/// Each resource once: what is declared twice alike is one, what is declared twice differently is
/// an error, and so is a path that two resources manage.
fn once_each(built: Vec<Built>, wrong: &mut Diagnostics) -> Vec<Built> {
    let mut places: HashMap<ResourceId, usize> = HashMap::with_capacity(built.len());
    let mut paths: HashMap<HostPath, usize> = HashMap::new();
    let mut kept: Vec<Built> = Vec::with_capacity(built.len());
    for one in built {
        if let Some(&place) = places.get(&one.id) {
            let first = &mut kept[place];
            if first.spec != one.spec {
                let message = format!("{} is declared twice, differently", one.id);
                let told = Diagnostic::new(Code::DuplicateResource, message, &first.span);
                wrong.push(match first.span == one.span {
                    true => told.help("each item of a `for_each` needs a title of its own"),
                    false => told.label("first here").also(&one.span, "and here"),
                });
            }
            first.requires.extend(one.requires);
            first.before.extend(one.before);
            first.notify.extend(one.notify);
            continue;
        }
        if let Some(path) = path_of(&one.spec) {
            if let Some(&place) = paths.get(path) {
                let first: &Built = &kept[place];
                let message = format!("{} and {} manage one path, {path}", first.id, one.id);
                let told = Diagnostic::new(Code::DuplicateResource, message, &first.span);
                wrong.push(told.label("first here").also(&one.span, "and here"));
            }
            paths.entry(path.clone()).or_insert(kept.len());
        }
        places.insert(one.id.clone(), kept.len());
        kept.push(one);
    }
    kept
}

fn path_of(spec: &Spec) -> Option<&HostPath> {
    match spec {
        Spec::File(file) => Some(&file.path),
        Spec::Directory(folder) => Some(&folder.path),
        Spec::Symlink(link) => Some(&link.path),
        _ => None,
    }
}

/// The edges that the repo declares.
fn written(built: &[Built], failed: &[ResourceId], wrong: &mut Diagnostics) -> Edges {
    let places: HashMap<&ResourceId, usize> = built
        .iter()
        .enumerate()
        .map(|(place, one)| (&one.id, place))
        .collect();
    let mut found = |wanted: &Wanted| {
        let place = places.get(&wanted.id).copied();
        if place.is_none() && !failed.contains(&wanted.id) {
            wrong.push(unknown(wanted, &places));
        }
        place
    };
    let mut edges = Edges {
        requires: vec![BTreeSet::new(); built.len()],
        subscribes: vec![BTreeSet::new(); built.len()],
        places: HashMap::new(),
    };
    for (place, one) in built.iter().enumerate() {
        for wanted in &one.requires {
            if let Some(to) = found(wanted) {
                edges.requires[place].insert(to);
                edges
                    .places
                    .entry((place, to))
                    .or_insert_with(|| wanted.span.clone());
            }
        }
        for wanted in &one.before {
            if let Some(from) = found(wanted) {
                edges.requires[from].insert(place);
                edges
                    .places
                    .entry((from, place))
                    .or_insert_with(|| wanted.span.clone());
            }
        }
        for wanted in &one.notify {
            if let Some(from) = found(wanted) {
                edges.subscribes[from].insert(place);
                edges
                    .places
                    .entry((from, place))
                    .or_insert_with(|| wanted.span.clone());
            }
        }
    }
    edges
}

fn unknown(wanted: &Wanted, places: &HashMap<&ResourceId, usize>) -> Diagnostic {
    let mut known: Vec<String> = places.keys().map(ToString::to_string).collect();
    known.sort_unstable();
    let name = wanted.id.to_string();
    let help = did_you_mean(&name, known.iter().map(String::as_str));
    let help = help.unwrap_or_else(|| {
        "no role of the host declares it, or its `when` does not hold here".to_owned()
    });
    let message = format!("{name} is not in the catalog");
    Diagnostic::new(Code::UnknownResource, message, &wanted.span).help(help)
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
fn add_automatic(built: &[Built], edges: &mut Edges) -> Vec<Note> {
    let automatic = automatic::edges(built);
    let before = edges.requires.clone();
    for edge in &automatic {
        edges.requires[edge.from].insert(edge.to);
    }
    if sorted(edges).is_some() {
        return Vec::new();
    }
    edges.requires = before;
    let mut notes = Vec::new();
    for Automatic { from, to, because } in automatic {
        match leads(edges, to, from) {
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

/// Whether one resource waits, by whatever way, for another.
fn leads(edges: &Edges, from: usize, to: usize) -> bool {
    let mut seen = vec![false; edges.requires.len()];
    let mut open = vec![from];
    while let Some(place) = open.pop() {
        if place == to {
            return true;
        }
        if !std::mem::replace(&mut seen[place], true) {
            open.extend(edges.all(place));
        }
    }
    false
}

/// Shows one loop, from the resource in it that is written first.
fn told_cycle(built: &[Built], edges: &Edges) -> Diagnostic {
    let cycle = a_cycle(edges);
    let names: Vec<String> = cycle
        .iter()
        .map(|&place| built[place].id.to_string())
        .collect();
    let first = names.first().cloned().unwrap_or_default();
    let message = format!(
        "resources wait for each other: {} -> {first}",
        names.join(" -> ")
    );
    let mut told: Option<Diagnostic> = None;
    for (step, &from) in cycle.iter().enumerate() {
        let to = cycle[(step + 1) % cycle.len()];
        let span = edges.places.get(&(from, to)).unwrap_or(&built[from].span);
        let label = format!("{} waits for {}", built[from].id, built[to].id);
        told = Some(match told {
            None => Diagnostic::new(Code::DependencyCycle, message.as_str(), span).label(label),
            Some(told) => told.also(span, label),
        });
    }
    told.unwrap_or_else(|| Diagnostic::new(Code::DependencyCycle, message.as_str(), &built[0].span))
}

/// A loop: from any resource that is in none of the orders, following edges until one repeats.
fn a_cycle(edges: &Edges) -> Vec<usize> {
    let count = edges.requires.len();
    let start = (0..count).find(|&place| edges.all(place).any(|to| leads(edges, to, place)));
    let mut walk: Vec<usize> = start.into_iter().collect();
    while let Some(&last) = walk.last() {
        let next = edges
            .all(last)
            .find(|&to| walk.first().is_some_and(|&first| leads(edges, to, first)));
        match next {
            Some(next) => match walk.iter().position(|&place| place == next) {
                Some(from) => return walk.split_off(from),
                None => walk.push(next),
            },
            None => return walk,
        }
    }
    walk
}
