//! The names that matter in one folder, in as little memory as they take: an agent that waits keeps
//! thousands of them, and nothing else of its catalog.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::interest::Care;

/// Names of one folder with what matters of each: two pieces of memory, however many they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// One after the other, sorted.
    text: Box<[u8]>,
    /// Where each ends, and what matters of it.
    ends: Box<[(u32, Care)]>,
}

impl Names {
    /// Packs names. Those of a folder take no 4 GiB: a catalog takes 64 MiB.
    pub(super) fn pack(names: HashMap<OsString, Care>) -> Self {
        let mut names: Vec<(OsString, Care)> = names.into_iter().collect();
        names.sort_unstable();
        let length = names.iter().map(|(name, _)| name.len()).sum();
        let mut text = Vec::with_capacity(length);
        let mut ends = Vec::with_capacity(names.len());
        for (name, care) in names {
            text.extend_from_slice(name.as_bytes());
            ends.push((u32::try_from(text.len()).unwrap_or(u32::MAX), care));
        }
        Self {
            text: text.into_boxed_slice(),
            ends: ends.into_boxed_slice(),
        }
    }

    /// What matters of a name, if anything does.
    pub(super) fn get(&self, name: &OsStr) -> Option<Care> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(middle).cmp(name.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.ends.get(middle).map(|(_, care)| *care),
            }
        }
        None
    }

    fn name(&self, place: usize) -> &[u8] {
        let end = |place: usize| self.ends.get(place).map_or(0, |(end, _)| *end as usize);
        let begin = place.checked_sub(1).map_or(0, end);
        self.text.get(begin..end(place)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_with_what_matters_and_no_other() {
        let names = ["b", "a", "ab", "", "ä", "abc", "z"];
        let care = |place: usize| match place % 2 {
            0 => Care::Content,
            _ => Care::Existence,
        };
        let all = names.iter().enumerate();
        let all: HashMap<OsString, Care> = all
            .map(|(place, name)| (OsString::from(name), care(place)))
            .collect();
        let packed = Names::pack(all.clone());
        for (name, care) in &all {
            assert_eq!(packed.get(name), Some(*care), "{name:?}");
        }
        for other in ["c", "aa", "abcd", "zz"] {
            assert_eq!(packed.get(OsStr::new(other)), None, "{other:?}");
        }
        assert_eq!(Names::pack(HashMap::new()).get(OsStr::new("a")), None);
    }
}
