//! A catalog against what a test says of it.

use std::borrow::Cow;

use holdfast_schemas::catalog::Catalog;
use holdfast_schemas::resource::{Content, Resource, ResourceId, Spec};
use holdfast_schemas::secret::Commitment;
use serde_json::Value as Json;

use super::matching::TextFound;
use super::place::{Only, Wanted, find, takes_away};
use super::resource::{Expected, Relation, fields_of};
use crate::compile::Compiled;
use crate::diag::{Code, Diagnostic, Span, did_you_mean, listed};
use crate::sealed::{Piece, SealedContent};

fn unmet(message: String, span: &Span) -> Diagnostic {
    Diagnostic::new(Code::UnmetExpectation, message, span)
}

/// What of it does not hold.
pub(super) fn catalog(
    (expect, absent, only): (&[Expected], &[Wanted], &[Only]),
    compiled: &Compiled,
) -> Vec<Diagnostic> {
    let catalog = &compiled.catalog;
    let mut told = Vec::new();
    let mut expected = Vec::new();
    for wanted in expect {
        match find(catalog, wanted.kind, &wanted.title) {
            None => told.push(missing(&wanted.id(), &wanted.span, catalog)),
            Some(place) => {
                expected.push(place);
                told.extend(of_resource(wanted, place, compiled));
            }
        }
    }
    told.extend(absent.iter().flat_map(|wanted| present(wanted, catalog)));
    told.extend(
        only.iter()
            .filter_map(|only| others(only, &expected, catalog)),
    );
    told
}

/// A resource that is not there, with the nearest that is.
fn missing(id: &str, span: &Span, catalog: &Catalog) -> Diagnostic {
    let kind = id.split('[').next().unwrap_or_default();
    let of_kind = |resource: &&Resource| resource.id.kind().as_str() == kind;
    let known: Vec<String> = catalog
        .resources
        .iter()
        .filter(of_kind)
        .map(|resource| resource.id.to_string())
        .collect();
    let known = || known.iter().map(String::as_str);
    let help = did_you_mean(id, known()).unwrap_or_else(|| match known().next() {
        None => format!("the catalog holds no {kind}"),
        Some(_) => format!("there is {}", listed(known())),
    });
    unmet(format!("{id} is not in the catalog"), span).help(help)
}

fn present(wanted: &Wanted, catalog: &Catalog) -> Option<Diagnostic> {
    let there = catalog.resources.iter();
    let there = there.filter(|resource| wanted.means(resource) && !takes_away(&resource.spec));
    let there: Vec<String> = there.map(|resource| resource.id.to_string()).collect();
    let first = there.first()?;
    let message = match there.len() {
        1 => format!("{first} is in the catalog, and is not to be"),
        _ => format!(
            "{} are in the catalog, and are not to be",
            listed(there.iter().map(String::as_str))
        ),
    };
    Some(unmet(message, &wanted.span))
}

fn others(only: &Only, expected: &[usize], catalog: &Catalog) -> Option<Diagnostic> {
    let there = catalog.resources.iter().enumerate();
    let there = there.filter(|(place, resource)| {
        only.means(resource) && !takes_away(&resource.spec) && !expected.contains(place)
    });
    let there: Vec<String> = there.map(|(_, resource)| resource.id.to_string()).collect();
    let message = match there.len() {
        0 => return None,
        1 => format!("{} is in the catalog, and nothing expects it", there[0]),
        _ => format!(
            "{} are in the catalog, and nothing expects them",
            listed(there.iter().map(String::as_str))
        ),
    };
    Some(unmet(message, &only.span))
}

