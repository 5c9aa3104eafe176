//! The order of two catalogs: which edges come and go, and which resources move.

use std::collections::{HashMap, HashSet};

use holdfast_schemas::resource::{Resource, ResourceId};

use super::change::{Change, EdgeChange};

/// The edges of one resource that differ. An edge to a resource that is gone goes without saying.
pub(super) fn edges(
    before: &Resource,
    after: &Resource,
    remains: &dyn Fn(&ResourceId) -> bool,
) -> Option<Change> {
    let compared = |old: &[ResourceId], new: &[ResourceId]| {
        let without = |from: &[ResourceId], these: &[ResourceId]| -> Vec<ResourceId> {
            let missing = from.iter().filter(|id| !these.contains(id));
            missing.cloned().collect()
        };
        let mut removed = without(old, new);
        removed.retain(remains);
        EdgeChange {
            added: without(new, old),
            removed,
        }
    };
    let requires = compared(&before.requires, &after.requires);
    let subscribes = compared(&before.subscribes, &after.subscribes);
    (!requires.is_empty() || !subscribes.is_empty()).then(|| Change::Edges {
        resource: after.id.clone(),
        requires,
        subscribes,
    })
}

/// The fewest resources that have to move: all but a longest row that keeps its order.
pub(super) fn moved(before: &[Resource], after: &[Resource]) -> Vec<ResourceId> {
    let places: HashMap<&ResourceId, usize> = before
        .iter()
        .enumerate()
        .map(|(place, resource)| (&resource.id, place))
        .collect();
    let common = after
        .iter()
        .filter_map(|resource| Some((*places.get(&resource.id)?, &resource.id)));
    let common: Vec<(usize, &ResourceId)> = common.collect();
    if common.is_sorted_by_key(|(place, _)| *place) {
        return Vec::new();
    }
    let places: Vec<usize> = common.iter().map(|(place, _)| *place).collect();
    let kept = longest_rise(&places);
    let moved = common
        .iter()
        .enumerate()
        .filter(|(place, _)| !kept.contains(place));
    moved.map(|(_, (_, id))| (*id).clone()).collect()
}

/// The places of a longest rising row among distinct numbers.
fn longest_rise(numbers: &[usize]) -> HashSet<usize> {
    // For each length, the place where a rising row of that length ends lowest.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (place, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|&end| numbers[end] < *number);
        previous.push(length.checked_sub(1).map(|before| ends[before]));
        match ends.get_mut(length) {
            Some(end) => *end = place,
            None => ends.push(place),
        }
    }
    let mut rise = HashSet::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(place) = next {
        rise.insert(place);
        next = previous[place];
    }
    rise
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(numbers: &[usize]) -> Vec<usize> {
        let mut kept: Vec<usize> = longest_rise(numbers).into_iter().collect();
        kept.sort_unstable();
        kept
    }

    #[test]
    fn the_longest_rise_is_kept() {
        assert_eq!(kept(&[0, 1, 2]), [0, 1, 2]);
        assert_eq!(kept(&[3, 0, 1, 2]), [1, 2, 3]);
        assert_eq!(kept(&[1, 2, 3, 0]), [0, 1, 2]);
        assert_eq!(kept(&[2, 1, 0]).len(), 1);
        assert_eq!(kept(&[0, 4, 1, 3, 2, 5]), [0, 2, 4, 5]);
    }
}
