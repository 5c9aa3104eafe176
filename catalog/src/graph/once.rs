//! Each resource once, and each thing on the host under one resource.
//!
//! What several roles declare alike is one resource, with the edges of all; where they differ, the
//! attribute is told. Two resources that manage one path, package, unit, user or group would undo
//! each other's work.

use std::collections::HashMap;

use holdfast_schemas::resource::{ResourceId, Spec};
use serde_json::Value as Json;

use crate::diag::{Code, Diagnostic, Diagnostics, Span, listed};
use crate::lower::Built;
use crate::site::Declared;

/// Longest value that is shown in a message; the places show the rest.
const SHOWN: usize = 60;

/// Each resource once.
pub(super) fn once_each<'s>(built: Vec<Built<'s>>, wrong: &mut Diagnostics) -> Vec<Built<'s>> {
    let mut places: HashMap<ResourceId, usize> = HashMap::with_capacity(built.len());
    let mut kept: Vec<Built<'s>> = Vec::with_capacity(built.len());
    for one in built {
        let Some(&place) = places.get(&one.id) else {
            places.insert(one.id.clone(), kept.len());
            kept.push(one);
            continue;
        };
        let first = &mut kept[place];
        if first.spec != one.spec {
            wrong.push(differing(first, &one));
        }
        first.edges.extend(one.edges);
        first.frames.extend(one.frames);
    }
    one_owner(&kept, wrong);
    kept
}

/// Two declarations of one resource that do not say the same.
fn differing(first: &Built<'_>, second: &Built<'_>) -> Diagnostic {
    let id = &first.id;
    let differences = differences(&first.spec, &second.spec);
    let Some(((name, one, other), more)) = differences.split_first() else {
        let message = format!("{id} is declared twice, differently");
        return Diagnostic::new(Code::DuplicateResource, message, first.span)
            .also(second.span, "and here");
    };
    let names = listed(differences.iter().map(|(name, ..)| name.as_str()));
    let message = format!("{id} is declared twice, with another {names}");
    if std::ptr::eq(first.declared, second.declared) {
        return Diagnostic::new(Code::DuplicateResource, message, first.span)
            .help("each item of a `for_each` needs a title of its own");
    }
    let place = |built: &Built<'_>, name: &str| {
        attribute(built.declared, name)
            .unwrap_or(built.span)
            .clone()
    };
    let mut told = Diagnostic::new(Code::DuplicateResource, message, &place(first, name))
        .label(said(name, one))
        .also(&place(second, name), said(name, other));
    for (name, one, other) in more {
        told = told
            .also(&place(first, name), said(name, one))
            .also(&place(second, name), said(name, other));
    }
    told.help("what several roles declare alike is one resource; these differ")
}

/// The attributes in which two specifications differ, and what each says.
fn differences(first: &Spec, second: &Spec) -> Vec<(String, Json, Json)> {
    let (Ok(Json::Object(first)), Ok(Json::Object(second))) =
        (serde_json::to_value(first), serde_json::to_value(second))
    else {
        return Vec::new();
    };
    let more = second.keys().filter(|name| !first.contains_key(*name));
    let names = first.keys().chain(more);
    let of = |map: &serde_json::Map<String, Json>, name: &str| {
        map.get(name).cloned().unwrap_or(Json::Null)
    };
    let pairs = names.map(|name| (name.clone(), of(&first, name), of(&second, name)));
    pairs.filter(|(_, one, other)| one != other).collect()
}

/// Where an attribute of the catalog comes from.
fn attribute<'d>(declared: &'d Declared, name: &str) -> Option<&'d Span> {
    let sources: &[&str] = match name {
        "content" => &["content", "template", "source"],
        _ => &[name],
    };
    let given = sources
        .iter()
        .find_map(|name| declared.attributes.get(*name));
    given.map(|field| &field.term.span)
}

fn said(name: &str, value: &Json) -> String {
    match value {
        // What a file holds is seen at its place, and may be nobody's business.
        _ if name == "content" || name == "env" => "this here".to_owned(),
        Json::Null => format!("without `{name}` here"),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            let text = value.to_string();
            match text.len() <= SHOWN {
                true => format!("{text} here"),
                false => "this here".to_owned(),
            }
        }
        Json::Array(_) | Json::Object(_) => "this here".to_owned(),
    }
}

/// Tells of things that two resources manage.
fn one_owner(kept: &[Built<'_>], wrong: &mut Diagnostics) {
    let mut owners: HashMap<(&str, &str), usize> = HashMap::with_capacity(kept.len());
    for (place, one) in kept.iter().enumerate() {
        let Some((what, name)) = managed(&one.spec) else {
            continue;
        };
        let owner = *owners.entry((what, name)).or_insert(place);
        if owner == place {
            continue;
        }
        let first = &kept[owner];
        let message = format!("{} and {} manage one {what}, {name}", first.id, one.id);
        let told = Diagnostic::new(Code::DuplicateResource, message, first.span);
        wrong.push(told.label("first here").also(one.span, "and here"));
    }
}

/// What on the host a resource manages: its kind and its name.
fn managed(spec: &Spec) -> Option<(&'static str, &str)> {
    Some(match spec {
        Spec::File(file) => ("path", file.path.as_str()),
        Spec::Directory(folder) => ("path", folder.path.as_str()),
        Spec::Symlink(link) => ("path", link.path.as_str()),
        Spec::Package(package) => ("package", &package.name),
        Spec::Service(service) => {
            let name = &service.name;
            ("unit", name.strip_suffix(".service").unwrap_or(name))
        }
        Spec::User(user) => ("user", &user.name),
        Spec::Group(group) => ("group", &group.name),
        Spec::Exec(_) => return None,
    })
}
