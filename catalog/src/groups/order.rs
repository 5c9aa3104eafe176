//! The order in which groups are decided, and the circle where there is none.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean, listed};
use crate::render::{Asked, Engine, asked};
use crate::site::Group;

/// In which order groups are decided. Groups go by their place in the site's list.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// Each after those that it asks for.
    pub(crate) sequence: Vec<usize>,
    /// The groups that the `match` of each asks for.
    pub(crate) asked: Vec<BTreeSet<usize>>,
    /// The groups whose members each has.
    pub(crate) nested: Vec<Vec<(usize, Span)>>,
    /// Whether who is in it can depend on what hosts report of themselves.
    pub(crate) by_facts: Vec<bool>,
}

/// That a group has to be decided after another.
struct Edge {
    to: usize,
    span: Span,
    words: String,
}

/// Finds the order; unknown groups and circles are told.
pub(crate) fn order(groups: &[Group], engine: &Engine, wrong: &mut Diagnostics) -> Order {
    let mut finding = Finding {
        by_name: groups
            .iter()
            .enumerate()
            .map(|(place, group)| (&*group.name, place))
            .collect(),
        groups,
        engine,
        wrong,
    };
    let mut order = Order::default();
    let mut edges = Vec::with_capacity(groups.len());
    for group in groups {
        let nested = finding.nested(group);
        let (asked, facts) = finding.matched(group);
        order.asked.push(asked.iter().map(|edge| edge.to).collect());
        let pairs = nested.iter().map(|edge| (edge.to, edge.span.clone()));
        order.nested.push(pairs.collect());
        order.by_facts.push(facts);
        edges.push(nested.into_iter().chain(asked).collect::<Vec<Edge>>());
    }
    order.sequence = sequence(&edges);
    for &place in &order.sequence {
        let facts = edges[place].iter().any(|edge| order.by_facts[edge.to]);
        order.by_facts[place] |= facts;
    }
    if order.sequence.len() < groups.len() {
        let circle = shortest_circle(&edges);
        wrong.push(told(groups, &edges, &circle));
    }
    order
}

struct Finding<'a> {
    groups: &'a [Group],
    by_name: BTreeMap<&'a str, usize>,
    engine: &'a Engine,
    wrong: &'a mut Diagnostics,
}

impl Finding<'_> {
    fn named(&mut self, name: &str, span: &Span) -> Option<usize> {
        let place = self.by_name.get(name).copied();
        if place.is_none() {
            let known = || self.by_name.keys().copied();
            let help = did_you_mean(name, known());
            let help = help.unwrap_or_else(|| format!("the groups are {}", listed(known())));
            let message = format!("there is no group `{name}`");
            self.wrong
                .push(Diagnostic::new(Code::UnknownName, message, span).help(help));
        }
        place
    }

    fn nested(&mut self, group: &Group) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (name, span) in &group.nested {
            edges.extend(self.named(name, span).map(|to| Edge {
                to,
                span: span.clone(),
                words: format!("`{}` has the members of `{name}`", group.name),
            }));
        }
        edges
    }

    /// What its `match` waits for, and whether that reads facts.
    fn matched(&mut self, group: &Group) -> (Vec<Edge>, bool) {
        let Some(id) = group.matching else {
            return (Vec::new(), false);
        };
        let found: Asked = asked(self.engine.text(id));
        let place = |range: &std::ops::Range<usize>| self.engine.place(id, range.clone());
        let mut edges = Vec::new();
        if let Some(range) = &found.any_group {
            let message = "a `match` asks for other groups by name";
            let told = Diagnostic::new(Code::InvalidValue, message, &place(range));
            let help = "write `\"NAME\" in host.groups`, one for each group: groups are decided one after the other";
            self.wrong.push(told.help(help));
        }
        for (name, range) in &found.groups {
            let span = self.engine.place(id, range.clone());
            edges.extend(self.named(name, &span).map(|to| Edge {
                to,
                span,
                words: format!("`{}` asks for the group `{name}`", group.name),
            }));
        }
        let by_tag = found.tags.iter();
        let by_tag = by_tag.map(|(tag, range)| (Some(tag.as_str()), range));
        let any_tag = found.any_tag.iter().map(|range| (None, range));
        for (tag, range) in by_tag.chain(any_tag) {
            for (to, other) in self.groups.iter().enumerate() {
                let gives = match tag {
                    Some(tag) => other.tags.iter().any(|one| &**one == tag),
                    None => !other.tags.is_empty(),
                };
                let tag = tag.map_or("tags".to_owned(), |tag| format!("the tag `{tag}`"));
                edges.extend(gives.then(|| Edge {
                    to,
                    span: self.engine.place(id, range.clone()),
                    words: format!(
                        "`{}` asks for {tag}, which `{}` gives",
                        group.name, other.name
                    ),
                }));
            }
        }
        (edges, found.facts)
    }
}

