//! Notifications: whom they move, and who is still owed one.

use holdfast_schemas::report::{PendingRefresh, ResourceReport};
use holdfast_schemas::resource::{Kind, Resource, ServiceState, Spec};

use crate::ledger::Memory;

/// Whether a line says that a service was started in this run: it read its configuration a moment
/// ago, and a restart would do no more.
pub(super) fn just_started(told: &ResourceReport) -> bool {
    let started = |property: &str, to: Option<&str>| property == "state" && to == Some("running");
    told.kind == Kind::Service
        && told
            .changes
            .iter()
            .any(|change| started(&change.property, change.to.as_deref()))
}

/// Whether a notification does anything to a resource.
pub(super) fn is_refreshed(resource: &Resource, told: Option<&ResourceReport>) -> bool {
    match &resource.spec {
        Spec::Service(service) => {
            service.state != Some(ServiceState::Stopped) && !told.is_some_and(just_started)
        }
        Spec::Exec(exec) => exec.refresh_only,
        Spec::File(_)
        | Spec::Directory(_)
        | Spec::Symlink(_)
        | Spec::Package(_)
        | Spec::User(_)
        | Spec::Group(_) => false,
    }
}

/// The notifications that are owed to resources, in the order of the catalog.
pub(super) fn pending(memory: &Memory, resources: &[Resource]) -> Vec<PendingRefresh> {
    let of = |resource: &Resource| {
        memory
            .owed()
            .get(&resource.id)
            .map(|because| PendingRefresh {
                resource: resource.id.clone(),
                because: because.iter().cloned().collect(),
            })
    };
    resources.iter().filter_map(of).collect()
}
