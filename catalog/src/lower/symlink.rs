//! `symlink`: one that is to be there has a target.

use holdfast_schemas::resource::{Ensure, Spec, Symlink};

use super::attrs::Attrs;
use crate::diag::{Code, Diagnostic};

pub(super) const ATTRIBUTES: &[&str] = &["ensure", "force", "path", "target"];

pub(super) fn lower(attrs: &mut Attrs<'_>) -> Option<Spec> {
    let link = Symlink {
        path: attrs.own_path()?,
        ensure: attrs.ensure(),
        target: attrs.text("target"),
        force: attrs.flag("force").unwrap_or(false),
    };
    if link.ensure == Ensure::Present && link.target.is_none() && attrs.get("target").is_none() {
        let message = "a symlink needs `target`";
        attrs.tell(Diagnostic::new(Code::MissingKey, message, attrs.span));
        return None;
    }
    Some(Spec::Symlink(link))
}
