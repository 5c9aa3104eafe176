//! `group`.

use holdfast_schemas::resource::{Group, Spec};

use super::attrs::Attrs;

pub(super) const ATTRIBUTES: &[&str] = &["ensure", "gid", "name", "system"];

pub(super) fn lower(attrs: &mut Attrs<'_>) -> Option<Spec> {
    Some(Spec::Group(Group {
        name: attrs.own_name()?,
        ensure: attrs.ensure(),
        gid: attrs.number("gid"),
        system: attrs.flag("system").unwrap_or(false),
    }))
}
