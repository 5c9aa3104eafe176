//! The catalog's edges by position: whom a resource needs, and whom it tells.

use std::collections::HashMap;

use holdfast_schemas::resource::{Resource, ResourceId};

/// Positions of resources in the catalog.
pub(super) type Positions = Vec<usize>;

/// The edges of a catalog.
#[derive(Debug)]
pub(super) struct Edges {
    needs: Vec<Positions>,
    tells: Vec<Positions>,
}

impl Edges {
    /// Finds the ends of every edge. A catalog that passed its check has no edge that leads
    /// nowhere; one that does is no edge.
    pub(super) fn of(resources: &[Resource]) -> Self {
        let place: HashMap<&ResourceId, usize> = resources
            .iter()
            .enumerate()
            .map(|(place, resource)| (&resource.id, place))
            .collect();
        let mut tells = vec![Positions::new(); resources.len()];
        let mut needs = Vec::with_capacity(resources.len());
        for (own, resource) in resources.iter().enumerate() {
            let ends = resource.requires.iter().chain(&resource.subscribes);
            needs.push(ends.filter_map(|id| place.get(id).copied()).collect());
            for source in resource.subscribes.iter().filter_map(|id| place.get(id)) {
                tells[*source].push(own);
            }
        }
        Self { needs, tells }
    }

    /// Whom a resource needs.
    pub(super) fn needs(&self, place: usize) -> &[usize] {
        &self.needs[place]
    }

    /// Whom a change of a resource is told to.
    pub(super) fn tells(&self, place: usize) -> &[usize] {
        &self.tells[place]
    }
}
