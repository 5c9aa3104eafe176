//! Edges that nobody has to write: what a resource plainly stands on comes before it.
//!
//! A folder before what is in it, the owner and the group of a file before the file, a user's
//! groups and the folder of its home before the user, what a link points to before the link, a
//! unit's file before the unit, a package before the service of its name.
//!
//! And when things are to go: the service is stopped before its package goes, the user goes before
//! the group of its name. Only what cannot be meant otherwise has an edge here: a file under
//! `/etc/NAME` may well be wanted before package NAME first starts its service.

use std::collections::HashMap;

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::{Ensure, Package, PackageState, Service, ServiceState, Spec};

use crate::lower::Built;

/// An automatic edge: what waits, for what, and why.
pub(super) struct Automatic {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) because: &'static str,
}

/// Finds resources by what they manage.
struct Index<'a> {
    paths: HashMap<&'a HostPath, usize>,
    users: HashMap<&'a str, usize>,
    groups: HashMap<&'a str, usize>,
    services: HashMap<&'a str, usize>,
    /// Packages that are to be there.
    packages: HashMap<&'a str, usize>,
    /// Services that are to stand still.
    stopped: HashMap<&'a str, usize>,
    /// Users that are to go.
    leaving: HashMap<&'a str, usize>,
}

/// All automatic edges, in the order of the resources that wait.
pub(super) fn edges(built: &[Built<'_>]) -> Vec<Automatic> {
    let index = Index::of(built);
    let mut edges = Vec::new();
    for (place, one) in built.iter().enumerate() {
        index.of_resource(place, &one.spec, &mut edges);
    }
    edges.retain(|edge| edge.from != edge.to);
    edges
}

/// The path that a resource manages, if it is there.
fn present_path(spec: &Spec) -> Option<&HostPath> {
    match spec {
        Spec::File(file) => (file.ensure == Ensure::Present).then_some(&file.path),
        Spec::Directory(folder) => (folder.ensure == Ensure::Present).then_some(&folder.path),
        Spec::Symlink(link) => (link.ensure == Ensure::Present).then_some(&link.path),
        _ => None,
    }
}

fn unit(name: &str) -> &str {
    name.strip_suffix(".service").unwrap_or(name)
}

/// What a unit is called without its instance: `openvpn` of `openvpn@office`.
fn program(service: &Service) -> &str {
    let name = unit(&service.name);
    name.split_once('@').map_or(name, |(name, _)| name)
}

/// Whether a service is to run, now or from the next boot on.
fn is_to_run(service: &Service) -> bool {
    match service.state {
        Some(state) => state == ServiceState::Running,
        None => service.enabled == Some(true),
    }
}

/// Whether a package is to be there.
fn is_to_be_there(package: &Package) -> bool {
    matches!(
        package.state,
        PackageState::Installed | PackageState::Latest
    )
}

impl<'a> Index<'a> {
    fn of(built: &'a [Built<'_>]) -> Self {
        let mut index = Self {
            paths: HashMap::new(),
            users: HashMap::new(),
            groups: HashMap::new(),
            services: HashMap::new(),
            packages: HashMap::new(),
            stopped: HashMap::new(),
            leaving: HashMap::new(),
        };
        for (place, one) in built.iter().enumerate() {
            if let Some(path) = present_path(&one.spec) {
                index.paths.insert(path, place);
            }
            match &one.spec {
                Spec::User(user) if user.ensure == Ensure::Present => {
                    index.users.insert(&user.name, place);
                }
                Spec::Group(group) if group.ensure == Ensure::Present => {
                    index.groups.insert(&group.name, place);
                }
                Spec::User(user) => {
                    index.leaving.insert(&user.name, place);
                }
                Spec::Service(service) => {
                    index.services.insert(unit(&service.name), place);
                    if service.state == Some(ServiceState::Stopped) {
                        index.stopped.insert(unit(&service.name), place);
                    }
                }
                Spec::Package(package) if is_to_be_there(package) => {
                    index.packages.insert(&package.name, place);
                }
                _ => {}
            }
        }
        index
    }

    fn of_resource(&self, from: usize, spec: &'a Spec, edges: &mut Vec<Automatic>) {
        let mut edge = |to: Option<&usize>, because| {
            edges.extend(to.map(|&to| Automatic { from, to, because }));
        };
        if let Some(path) = present_path(spec) {
            edge(self.above(path), "parent folder");
        }
        match spec {
            Spec::File(file) if file.ensure == Ensure::Present => {
                edge(
                    file.owner.as_deref().and_then(|name| self.users.get(name)),
                    "owner",
                );
                edge(
                    file.group.as_deref().and_then(|name| self.groups.get(name)),
                    "group",
                );
            }
            Spec::Directory(folder) if folder.ensure == Ensure::Present => {
                edge(
                    folder
                        .owner
                        .as_deref()
                        .and_then(|name| self.users.get(name)),
                    "owner",
                );
                edge(
                    folder
                        .group
                        .as_deref()
                        .and_then(|name| self.groups.get(name)),
                    "group",
                );
            }
            Spec::Symlink(link) if link.ensure == Ensure::Present => {
                let target = link
                    .target
                    .as_deref()
                    .and_then(|to| resolved(&link.path, to));
                edge(
                    target.as_ref().and_then(|path| self.paths.get(path)),
                    "link target",
                );
            }
            Spec::User(user) if user.ensure == Ensure::Present => {
                let groups = user.groups.iter().flatten().chain(&user.group);
                for group in groups {
                    edge(self.groups.get(group.as_str()), "group of the user");
                }
                let home = user.home.as_ref().filter(|_| user.manage_home);
                edge(home.and_then(|home| self.above(home)), "folder of the home");
            }
            Spec::Group(group) if group.ensure == Ensure::Absent => {
                edge(self.leaving.get(&*group.name), "user of the group");
            }
            Spec::Service(service) if is_to_run(service) => {
                edge(
                    self.packages.get(program(service)),
                    "package of the service",
                );
            }
            Spec::Package(package) if !is_to_be_there(package) => {
                edge(self.stopped.get(&*package.name), "service of the package");
            }
            Spec::Exec(exec) => {
                edge(
                    exec.run_as.as_deref().and_then(|name| self.users.get(name)),
                    "account",
                );
                edge(
                    exec.cwd.as_ref().and_then(|path| self.paths.get(path)),
                    "working folder",
                );
            }
            _ => {}
        }
        if let Some(&service) = present_path(spec).and_then(|path| self.service_of(path)) {
            edges.push(Automatic {
                from: service,
                to: from,
                because: "unit file",
            });
        }
    }

    /// The nearest managed folder (or link to one) above a path.
    fn above(&self, path: &HostPath) -> Option<&usize> {
        let mut folder = path.parent();
        while let Some(path) = folder {
            if let Some(place) = self.paths.get(&path) {
                return Some(place);
            }
            folder = path.parent();
        }
        None
    }

    /// The service whose unit a file under `/etc/systemd/system` is, or is a part of.
    fn service_of(&self, path: &HostPath) -> Option<&usize> {
        let inner = path.as_str().strip_prefix("/etc/systemd/system/")?;
        let name = match inner.split_once('/') {
            None => inner.strip_suffix(".service")?,
            Some((folder, _)) => folder.strip_suffix(".service.d")?,
        };
        self.services.get(name)
    }
}

/// What a link points to, as an absolute path.
fn resolved(link: &HostPath, target: &str) -> Option<HostPath> {
    if target.starts_with('/') {
        return target.trim_end_matches('/').parse().ok();
    }
    let mut folder = link.parent()?;
    for part in target.split('/') {
        folder = match part {
            "" | "." => folder,
            ".." => folder.parent()?,
            name => folder.join(name).ok()?,
        };
    }
    Some(folder)
}
