//! Paths that two roles manage which a host could have both.
//!
//! In one catalog that is an error; here it is found before a host has both roles. What roles
//! declare alike is one resource, and where a condition or a loop decides, it may well decide that
//! only one is there.

use std::collections::BTreeMap;

use holdfast_schemas::resource::Kind;

use super::meet::could_meet;
use super::titles::{Place, Titles, When};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::site::{Declared, Parts};
use crate::vars::{Form, Term};

/// Attributes that name a file of the role itself, so that two roles never mean the same by them.
const OF_ROLE: [&str; 2] = ["source", "template"];

/// Tells of paths that two roles manage.
pub(super) fn contested(parts: &Parts, titles: &Titles<'_>, told: &mut Diagnostics) {
    let mut by_path: BTreeMap<&str, Vec<&Place<'_>>> = BTreeMap::new();
    for (id, places) in titles.all() {
        if matches!(id.kind(), Kind::File | Kind::Directory | Kind::Symlink) {
            let always = places.iter().filter(|place| place.when == When::Always);
            let manages = always.filter(|place| path(place.declared, id.title()));
            by_path.entry(id.title()).or_default().extend(manages);
        }
    }
    for (path, places) in by_path {
        for (number, one) in places.iter().enumerate() {
            let mut others = places[number + 1..].iter().filter(|other| {
                one.role.name != other.role.name
                    && !alike(one.declared, other.declared)
                    && could_meet(parts, one.role, other.role)
            });
            if let Some(other) = others.next() {
                told.push(finding(path, one, other));
                break;
            }
        }
    }
}

/// Whether a resource manages a path, and is not only called so.
fn path(declared: &Declared, path: &str) -> bool {
    let given = declared.attributes.get("path");
    given.is_none_or(|field| {
        let value = field.term.constant.as_ref();
        value.and_then(|value| value.as_str()) == Some(path)
    })
}

/// Whether two declarations are one resource where they meet.
fn alike(one: &Declared, other: &Declared) -> bool {
    let said = |declared: &Declared| declared.attributes.len();
    let same = one.attributes.iter().all(|(name, field)| {
        let other = other.attributes.get(name);
        !OF_ROLE.contains(&&**name)
            && is_constant(&field.term)
            && other.is_some_and(|other| other.term.same(&field.term))
    });
    one.kind == other.kind && said(one) == said(other) && same
}

/// Whether a value is the same in every role.
fn is_constant(term: &Term) -> bool {
    term.constant.is_some() && !matches!(term.form, Form::Program { .. })
}

fn finding(path: &str, one: &Place<'_>, other: &Place<'_>) -> Diagnostic {
    let message = format!(
        "roles `{}` and `{}` both manage {path}, and a host could have both",
        one.role.name, other.role.name
    );
    Diagnostic::new(Code::ContestedPath, message, one.span)
        .label("declared here")
        .also(other.span, "and otherwise here")
        .help(
            "such a host would not compile: let one role own the path, or declare it alike in both",
        )
}
