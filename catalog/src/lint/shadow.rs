//! Values of the globals and of groups that no host gets, because each host that has the layer
//! gets another from a higher one.
//!
//! A default of a role may be overridden everywhere, that is what it is for; a host's own value
//! has nothing above it. A value that equals what wins is not lost.

use std::sync::Arc;

use indexmap::IndexMap;

use super::reads::Reads;
use super::seen::{Instead, Seen, TermId};
use crate::compile::HostInput;
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::groups::{Standing, standing};
use crate::lower::prepare;
use crate::site::{Parts, Site};
use crate::vars::{Form, HostState, LayerSource, Merged, Term, TermField};

/// Sees which values a host gets, and which it gets instead of others.
pub(super) fn look(site: &Site, host: &HostInput, seen: &mut Seen) {
    let parts = &site.parts;
    let standing = standing(parts, host);
    let joined = standing.iter().enumerate();
    let joined = joined.filter(|(_, standing)| **standing != Standing::Out);
    let joined: Vec<usize> = joined.map(|(group, _)| group).collect();
    seen.joined.extend(&joined);
    match prepare(site, host, &mut Diagnostics::new()) {
        Some(prepared) => look_at(&prepared.state, seen),
        None => {
            seen.open.insert(None);
            seen.open.extend(joined.into_iter().map(Some));
        }
    }
}

fn look_at(state: &HostState, seen: &mut Seen) {
    let can_lose =
        |source: &LayerSource| matches!(source, LayerSource::Global | LayerSource::Group { .. });
    for layer in state.layers.iter().filter(|one| can_lose(&one.source)) {
        for (name, field) in layer.vars.as_map().into_iter().flatten() {
            let merged = state.tree.get(name).map(|merged| &**merged);
            compare(field, merged, (state, &mut *seen));
        }
    }
}

/// Compares what a layer says with what the host gets.
fn compare(field: &TermField, merged: Option<&Merged>, (state, seen): (&HostState, &mut Seen)) {
    let term = &field.term;
    let id = TermId::of(term);
    if seen.used.contains(&id) {
        return;
    }
    let gets = match (merged, &term.form) {
        (Some(Merged::Map(tree)), Form::Map(map)) => {
            return compare_parts(map, tree, (state, seen));
        }
        (None, _) => false,
        (Some(Merged::Conflict(..)), _) => true,
        (Some(Merged::Leaf(leaf)), _) => Arc::ptr_eq(&leaf.term, term) || leaf.term.same(term),
        (Some(Merged::List(items)), Form::List(written)) => {
            let is_in = |one: &Arc<Term>| items.iter().any(|item| item.term.same(one));
            written.is_empty() || written.iter().any(is_in)
        }
        (Some(Merged::List(_) | Merged::Map(_)), _) => false,
    };
    match gets {
        true => {
            seen.used.insert(id);
        }
        false => {
            let winner = merged.and_then(|merged| winner(merged, state));
            let host = state.name.clone();
            seen.gets_instead(id, Instead { host, winner });
        }
    }
}

fn compare_parts(
    map: &IndexMap<Arc<str>, TermField>,
    tree: &IndexMap<Arc<str>, Arc<Merged>>,
    (state, seen): (&HostState, &mut Seen),
) {
    for (name, field) in map {
        let merged = tree.get(name).map(|merged| &**merged);
        compare(field, merged, (state, &mut *seen));
    }
}

/// Where the value of the highest layer in it stands, and which layer that is.
fn winner(merged: &Merged, state: &HostState) -> Option<(Span, String)> {
    let leaf = match merged {
        Merged::Leaf(leaf) | Merged::Conflict(_, leaf) => leaf,
        Merged::List(items) => items.iter().max_by_key(|leaf| leaf.layer)?,
        Merged::Map(tree) => return tree.values().find_map(|inner| winner(inner, state)),
    };
    let source = match &state.layers[leaf.layer].source {
        LayerSource::Host => "its own file".to_owned(),
        source => source.to_string(),
    };
    Some((leaf.term.span.clone(), source))
}

/// Tells of values that no host gets.
pub(super) fn shadowed(parts: &Parts, reads: &Reads, seen: &Seen, told: &mut Diagnostics) {
    let groups = parts.groups.iter().enumerate();
    let groups = groups.map(|(place, group)| (Some(place), &group.file.vars));
    for (layer, vars) in [(None, &parts.globals.vars)].into_iter().chain(groups) {
        if seen.open.contains(&layer) {
            continue;
        }
        for (name, field) in vars.as_map().into_iter().flatten() {
            let mut path = vec![Arc::clone(name)];
            let lost = lost_in(field, &mut path, seen);
            let kept = |one: &Lost<'_>| layer.is_none() && reads.as_global(&one.path);
            // Of one that nothing reads, that is told.
            let told_already = |one: &Lost<'_>| !reads.variable(parts, &one.path);
            let lost = lost.iter().filter(|one| !kept(one) && !told_already(one));
            let help = match layer {
                None => "take it out of the globals, for every host has one of a higher layer",
                Some(_) => "take it out, or give the group a higher `priority` or another `tier`",
            };
            lost.for_each(|one| told.push(one.told().help(help)));
        }
    }
}

/// A value that no host gets.
struct Lost<'s> {
    path: Vec<Arc<str>>,
    span: &'s Span,
    instead: &'s Instead,
}

/// The values in one that no host gets; one where that is all of it.
fn lost_in<'s>(field: &'s TermField, path: &mut Vec<Arc<str>>, seen: &'s Seen) -> Vec<Lost<'s>> {
    let id = TermId::of(&field.term);
    if seen.used.contains(&id) {
        return Vec::new();
    }
    let parts = field.term.as_map();
    let mut lost = Vec::new();
    let mut whole = 0;
    for (name, inner) in parts.into_iter().flatten() {
        path.push(Arc::clone(name));
        let of_inner = lost_in(inner, path, seen);
        whole += usize::from(of_inner.iter().any(|one| one.path == *path));
        lost.extend(of_inner);
        path.pop();
    }
    let of_parts = lost
        .first()
        .filter(|_| whole == parts.map_or(0, IndexMap::len));
    let instead = seen.instead.get(&id).filter(|_| lost.is_empty());
    let instead = instead.or(of_parts.map(|one| one.instead));
    match instead {
        Some(instead) if !is_used_in_part(&field.term, seen) => vec![Lost {
            path: path.clone(),
            span: &field.key,
            instead,
        }],
        _ => lost,
    }
}

/// Whether some host gets a part of a value.
fn is_used_in_part(term: &Arc<Term>, seen: &Seen) -> bool {
    let map = term.as_map().into_iter().flatten();
    let mut parts = map.map(|(_, field)| &field.term);
    parts.any(|part| seen.used.contains(&TermId::of(part)) || is_used_in_part(part, seen))
}

impl Lost<'_> {
    fn told(&self) -> Diagnostic {
        let message = format!("no host gets this value of `{}`", self.path.join("."));
        let told = Diagnostic::new(Code::ShadowedValue, message, self.span);
        let host = &self.instead.host;
        match &self.instead.winner {
            Some((span, source)) => told.also(span, format!("{host} gets this, of {source}")),
            None => told.label(format!("taken away from {host} by a higher layer")),
        }
    }
}
