//! What is wanted of a resource, attribute by attribute, as the catalog writes it.
//!
//! Attributes are taken from the specification's own form on the wire, so that a type of resource
//! that is added is compared without a word here. Content alone is looked into.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_schemas::Digest;
use holdfast_schemas::resource::{Content, Spec};
use serde_json::{Map, Value, json};

use super::change::AttributeChange;
use super::text::{MAX_COMPARED, TextDiff, Unread};
use crate::compile::Compiled;

/// The attribute of a file that is compared by its lines.
const CONTENT: &str = "content";

/// A specification and the catalog that it stands in, which may hold its content.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) spec: &'a Spec,
    pub(super) compiled: &'a Compiled,
}

/// The attributes in which two specifications differ; nothing on one side has no attributes.
pub(super) fn compare(
    before: Option<Wanted<'_>>,
    after: Option<Wanted<'_>>,
) -> Vec<AttributeChange> {
    let (old, new) = (attributes(before), attributes(after));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differing = names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name));
    let mut changes: Vec<AttributeChange> = differing
        .map(|name| AttributeChange {
            name: name.clone(),
            before: old.get(name).cloned(),
            after: new.get(name).cloned(),
            text: None,
        })
        .collect();
    // What it holds last: it is the longest by far.
    changes.extend(content(before, after));
    changes
}

/// The attributes by name; the entries of a mapping each by its own.
fn attributes(wanted: Option<Wanted<'_>>) -> BTreeMap<String, Value> {
    let fields = wanted.map(|wanted| serde_json::to_value(wanted.spec));
    let Some(Ok(Value::Object(fields))) = fields else {
        return BTreeMap::new();
    };
    let mut attributes = BTreeMap::new();
    for (name, value) in fields.into_iter().filter(|(name, _)| name != CONTENT) {
        match value {
            Value::Object(entries) => flatten(&name, entries, &mut attributes),
            value => {
                attributes.insert(name, value);
            }
        }
    }
    attributes
}

fn flatten(prefix: &str, entries: Map<String, Value>, attributes: &mut BTreeMap<String, Value>) {
    for (name, value) in entries {
        attributes.insert(format!("{prefix}.{name}"), value);
    }
}

fn content(before: Option<Wanted<'_>>, after: Option<Wanted<'_>>) -> Option<AttributeChange> {
    let [old, new] = [before, after].map(|wanted| held(wanted?));
    let [shown_old, shown_new] = [&old, &new].map(|held| held.as_ref().map(|held| &held.shown));
    if shown_old == shown_new {
        return None;
    }
    let change = |text| AttributeChange {
        name: CONTENT.to_owned(),
        before: shown_old.cloned(),
        after: shown_new.cloned(),
        text: Some(text),
    };
    // What a secret touched is sealed whole: not even the lines around it are shown.
    let sealed = [before, after].into_iter().flatten().any(is_sealed);
    if sealed {
        return Some(change(TextDiff::Sealed));
    }
    let long = [&old, &new]
        .into_iter()
        .flatten()
        .any(|held| held.size > MAX_COMPARED);
    if long {
        return Some(change(TextDiff::TooLong));
    }
    let bytes = |held: &Option<Held>| match held {
        None => Some(Arc::from([])),
        Some(held) => held.bytes.clone(),
    };
    Some(change(match (bytes(&old), bytes(&new)) {
        (Some(old), Some(new)) => TextDiff::of(&old, &new),
        (before, after) => TextDiff::Unread(Unread { before, after }),
    }))
}

fn is_sealed(wanted: Wanted<'_>) -> bool {
    let Spec::File(file) = wanted.spec else {
        return false;
    };
    matches!(file.content, Some(Content::Sealed { .. }))
}

/// What a file holds on one side.
struct Held {
    shown: Value,
    size: u64,
    /// Absent where it is a content file of the repo, which the compiler never reads.
    bytes: Option<Arc<[u8]>>,
}

fn held(wanted: Wanted<'_>) -> Option<Held> {
    let Spec::File(file) = wanted.spec else {
        return None;
    };
    let content = file.content.as_ref()?;
    let shown = |digest: Digest, size: u64| json!({ "digest": digest, "size": size });
    Some(match content {
        Content::Text(text) => Held {
            shown: shown(Digest::of(text), text.len() as u64),
            size: text.len() as u64,
            bytes: Some(Arc::from(text.as_bytes())),
        },
        Content::Blob { digest, size } => Held {
            shown: shown(*digest, *size),
            size: *size,
            bytes: wanted.compiled.blobs.get(digest).cloned(),
        },
        Content::Sealed {
            secrets,
            commitment,
        } => Held {
            shown: json!({ "secrets": secrets, "commitment": commitment }),
            size: 0,
            bytes: None,
        },
    })
}