/// Each after those that it waits for; what waits in a circle is left out.
fn sequence(edges: &[Vec<Edge>]) -> Vec<usize> {
    let mut open: Vec<usize> = Vec::new();
    let mut waiting: Vec<BTreeSet<usize>> = Vec::new();
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (place, edges) in edges.iter().enumerate() {
        let needs: BTreeSet<usize> = edges.iter().map(|edge| edge.to).collect();
        needs.iter().for_each(|need| behind[*need].push(place));
        if needs.is_empty() {
            open.push(place);
        }
        waiting.push(needs);
    }
    let mut sequence = Vec::new();
    while let Some(place) = open.pop() {
        sequence.push(place);
        for &next in &behind[place] {
            waiting[next].remove(&place);
            if waiting[next].is_empty() {
                open.push(next);
            }
        }
    }
    sequence
}

/// The shortest way from a group back to itself, as the edges to take; of several the first.
fn shortest_circle(edges: &[Vec<Edge>]) -> Vec<(usize, usize)> {
    let circles = (0..edges.len()).filter_map(|from| way_back(edges, from));
    circles.min_by_key(Vec::len).unwrap_or_default()
}

fn way_back(edges: &[Vec<Edge>], from: usize) -> Option<Vec<(usize, usize)>> {
    let mut came: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(place) = open.pop_front() {
        for (number, edge) in edges[place].iter().enumerate() {
            if edge.to == from {
                let mut way = vec![(place, number)];
                let mut at = place;
                while at != from {
                    let step = *came.get(&at)?;
                    way.push(step);
                    at = step.0;
                }
                way.reverse();
                return Some(way);
            }
            if let std::collections::btree_map::Entry::Vacant(entry) = came.entry(edge.to) {
                entry.insert((place, number));
                open.push_back(edge.to);
            }
        }
    }
    None
}

fn told(groups: &[Group], edges: &[Vec<Edge>], circle: &[(usize, usize)]) -> Diagnostic {
    let names: Vec<&Arc<str>> = circle.iter().map(|step| &groups[step.0].name).collect();
    let message = match names.as_slice() {
        [one] => format!("group `{one}` is defined by itself"),
        _ => {
            let names = names.iter().map(|name| format!("`{name}`"));
            format!(
                "the groups {} are defined by each other",
                names.collect::<Vec<_>>().join(", ")
            )
        }
    };
    let mut steps = circle.iter().map(|(place, number)| &edges[*place][*number]);
    let nowhere = Span::whole(&crate::diag::Source::new("groups", ""));
    let first = steps.next();
    let span = first.map_or(&nowhere, |edge| &edge.span);
    let mut told = Diagnostic::new(Code::GroupCycle, message, span);
    if let Some(edge) = first {
        told = told.label(&edge.words);
    }
    for edge in steps {
        told = told.also(&edge.span, &edge.words);
    }
    told.help("let one of them name its hosts by `hosts`, or match on an attribute of theirs")
}
