//! Cuts the walk into windows: neighbours that are mended together.
//!
//! Writing a file durably is waiting for the disk, so neighbouring paths are written side by
//! side; neighbouring packages are one transaction; everything else goes alone. Inside a window
//! of paths, [`levels`] keeps what depends on one another in order.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use holdfast_schemas::resource::{Kind, Resource, Spec};

use super::edges::Edges;

/// Most paths in one window: what is noted in the ledger as intended with one wait for the disk.
const MAX_PATHS: usize = 512;

/// Neighbours that are mended together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// How.
    pub(super) manner: Manner,
    /// Which, by position in the catalog.
    pub(super) range: Range<usize>,
}

/// How the resources of a window are mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Side by side, level by level.
    SideBySide,
    /// In one transaction.
    Together,
    /// It is the only one.
    Alone,
}

/// The windows of a catalog, in its order.
pub(super) fn windows(resources: &[Resource], edges: &Edges) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for (place, resource) in resources.iter().enumerate() {
        let manner = manner(resource);
        let joins = windows.last().is_some_and(|window| {
            window.manner == manner
                && match manner {
                    Manner::SideBySide => window.range.len() < MAX_PATHS,
                    Manner::Together => {
                        let inside = |needed: &usize| window.range.contains(needed);
                        !edges.needs(place).iter().any(inside)
                    }
                    Manner::Alone => false,
                }
        });
        match windows.last_mut() {
            Some(window) if joins => window.range.end = place + 1,
            _ => windows.push(Window {
                manner,
                range: place..place + 1,
            }),
        }
    }
    windows
}

fn manner(resource: &Resource) -> Manner {
    match &resource.spec {
        // A check of new content may read the files around it, which are to stand still.
        Spec::File(file) if file.validate.is_some() => Manner::Alone,
        _ => match resource.id.kind() {
            Kind::File | Kind::Directory | Kind::Symlink => Manner::SideBySide,
            Kind::Package => Manner::Together,
            Kind::Service | Kind::User | Kind::Group | Kind::Exec => Manner::Alone,
        },
    }
}

/// Sorts positions of a window into levels that are walked one after the other: whatever a
/// resource needs, and whatever lies above or below its path and stands before it in the
/// catalog, is on an earlier level.
pub(super) fn levels(places: &[usize], resources: &[Resource], edges: &Edges) -> Vec<Vec<usize>> {
    let mut level_of: HashMap<usize, usize> = HashMap::with_capacity(places.len());
    let mut paths = Paths::default();
    let mut levels: Vec<Vec<usize>> = Vec::new();
    for &place in places {
        let needed = edges.needs(place).iter();
        let after_needed = needed.filter_map(|needed| level_of.get(needed)).max();
        let path = path_of(&resources[place].spec);
        let after_paths = path.and_then(|path| paths.highest_around(path));
        let level = [after_needed.copied(), after_paths]
            .into_iter()
            .flatten()
            .max()
            .map_or(0, |highest| highest + 1);
        level_of.insert(place, level);
        if let Some(path) = path {
            paths.enter(path, level);
        }
        if levels.len() <= level {
            levels.resize_with(level + 1, Vec::new);
        }
        levels[level].push(place);
    }
    levels
}

/// The highest level so far of each path, and of what lies below it.
#[derive(Default)]
struct Paths<'a> {
    at: HashMap<&'a Path, usize>,
    below: HashMap<&'a Path, usize>,
}

impl<'a> Paths<'a> {
    fn highest_around(&self, path: &'a Path) -> Option<usize> {
        let above = path.ancestors().filter_map(|part| self.at.get(part));
        above.chain(self.below.get(path)).max().copied()
    }

    fn enter(&mut self, path: &'a Path, level: usize) {
        raise(&mut self.at, path, level);
        for part in path.ancestors().skip(1) {
            raise(&mut self.below, part, level);
        }
    }
}

fn raise<'a>(levels: &mut HashMap<&'a Path, usize>, path: &'a Path, level: usize) {
    let highest = levels.entry(path).or_default();
    *highest = level.max(*highest);
}

/// The path that a resource is about, if it is about one.
pub(super) fn path_of(spec: &Spec) -> Option<&Path> {
    match spec {
        Spec::File(file) => Some(file.path.as_path()),
        Spec::Directory(directory) => Some(directory.path.as_path()),
        Spec::Symlink(link) => Some(link.path.as_path()),
        Spec::Package(_) | Spec::Service(_) | Spec::User(_) | Spec::Group(_) | Spec::Exec(_) => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use holdfast_schemas::resource::{Directory, Ensure, Package, PackageState, ResourceId};

    use super::*;

    fn resource(spec: Spec, title: &str) -> Resource {
        Resource {
            id: ResourceId::new(spec.kind(), title).unwrap(),
            spec,
            requires: Vec::new(),
            subscribes: Vec::new(),
        }
    }

    fn folder(path: &str) -> Resource {
        let spec = Directory {
            path: path.parse().unwrap(),
            ensure: Ensure::Present,
            owner: None,
            group: None,
            mode: None,
            force: false,
        };
        resource(Spec::Directory(spec), path)
    }

    fn package(name: &str) -> Resource {
        let spec = Package {
            name: name.to_owned(),
            state: PackageState::Installed,
            version: None,
            allow_downgrade: false,
            allow_removals: false,
        };
        resource(Spec::Package(spec), name)
    }

    fn cut(resources: &[Resource]) -> Vec<(Manner, Range<usize>)> {
        let windows = windows(resources, &Edges::of(resources));
        let shape = |window: Window| (window.manner, window.range);
        windows.into_iter().map(shape).collect()
    }

    #[test]
    fn neighbours_of_a_manner_share_a_window() {
        let resources = [
            package("a"),
            package("b"),
            folder("/x"),
            folder("/y"),
            package("c"),
        ];
        use Manner::{SideBySide, Together};
        let expected = [(Together, 0..2), (SideBySide, 2..4), (Together, 4..5)];
        assert_eq!(cut(&resources), expected);
    }

    #[test]
    fn a_package_that_needs_its_neighbour_has_a_transaction_of_its_own() {
        let mut resources = [package("a"), package("b")];
        resources[1].requires = vec![resources[0].id.clone()];
        assert_eq!(cut(&resources).len(), 2);
    }

    #[test]
    fn windows_of_paths_are_bounded() {
        let resources: Vec<Resource> = (0..1000).map(|n| folder(&format!("/{n}"))).collect();
        assert_eq!(cut(&resources).len(), 2);
    }

    #[test]
    fn levels_follow_edges_and_paths() {
        let mut resources = vec![folder("/a"), folder("/a/b"), folder("/c"), folder("/")];
        resources[2].requires = vec![resources[1].id.clone()];
        let edges = Edges::of(&resources);
        let levels = levels(&[0, 1, 2, 3], &resources, &edges);
        assert_eq!(levels, [vec![0], vec![1], vec![2], vec![3]]);
        let apart = [folder("/a"), folder("/ab"), folder("/b")];
        let levels = super::levels(&[0, 1, 2], &apart, &Edges::of(&apart));
        assert_eq!(levels, [vec![0, 1, 2]]);
    }
}
