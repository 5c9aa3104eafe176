//! `user`.

use holdfast_schemas::resource::{Spec, User};

use super::attrs::Attrs;

pub(super) const ATTRIBUTES: &[&str] = &[
    "comment",
    "ensure",
    "group",
    "groups",
    "home",
    "manage_home",
    "name",
    "shell",
    "system",
    "uid",
];

pub(super) fn lower(attrs: &mut Attrs<'_>) -> Option<Spec> {
    Some(Spec::User(User {
        name: attrs.own_name()?,
        ensure: attrs.ensure(),
        uid: attrs.number("uid"),
        group: attrs.account("group"),
        groups: attrs.texts("groups"),
        comment: attrs.text("comment"),
        home: attrs.path("home"),
        manage_home: attrs.flag("manage_home").unwrap_or(false),
        shell: attrs.path("shell"),
        system: attrs.flag("system").unwrap_or(false),
    }))
}
