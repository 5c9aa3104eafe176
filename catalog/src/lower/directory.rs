//! `directory`.

use holdfast_schemas::resource::{Directory, Spec};

use super::attrs::Attrs;

pub(super) const ATTRIBUTES: &[&str] = &["ensure", "force", "group", "mode", "owner", "path"];

pub(super) fn lower(attrs: &mut Attrs<'_>) -> Option<Spec> {
    Some(Spec::Directory(Directory {
        path: attrs.own_path()?,
        ensure: attrs.ensure(),
        owner: attrs.account("owner"),
        group: attrs.account("group"),
        mode: attrs.mode(),
        force: attrs.flag("force").unwrap_or(false),
    }))
}
