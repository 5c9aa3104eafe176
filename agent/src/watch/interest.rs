//! Which names in which folders matter: the managed paths, and every folder on the way to them.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use holdfast_schemas::catalog::Catalog;
use holdfast_schemas::resource::Spec;

use super::names::Names;
use crate::place::Place;

/// Folders between the root and a managed path that are watched at most, from the path up: deeper
/// trees are watched at their lower end.
const MAX_DEPTH: usize = 16;

/// What about a name matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Care {
    /// That it is there, and whose it is: not what is written to it.
    Existence,
    /// What it holds too.
    Content,
}

/// Names that matter, by folder.
#[derive(Debug, Default)]
pub(crate) struct Interests {
    folders: HashMap<PathBuf, HashMap<OsString, Care>>,
}

impl Interests {
    /// What a catalog manages in a place.
    pub(crate) fn of(catalog: &Catalog, place: &Place) -> Self {
        let mut interests = Self::default();
        for resource in &catalog.resources {
            let (path, care) = match &resource.spec {
                Spec::File(file) if file.content.is_some() => (&file.path, Care::Content),
                Spec::File(file) => (&file.path, Care::Existence),
                Spec::Directory(directory) => (&directory.path, Care::Existence),
                Spec::Symlink(link) => (&link.path, Care::Existence),
                Spec::Package(_)
                | Spec::Service(_)
                | Spec::User(_)
                | Spec::Group(_)
                | Spec::Exec(_) => continue,
            };
            interests.add(&place.locate(path.as_path()), care);
        }
        interests
    }

    fn add(&mut self, path: &Path, care: Care) {
        let (mut below, mut care) = (path, care);
        for _ in 0..MAX_DEPTH {
            let (Some(folder), Some(name)) = (below.parent(), below.file_name()) else {
                return;
            };
            let names = match self.folders.get_mut(folder) {
                Some(names) => names,
                None => self.folders.entry(folder.to_owned()).or_default(),
            };
            match names.get_mut(name) {
                // The way up from here is watched already.
                Some(known) => {
                    *known = care.max(*known);
                    return;
                }
                None => names.insert(name.to_owned(), care),
            };
            (below, care) = (folder, Care::Existence);
        }
    }

    pub(super) fn into_folders(self) -> impl Iterator<Item = (PathBuf, Names)> {
        let packed = |(folder, names)| (folder, Names::pack(names));
        self.folders.into_iter().map(packed)
    }
}
