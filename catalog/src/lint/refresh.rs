//! Edges to resources that no role declares, and execs that wait to be notified and never are.
//!
//! An edge of a resource in a host's catalog is an error where it leads nowhere; here it is found
//! in roles that no host has, and behind conditions that hold for none.

use std::sync::Arc;

use holdfast_schemas::catalog::Catalog;
use holdfast_schemas::resource::{ResourceId, Spec};

use super::seen::Seen;
use super::titles::{Titles, texts};
use crate::diag::{Code, Diagnostic, Diagnostics, did_you_mean};
use crate::vars::Term;

/// Sees which execs are notified.
pub(super) fn look(catalog: &Catalog, seen: &mut Seen) {
    for resource in &catalog.resources {
        if let Spec::Exec(exec) = &resource.spec
            && exec.refresh_only
        {
            let notified = seen.waiting.entry(resource.id.clone()).or_default();
            *notified |= !resource.subscribes.is_empty();
        }
    }
}

/// Tells of execs that are notified in no host that has them.
pub(super) fn never(seen: &Seen, titles: &Titles<'_>, told: &mut Diagnostics) {
    let never = seen.waiting.iter().filter(|(_, notified)| !**notified);
    for (id, _) in never {
        // One whose title is worked out has no place of its own.
        for place in titles.places(id) {
            let message = format!("{id} is `refresh_only`, and nothing notifies it: it never runs");
            let one = Diagnostic::new(Code::NeverRefreshed, message, place.span);
            told.push(one.help(format!(
                "write `notify: {id}` at what it is to follow, or `subscribes` here, or give it a guard instead"
            )));
        }
    }
}

/// Tells of edges to what no role declares.
pub(super) fn orphans(titles: &Titles<'_>, told: &mut Diagnostics) {
    for place in titles.all().flat_map(|(_, places)| places) {
        let declared = place.declared;
        let edges = [
            ("notify", &declared.notify),
            ("subscribes", &declared.subscribes),
            ("requires", &declared.requires),
            ("before", &declared.before),
        ];
        for (edge, term) in edges {
            if let Some(term) = term {
                orphan(edge, term, (titles, &mut *told));
            }
        }
    }
}

fn orphan(edge: &str, term: &Arc<Term>, (titles, told): (&Titles<'_>, &mut Diagnostics)) {
    let mut named = Vec::new();
    texts(term, &mut named);
    for (text, span) in named {
        let id: Result<ResourceId, _> = text.parse();
        let Some(id) = id.ok().filter(|id| !titles.may_declare(id)) else {
            continue;
        };
        let known: Vec<String> = titles.all().map(|(id, _)| id.to_string()).collect();
        let near = did_you_mean(text, known.iter().map(String::as_str));
        let message = format!("`{edge}` names {id}, and no role declares it");
        let one = Diagnostic::new(Code::OrphanNotify, message, span);
        told.push(
            one.help(near.unwrap_or_else(|| format!("declare it, or take the `{edge}` out"))),
        );
    }
}
