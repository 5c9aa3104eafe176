//! `service`.

use holdfast_schemas::resource::{OnRefresh, Service, ServiceState, Spec};

use super::attrs::Attrs;

pub(super) const ATTRIBUTES: &[&str] = &["enabled", "name", "on_refresh", "state"];

const STATES: [(&str, ServiceState); 2] = [
    ("running", ServiceState::Running),
    ("stopped", ServiceState::Stopped),
];

const REFRESHES: [(&str, OnRefresh); 2] = [
    ("restart", OnRefresh::Restart),
    ("reload", OnRefresh::Reload),
];

pub(super) fn lower(attrs: &mut Attrs<'_>) -> Option<Spec> {
    Some(Spec::Service(Service {
        name: attrs.own_name()?,
        state: attrs.word("state", &STATES),
        enabled: attrs.flag("enabled"),
        on_refresh: attrs.word("on_refresh", &REFRESHES).unwrap_or_default(),
    }))
}
