//! Attributes that a test states: taken by the same types as those of a role, so that `mode: "644"`
//! and `0644` are one, and a mistake in a test is told as it would be in a role.

use holdfast_schemas::resource::{Kind, Spec};
use minijinja::Value;

use super::attrs::Attrs;
use super::{directory, exec, file, group, package, service, symlink, user};
use crate::diag::{Diagnostic, Span};

/// What stands in for an attribute without which a resource would not be one.
fn filler(kind: Kind, given: &[(&str, Value, &Span)]) -> Option<(&'static str, Value)> {
    let lacks = |names: &[&str]| !given.iter().any(|(name, ..)| names.contains(name));
    match kind {
        Kind::Exec if lacks(&["creates", "unless", "only_if", "refresh_only", "always"]) => {
            Some(("always", Value::from(true)))
        }
        Kind::Symlink if lacks(&["target"]) => Some(("target", Value::from("-"))),
        _ => None,
    }
}

/// The specification that has these attributes; where it stands is said with each that is wrong.
pub(crate) fn stated<'a>(
    kind: Kind,
    (title, span): (&'a str, &'a Span),
    mut values: Vec<(&'a str, Value, &'a Span)>,
) -> Result<Spec, Vec<Diagnostic>> {
    if let Some((name, value)) = filler(kind, &values) {
        values.push((name, value, span));
    }
    let mut attrs = Attrs {
        title,
        span,
        values,
        wrong: Vec::new(),
    };
    let spec = match kind {
        Kind::File => file::of(&mut attrs, None),
        Kind::Directory => directory::lower(&mut attrs),
        Kind::Symlink => symlink::lower(&mut attrs),
        Kind::Package => package::lower(&mut attrs),
        Kind::Service => service::lower(&mut attrs),
        Kind::User => user::lower(&mut attrs),
        Kind::Group => group::lower(&mut attrs),
        Kind::Exec => exec::lower(&mut attrs),
    };
    match spec {
        Some(spec) if attrs.wrong.is_empty() => Ok(spec),
        _ => Err(attrs.wrong),
    }
}
