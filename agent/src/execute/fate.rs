//! What became of the resources walked so far, and whom that keeps from being walked.

use holdfast_schemas::resource::Resource;

use super::edges::Edges;

/// Why a resource is not as wanted, in the word that stands behind its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Failed,
    NotConverged,
    Omitted,
    Ended,
}

impl Wrong {
    const fn told(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::NotConverged => "did not converge",
            Self::Omitted => "was left out of the bundle",
            Self::Ended => "was not reached before the run was ended",
        }
    }
}

/// What became of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is as wanted, or was not walked yet.
    Good,
    /// It is not, and why; its own fault, or that of the resource at `root`.
    Bad { root: usize, wrong: Wrong },
}

/// What became of each resource.
#[derive(Debug)]
pub(super) struct Fates(Vec<Fate>);

/// A resource is not walked, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Skip {
    /// A sentence that names the resource at fault.
    pub(super) because: String,
    /// Whether that is nobody's failure.
    pub(super) blameless: bool,
}

impl Fates {
    /// Of a catalog of so many resources.
    pub(super) fn new(resources: usize) -> Self {
        Self(vec![Fate::Good; resources])
    }

    /// A resource is not as wanted.
    pub(super) fn spoil(&mut self, place: usize, wrong: Wrong) {
        self.0[place] = Fate::Bad { root: place, wrong };
    }

    /// Whether a resource is not as wanted.
    pub(super) fn is_bad(&self, place: usize) -> bool {
        self.0[place] != Fate::Good
    }

    /// Whether a resource is to be skipped because of one that it needs; then it is spoilt too.
    pub(super) fn skip(
        &mut self,
        place: usize,
        edges: &Edges,
        resources: &[Resource],
    ) -> Option<Skip> {
        let needed = edges.needs(place).iter();
        let (needed, root, wrong) = needed.copied().find_map(|needed| match self.0[needed] {
            Fate::Good => None,
            Fate::Bad { root, wrong } => Some((needed, root, wrong)),
        })?;
        self.0[place] = Fate::Bad { root, wrong };
        let at_fault = &resources[root].id;
        let because = match needed == root {
            true => format!("requires {at_fault}, which {}", wrong.told()),
            false => format!(
                "requires {}, which was skipped because {at_fault} {}",
                resources[needed].id,
                wrong.told()
            ),
        };
        Some(Skip {
            because,
            blameless: wrong == Wrong::Omitted,
        })
    }
}
