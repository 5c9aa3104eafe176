//! What is being changed, and what else that may move: a resource that needs it, or one whose
//! path lies below its path.

use std::collections::HashSet;
use std::path::Path;

use holdfast_schemas::resource::Resource;

use super::edges::Edges;
use super::window;

/// What something is being done to, by place and by path.
#[derive(Debug, Default)]
pub(super) struct Moving<'a> {
    places: HashSet<usize>,
    paths: HashSet<&'a Path>,
}

impl<'a> Moving<'a> {
    /// Something is done to this resource.
    pub(super) fn enter(&mut self, place: usize, resource: &'a Resource) {
        self.places.insert(place);
        self.paths.extend(window::path_of(&resource.spec));
    }

    /// Whether nothing is being done to anything.
    pub(super) fn is_still(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether what moves may have moved this resource too.
    pub(super) fn touches(&self, place: usize, resource: &Resource, edges: &Edges) -> bool {
        if self.places.is_empty() {
            return false;
        }
        let path = window::path_of(&resource.spec);
        let below = |path: &Path| path.ancestors().any(|part| self.paths.contains(part));
        let needs = edges.needs(place).iter();
        path.is_some_and(below) || needs.into_iter().any(|one| self.places.contains(one))
    }
}
