//! Services whose package nothing installs.
//!
//! Names of services and packages differ (`sshd` comes with `openssh-server`), so nothing is said
//! of a service where anything may bring it along: a package or an exec in its role, a package of
//! a like name in the catalog, a unit file, an edge from one of these.

use holdfast_schemas::catalog::Catalog;
use holdfast_schemas::resource::{Kind, PackageState, Resource, ResourceId, ServiceState, Spec};

use super::seen::Seen;
use super::titles::{Place, Titles};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::site::Element;

/// Services that come with the init system, by how their names begin.
const OF_SYSTEM: [&str; 4] = ["systemd-", "dbus", "getty", "serial-getty"];

/// Units that are no services of a package's.
const OTHER_UNITS: [&str; 7] = [
    ".timer", ".socket", ".mount", ".target", ".path", ".slice", ".swap",
];

/// Sees which services a host has without anything that installs them.
pub(super) fn look(catalog: &Catalog, titles: &Titles<'_>, seen: &mut Seen) {
    for resource in &catalog.resources {
        let Spec::Service(service) = &resource.spec else {
            continue;
        };
        let wanted = service.state == Some(ServiceState::Running) || service.enabled == Some(true);
        let Some(base) = base(&service.name).filter(|_| wanted) else {
            continue;
        };
        let places = titles.places(&resource.id);
        let told = !places.is_empty() && !places.iter().any(|place| installs(place, titles));
        if told && !brought_along(catalog, resource, base) {
            let hosts = seen.bare.entry(resource.id.clone()).or_default();
            hosts.insert(catalog.host.clone());
        }
    }
}

/// The name that a package may have too; `None` where no package has such a service.
fn base(unit: &str) -> Option<&str> {
    let other = OTHER_UNITS.iter().any(|ending| unit.ends_with(ending));
    let system = OF_SYSTEM.iter().any(|begin| unit.starts_with(begin));
    let name = unit.strip_suffix(".service").unwrap_or(unit);
    let name = name.split('@').next().unwrap_or(name);
    (!other && !system && !name.is_empty()).then_some(name)
}

/// Whether the role that declares a service may install it, or one that it is included with.
fn installs(place: &Place<'_>, titles: &Titles<'_>) -> bool {
    let kin = titles.kin(place.role).iter();
    let declared = kin.flat_map(|role| role.resources.iter().flat_map(Element::resources));
    let mut kinds = declared.map(|one| one.kind);
    kinds.any(|kind| matches!(kind, Kind::Package | Kind::Exec))
}

/// Whether something in the catalog may bring a service along.
fn brought_along(catalog: &Catalog, service: &Resource, base: &str) -> bool {
    let by_edge = |id: &ResourceId| matches!(id.kind(), Kind::Package | Kind::Exec);
    let mut edges = service.requires.iter().chain(&service.subscribes);
    edges.any(by_edge) || catalog.resources.iter().any(|one| brings(&one.spec, base))
}

fn brings(spec: &Spec, base: &str) -> bool {
    let path = match spec {
        Spec::Package(package) => {
            let there = !matches!(package.state, PackageState::Absent | PackageState::Purged);
            return there && alike(&package.name, base);
        }
        Spec::File(file) => file.path.as_str(),
        Spec::Symlink(link) => link.path.as_str(),
        _ => return false,
    };
    // The unit itself, a template of units, or a script of the old kind.
    let name = path.rsplit('/').next().unwrap_or_default();
    let unit = name
        .strip_suffix(".service")
        .map(|unit| unit.trim_end_matches('@'));
    unit == Some(base) || path.ends_with(&format!("/init.d/{base}"))
}

/// Whether a package's name and a service's are alike: one within the other, the `d` of a daemon
/// apart.
fn alike(package: &str, service: &str) -> bool {
    let plain = |name: &str| -> String {
        let kept = name.chars().filter(char::is_ascii_alphanumeric);
        kept.map(|c| c.to_ascii_lowercase()).collect()
    };
    let (package, service) = (plain(package), plain(service));
    let short = service.strip_suffix('d').unwrap_or(&service);
    package.contains(short) || service.contains(&package)
}

/// Tells of services that nothing installs.
pub(super) fn without_package(seen: &Seen, titles: &Titles<'_>, told: &mut Diagnostics) {
    for (id, hosts) in &seen.bare {
        for place in titles.places(id) {
            let message = format!("nothing installs {id}");
            let role = &place.role.name;
            let one = Diagnostic::new(Code::ServiceWithoutPackage, message, place.span).help(
                format!("declare its package in role `{role}`, or name it: `requires: package[…]`"),
            );
            hosts
                .iter()
                .for_each(|host| told.push(one.clone().in_host(host)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{alike, base};

    #[test]
    fn names_of_services_and_packages() {
        assert!(alike("openssh-server", "sshd"));
        assert!(alike("nginx-full", "nginx"));
        assert!(alike("chrony", "chronyd"));
        assert!(alike("prometheus-node-exporter", "node_exporter"));
        assert!(!alike("curl", "nginx"));
        assert_eq!(base("postgresql@15-main.service"), Some("postgresql"));
        assert_eq!(base("logrotate.timer"), None);
        assert_eq!(base("systemd-resolved"), None);
    }
}
