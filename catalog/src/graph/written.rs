//! The edges that a repo declares, of resources and of roles as wholes.

use std::collections::{BTreeSet, HashMap};

use super::named::Index;
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::lower::{Absent, Built, Frame, Named, Wanted};

/// Most edges that roles as wholes give: each resource of one waits for each of the other, and
/// what people write stays a hundred times below.
const MAX_ROLE_EDGES: usize = 500_000;

/// Edges by the resource that waits.
pub(super) struct Edges {
    pub(super) requires: Vec<BTreeSet<usize>>,
    pub(super) subscribes: Vec<BTreeSet<usize>>,
    /// Where a written edge stands.
    pub(super) places: HashMap<(usize, usize), Span>,
    /// How many are of roles.
    of_roles: usize,
}

/// What an edge demands.
#[derive(Clone, Copy)]
enum Waits {
    /// The one that names the other waits for it.
    Requires,
    /// The other waits.
    Before,
    /// The other waits, and is refreshed.
    Notify,
    /// The one that names the other waits, and is refreshed.
    Subscribes,
}

impl Edges {
    fn add(&mut self, waits: Waits, (here, there): (usize, usize), span: &Span) {
        let (from, to) = match waits {
            Waits::Requires | Waits::Subscribes => (here, there),
            Waits::Before | Waits::Notify => (there, here),
        };
        match waits {
            Waits::Requires | Waits::Before => self.requires[from].insert(to),
            Waits::Notify | Waits::Subscribes => self.subscribes[from].insert(to),
        };
        let place = self.places.entry((from, to));
        place.or_insert_with(|| span.clone());
    }

    /// By place, what it waits for.
    pub(super) fn graph(&self) -> Vec<Vec<usize>> {
        (0..self.requires.len())
            .map(|place| self.all(place).collect())
            .collect()
    }

    pub(super) fn all(&self, of: usize) -> impl Iterator<Item = usize> + '_ {
        self.requires[of]
            .iter()
            .chain(&self.subscribes[of])
            .copied()
    }
}

/// The edges that the repo declares.
pub(super) fn written(
    (built, frames): (&[Built<'_>], &[Frame]),
    absent: &Absent<'_>,
    wrong: &mut Diagnostics,
) -> Edges {
    let index = Index::of(built, frames);
    let mut edges = Edges {
        requires: vec![BTreeSet::new(); built.len()],
        subscribes: vec![BTreeSet::new(); built.len()],
        places: HashMap::new(),
        of_roles: 0,
    };
    let mut find = |wanted: &Wanted| {
        let found = index.find(&wanted.named);
        if found.is_none() {
            let told = absent.told(wanted, index.ids());
            told.into_iter().for_each(|told| wrong.push(told));
        }
        found.unwrap_or_default()
    };
    let mut limits = Vec::new();
    for (place, one) in built.iter().enumerate() {
        for (waits, wanted) in by_kind(&one.edges) {
            for wanted in wanted {
                let others = find(wanted);
                let whole = matches!(wanted.named, Named::Role(_));
                // A resource may wait for all others of its own role.
                for other in others.into_iter().filter(|&other| !whole || other != place) {
                    edges.add(waits, (place, other), &wanted.span);
                }
            }
        }
    }
    for (number, frame) in frames.iter().enumerate() {
        for (waits, wanted) in by_kind(&frame.edges) {
            for wanted in wanted {
                let others = find(wanted);
                let own = index.in_frames(vec![number]);
                edges.of_roles += own.len() * others.len();
                if edges.of_roles > MAX_ROLE_EDGES {
                    limits.push(&wanted.span);
                    continue;
                }
                whole(&mut edges, waits, (&own, &others), &wanted.span);
            }
        }
    }
    if let Some(span) = limits.first() {
        let message =
            format!("roles that wait for each other give more than {MAX_ROLE_EDGES} edges");
        wrong.push(
            Diagnostic::new(Code::Limit, message, span).help("name one resource of the role"),
        );
    }
    edges
}

/// A role as a whole and others: what is in both does not wait for the rest of it.
fn whole(
    edges: &mut Edges,
    waits: Waits,
    (own, others): (&BTreeSet<usize>, &BTreeSet<usize>),
    span: &Span,
) {
    let both = |place: &usize| own.contains(place) && others.contains(place);
    for &here in own {
        for &there in others {
            let waiting = match waits {
                Waits::Requires | Waits::Subscribes => here,
                Waits::Before | Waits::Notify => there,
            };
            if here != there && !both(&waiting) {
                edges.add(waits, (here, there), span);
            }
        }
    }
}

fn by_kind(edges: &crate::lower::Edges) -> [(Waits, &[Wanted]); 4] {
    [
        (Waits::Requires, &edges.requires),
        (Waits::Before, &edges.before),
        (Waits::Notify, &edges.notify),
        (Waits::Subscribes, &edges.subscribes),
    ]
}
