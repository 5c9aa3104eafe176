//! A tree of files in memory, with owners, modes, links, and a clock that only changes move.

use std::collections::BTreeMap;

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::Mode;

use crate::host::{FileType, HostError, Owner, Stat};

/// How many links are followed on one path, as on a real host.
const MAX_LINKS: usize = 40;

/// One entry of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub node: Node,
    /// Its permission bits.
    pub mode: Mode,
    /// Its owner's number.
    pub uid: u32,
    /// Its group's number.
    pub gid: u32,
    inode: u64,
    changed: u64,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A regular file and its bytes.
    File(Vec<u8>),
    /// A folder; what is in it stands beside it under longer paths.
    Directory,
    /// A symbolic link and its target.
    Symlink(String),
    /// A pipe, a socket or a device.
    Special,
}

/// A tree of files. Two trees are equal when nothing was changed on the way from one to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    entries: BTreeMap<String, Entry>,
    clock: u64,
}

impl Default for Files {
    fn default() -> Self {
        let mut files = Self {
            entries: BTreeMap::new(),
            clock: 0,
        };
        files.put(
            "/",
            Node::Directory,
            Mode::from_bits(0o755),
            Owner::default(),
        );
        files
    }
}

impl Entry {
    /// What a look at it finds.
    pub(super) fn stat(&self) -> Stat {
        let (file_type, size) = match &self.node {
            Node::File(bytes) => (FileType::File, bytes.len()),
            Node::Directory => (FileType::Directory, 4096),
            Node::Symlink(target) => (FileType::Symlink, target.len()),
            Node::Special => (FileType::Special, 0),
        };
        let changed = i128::from(self.changed);
        Stat {
            file_type,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            size: size as u64,
            identity: (1, self.inode, changed, changed),
        }
    }
}

impl Files {
    /// The entry at a path whose parents are no links.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// The text of a file; empty when there is none, or it is no text.
    pub fn text(&self, path: &str) -> &str {
        match self.get(path).map(|entry| &entry.node) {
            Some(Node::File(bytes)) => std::str::from_utf8(bytes).unwrap_or_default(),
            _ => "",
        }
    }

    /// Writes a file of root's with mode 0644 and makes the folders above it that are missing.
    pub fn write(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.make_parents(path);
        let mode = Mode::from_bits(0o644);
        self.put(path, Node::File(bytes.into()), mode, Owner::default());
    }

    /// Makes a folder, and the ones above it that are missing.
    pub fn make_directory(&mut self, path: &str) {
        self.make_parents(path);
        self.put(
            path,
            Node::Directory,
            Mode::from_bits(0o755),
            Owner::default(),
        );
    }

    /// Puts something at a path, in the place of what is there; root's unless said otherwise.
    pub fn put(&mut self, path: &str, node: Node, mode: Mode, owner: Owner) {
        self.clock += 1;
        let entry = Entry {
            node,
            mode,
            uid: owner.uid.unwrap_or(0),
            gid: owner.gid.unwrap_or(0),
            inode: self.clock,
            changed: self.clock,
        };
        self.entries.insert(path.to_owned(), entry);
    }

    /// Changes an entry that is there; `false` when there is none.
    pub fn change(&mut self, path: &str, change: impl FnOnce(&mut Entry)) -> bool {
        self.clock += 1;
        let clock = self.clock;
        let entry = self.entries.get_mut(path);
        entry
            .map(|entry| {
                change(entry);
                entry.changed = clock;
            })
            .is_some()
    }

    /// Removes an entry and all that is below it.
    pub fn remove(&mut self, path: &str) {
        self.clock += 1;
        let below = format!("{}/", path.trim_end_matches('/'));
        self.entries
            .retain(|other, _| other != path && !other.starts_with(&below));
    }

    /// Moves a file to another path, over what is there; it stays the same file.
    pub fn rename(&mut self, from: &str, to: &str) {
        if let Some(entry) = self.entries.remove(from) {
            self.clock += 1;
            self.entries.insert(to.to_owned(), entry);
        }
    }

    /// The names in a folder, sorted.
    pub fn list(&self, path: &str) -> Vec<String> {
        let below = format!("{}/", path.trim_end_matches('/'));
        let names = self
            .entries
            .keys()
            .filter_map(|other| other.strip_prefix(&below));
        names
            .filter(|name| !name.is_empty() && !name.contains('/'))
            .map(str::to_owned)
            .collect()
    }

    fn make_parents(&mut self, path: &str) {
        for (cut, _) in path.match_indices('/').skip(1) {
            if !self.entries.contains_key(&path[..cut]) {
                let mode = Mode::from_bits(0o755);
                self.put(&path[..cut], Node::Directory, mode, Owner::default());
            }
        }
    }

    /// Where a path is once the links in its parents are followed; `None` when a parent is missing.
    pub(super) fn place(&self, path: &HostPath) -> Result<Option<String>, HostError> {
        let Some(parent) = path.parent() else {
            return Ok(Some("/".to_owned()));
        };
        let Some(folder) = self.follow(parent.as_str())? else {
            return Ok(None);
        };
        let is_folder = self
            .get(&folder)
            .is_some_and(|found| found.node == Node::Directory);
        Ok(is_folder.then(|| format!("{}/{}", folder.trim_end_matches('/'), path.name())))
    }

    /// Where a path leads, links at its end followed too; `None` when it leads to nothing.
    pub(super) fn follow(&self, path: &str) -> Result<Option<String>, HostError> {
        let mut at = String::new();
        let mut ahead: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut links = 0;
        while let Some(name) = ahead.pop() {
            match name.as_str() {
                "" | "." => continue,
                ".." => {
                    at.truncate(at.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let here = format!("{at}/{name}");
            match self.get(&here).map(|entry| (&entry.node, entry.uid)) {
                None => return Ok(None),
                Some((Node::Symlink(_), owner)) if owner != 0 => {
                    return Err(HostError::PlantedLink {
                        link: here,
                        planter: format!("user {owner}"),
                    });
                }
                Some((Node::Symlink(target), _)) => {
                    links += 1;
                    if links > MAX_LINKS {
                        let (path, limit) = (path.to_owned(), MAX_LINKS);
                        return Err(HostError::LinkLoop { path, limit });
                    }
                    if target.starts_with('/') {
                        at.clear();
                    }
                    ahead.extend(target.split('/').rev().map(str::to_owned));
                }
                Some(_) => at = here,
            }
        }
        Ok(Some(if at.is_empty() { "/".to_owned() } else { at }))
    }
}
