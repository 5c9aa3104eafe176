//! `package`: a version goes only with `installed`.

use holdfast_schemas::resource::{Package, PackageState, Spec};

use super::attrs::Attrs;
use crate::diag::{Code, Diagnostic};

pub(super) const ATTRIBUTES: &[&str] = &[
    "allow_downgrade",
    "allow_removals",
    "name",
    "state",
    "version",
];

const STATES: [(&str, PackageState); 4] = [
    ("installed", PackageState::Installed),
    ("latest", PackageState::Latest),
    ("absent", PackageState::Absent),
    ("purged", PackageState::Purged),
];

pub(super) fn lower(attrs: &mut Attrs<'_>) -> Option<Spec> {
    let package = Package {
        name: attrs.own_name()?,
        state: attrs.word("state", &STATES).unwrap_or_default(),
        version: attrs.text("version"),
        allow_downgrade: attrs.flag("allow_downgrade").unwrap_or(false),
        allow_removals: attrs.flag("allow_removals").unwrap_or(false),
    };
    if package.version.is_some() && package.state != PackageState::Installed {
        let span = attrs.get("version").map_or(attrs.span, |(_, span)| span);
        let message = "`version` goes only with `state: installed`";
        attrs.tell(Diagnostic::new(Code::InvalidValue, message, span));
    }
    Some(Spec::Package(package))
}