fn of_resource(wanted: &Expected, place: usize, compiled: &Compiled) -> Vec<Diagnostic> {
    let resource = &compiled.catalog.resources[place];
    let fields = fields_of(&resource.spec);
    if takes_away(&resource.spec) && !wanted.says_whether() {
        let message = format!("{} is in the catalog to be taken away", wanted.id());
        let told = unmet(message, &wanted.span);
        return vec![told.help("say so where that is expected: `ensure` or `state: absent`")];
    }
    let mut told = Vec::new();
    for (name, span, expected) in &wanted.attributes {
        let found = fields.get(&**name);
        if found != expected.as_ref() {
            let (id, found, expected) = (wanted.id(), shown(found), shown(expected.as_ref()));
            let message = format!("`{name}` of {id} is {found}, expected {expected}");
            told.push(unmet(message, span));
        }
    }
    for (name, text) in &wanted.texts {
        let found = found_text(name, wanted, resource, compiled);
        let value = fields.get(&**name).map(|value| match value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        });
        let found = match &**name {
            "content" => found,
            _ => TextFound {
                text: value.as_deref().map(Cow::Borrowed),
                ..found
            },
        };
        told.extend(text.check(&found));
    }
    let related = wanted.relations.iter();
    told.extend(related.filter_map(|relation| unrelated(relation, place, &compiled.catalog)));
    told
}

/// A value as a test would state it; what a catalog leaves out is not managed, or the default.
fn shown(value: Option<&Json>) -> String {
    value.map_or_else(|| "not given".to_owned(), Json::to_string)
}

fn found_text<'a>(
    name: &str,
    wanted: &Expected,
    resource: &'a Resource,
    compiled: &'a Compiled,
) -> TextFound<'a> {
    let mut found = TextFound {
        what: format!("`{name}` of {}", wanted.id()),
        text: None,
        digest: None,
        secrets: Vec::new(),
    };
    let Spec::File(file) = &resource.spec else {
        return found;
    };
    match &file.content {
        None => found.text = Some(Cow::Borrowed("")),
        Some(Content::Text(text)) => found.text = Some(Cow::Borrowed(text)),
        Some(Content::Blob { digest, .. }) => {
            let bytes = compiled.blobs.get(digest);
            let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
            found.text = text.map(Cow::Borrowed);
        }
        Some(Content::Sealed {
            secrets,
            commitment,
        }) => {
            let (Commitment::Draft(draft) | Commitment::Sealed(draft)) = commitment;
            let content = compiled.sealed.get(draft);
            found.text = content.map(|content| Cow::Owned(readable(content)));
            found.secrets = secrets
                .iter()
                .map(|name| name.as_str().to_owned())
                .collect();
        }
    }
    let plain = file.content.as_ref().and_then(Content::plain);
    found.digest = plain.map(|(digest, _)| digest.to_string());
    found
}

/// A content with secrets as it is shown: `secret:NAME` where one goes.
fn readable(content: &SealedContent) -> String {
    let pieces = content.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => Cow::Borrowed(&**text),
        Piece::Secret { name, .. } | Piece::Sensitive { name, .. } => Cow::Owned(name.to_string()),
    });
    pieces.collect()
}

/// A relation to another resource that does not hold.
fn unrelated(
    (relation, other, span): &(Relation, ResourceId, Span),
    place: usize,
    catalog: &Catalog,
) -> Option<Diagnostic> {
    let resource = &catalog.resources[place];
    let Some(at) = find(catalog, other.kind(), other.title()) else {
        return Some(missing(&other.to_string(), span, catalog));
    };
    let other = &catalog.resources[at];
    let (holds, words) = match relation {
        Relation::Before => (place < at, "is not applied before"),
        Relation::After => (place > at, "is not applied after"),
        Relation::Notify => (other.subscribes.contains(&resource.id), "does not notify"),
        Relation::Requires => (resource.requires.contains(&other.id), "does not require"),
        Relation::Subscribes => {
            let subscribed = resource.subscribes.contains(&other.id);
            (subscribed, "is not refreshed by")
        }
    };
    (!holds).then(|| unmet(format!("{} {words} {}", resource.id, other.id), span))
}
