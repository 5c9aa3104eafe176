//! What is meant by a name: a resource, or a role, which is all resources in it and in the roles
//! that it includes.

use std::collections::{BTreeSet, HashMap};

use holdfast_schemas::resource::ResourceId;

use crate::lower::{Built, Frame, Named, RoleName};

/// The resources in a frame, and in those that it contains, by name.
pub(crate) fn members((built, frames): (&[Built<'_>], &[Frame]), frame: usize) -> Vec<ResourceId> {
    let places = Index::of(built, frames).in_frames(vec![frame]);
    let ids: BTreeSet<&ResourceId> = places.into_iter().map(|place| &built[place].id).collect();
    ids.into_iter().cloned().collect()
}

/// The resources of a catalog, by name.
pub(super) struct Index<'b> {
    places: HashMap<&'b ResourceId, usize>,
    frames: &'b [Frame],
    /// By frame, the resources that it declares itself.
    own: Vec<Vec<usize>>,
}

impl<'b> Index<'b> {
    /// Of resources that are there once each.
    pub(super) fn of(built: &'b [Built<'_>], frames: &'b [Frame]) -> Self {
        let mut own = vec![Vec::new(); frames.len()];
        let mut places = HashMap::with_capacity(built.len());
        for (place, one) in built.iter().enumerate() {
            places.insert(&one.id, place);
            for &frame in &one.frames {
                own[frame].push(place);
            }
        }
        Self {
            places,
            frames,
            own,
        }
    }

    /// The names of all resources.
    pub(super) fn ids(&self) -> impl Iterator<Item = &'b ResourceId> + '_ {
        self.places.keys().copied()
    }

    /// What is meant; `None` where the catalog does not hold it.
    pub(super) fn find(&self, named: &Named) -> Option<BTreeSet<usize>> {
        match named {
            Named::Resource(id) => {
                let place = self.places.get(id)?;
                Some(BTreeSet::from([*place]))
            }
            Named::Role(name) => self.find_role(name),
        }
    }

    fn find_role(&self, name: &RoleName) -> Option<BTreeSet<usize>> {
        let frames = self.frames.iter().enumerate();
        let named = frames.filter(|(_, frame)| name.names(frame));
        let named: Vec<usize> = named.map(|(place, _)| place).collect();
        (!named.is_empty()).then(|| self.in_frames(named))
    }

    /// The resources in frames, and in those that they contain.
    pub(super) fn in_frames(&self, mut open: Vec<usize>) -> BTreeSet<usize> {
        let mut seen: BTreeSet<usize> = open.iter().copied().collect();
        let mut found = BTreeSet::new();
        while let Some(frame) = open.pop() {
            found.extend(&self.own[frame]);
            let inner = self.frames[frame].contains.iter();
            open.extend(inner.copied().filter(|inner| seen.insert(*inner)));
        }
        found
    }
}
