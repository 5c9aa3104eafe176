//! A disk that keeps what was synced, and of the rest what it likes.
//!
//! A sync of a file keeps what had been written to it before the sync began; a sync of a folder
//! keeps the names that had been made or taken away in it. Neither does the other's work.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use super::trace::Call;

/// What else survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    /// Nothing.
    Synced,
    /// A random half of the pages written since, and of each folder's changes some first ones.
    SyncedAndHalf,
}

/// Numbers that repeat with their seed (splitmix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}

/// What a disk writes at once, in bytes.
const PAGE: usize = 4096;

/// Something that happened between two lines of the trace.
struct Step<T> {
    start: usize,
    end: usize,
    what: T,
}

/// Changes of a file or folder, and when it was synced.
struct History<T> {
    changes: Vec<Step<T>>,
    syncs: Vec<Step<()>>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self {
            changes: Vec::new(),
            syncs: Vec::new(),
        }
    }
}

impl<T> History<T> {
    /// What was changed before this line is synced at the moment.
    fn synced_until(&self, moment: usize) -> usize {
        let done = self.syncs.iter().filter(|sync| sync.end < moment);
        done.map(|sync| sync.start).max().unwrap_or(0)
    }
}

enum Bytes {
    Put(usize, Vec<u8>),
    Cut(usize),
}

/// A name in a folder: what it stands for from now on.
type Name = (PathBuf, Option<Inode>);

#[derive(Clone, Copy)]
enum Inode {
    Folder,
    File(usize),
}

/// All that a program did below a folder.
pub(super) struct Disk {
    root: PathBuf,
    files: Vec<History<Bytes>>,
    folders: BTreeMap<PathBuf, History<Name>>,
}

/// Who has which name while the trace is read.
struct Reader {
    disk: Disk,
    names: HashMap<PathBuf, usize>,
    /// Where the next `write` of each file goes: every file is written from its start.
    ends: Vec<usize>,
}

impl Disk {
    /// Reads what happened below `root`, an empty folder at first.
    pub(super) fn of(calls: &[Call], root: &Path) -> Self {
        let disk = Self {
            root: root.to_owned(),
            files: Vec::new(),
            folders: BTreeMap::from([(root.to_owned(), History::default())]),
        };
        let mut reader = Reader {
            disk,
            names: HashMap::new(),
            ends: Vec::new(),
        };
        calls.iter().for_each(|call| reader.take(call));
        reader.disk
    }

    /// Makes the files as a power cut at a moment leaves them.
    pub(super) fn rebuild(&self, moment: usize, model: Model, random: &mut Random, place: &Path) {
        // A folder stands before what is in it, so one that was lost takes that along.
        for (folder, history) in &self.folders {
            let to = place.join(folder.strip_prefix(&self.root).unwrap());
            if !to.is_dir() {
                continue;
            }
            for (name, inode) in entries(history, moment, model, random) {
                let to = to.join(name.file_name().unwrap());
                match inode {
                    Inode::Folder => fs::create_dir(to).unwrap(),
                    Inode::File(file) => {
                        let file = &self.files[file];
                        fs::write(to, content(file, moment, model, random)).unwrap();
                    }
                }
            }
        }
    }
}

fn entries(
    history: &History<Name>,
    moment: usize,
    model: Model,
    random: &mut Random,
) -> BTreeMap<PathBuf, Inode> {
    let synced = history.synced_until(moment);
    let mut found = BTreeMap::new();
    let mut more = true;
    for step in history.changes.iter().filter(|step| step.start < moment) {
        if step.end >= synced {
            more = more && model == Model::SyncedAndHalf && random.below(4) > 0;
            if !more {
                continue;
            }
        }
        let (name, inode) = &step.what;
        match inode {
            Some(inode) => found.insert(name.clone(), *inode),
            None => found.remove(name),
        };
    }
    found
}

fn content(history: &History<Bytes>, moment: usize, model: Model, random: &mut Random) -> Vec<u8> {
    let synced = history.synced_until(moment);
    let mut found = Vec::new();
    for step in history.changes.iter().filter(|step| step.start < moment) {
        let lasts = step.end < synced;
        if !lasts && model == Model::Synced {
            continue;
        }
        match &step.what {
            Bytes::Cut(length) if lasts || random.below(2) == 0 => found.resize(*length, 0),
            Bytes::Cut(_) => {}
            Bytes::Put(at, bytes) if lasts => put(&mut found, *at, bytes),
            Bytes::Put(at, bytes) => {
                let mut at = *at;
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let (page, tail) = rest.split_at(rest.len().min(PAGE - at % PAGE));
                    if random.below(2) == 0 {
                        put(&mut found, at, page);
                    }
                    at += page.len();
                    rest = tail;
                }
            }
        }
    }
    found
}

fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}

impl Reader {
    fn take(&mut self, call: &Call) {
        match &*call.name {
            "openat" => self.open(call),
            "mkdir" | "mkdirat" => {
                let path = named(call, 0);
                self.entry(call, &path, Some(Inode::Folder));
                self.disk.folders.entry(path).or_default();
            }
            "rename" | "renameat" | "renameat2" => {
                let (from, to) = (named(call, 0), named(call, 1));
                if let Some(file) = self.names.remove(&from) {
                    self.names.insert(to.clone(), file);
                    self.entry(call, &to, Some(Inode::File(file)));
                    self.entry(call, &from, None);
                }
            }
            "unlink" | "unlinkat" => {
                let path = named(call, 0);
                if self.names.remove(&path).is_some() {
                    self.entry(call, &path, None);
                }
            }
            "fsync" | "fdatasync" => self.sync(call),
            "write" | "pwrite64" | "ftruncate" => self.change(call),
            other => {
                let ours = call.path.as_deref().is_some_and(|path| self.is_ours(path));
                let named = call
                    .strings
                    .iter()
                    .any(|path| self.is_ours(&String::from_utf8_lossy(path)));
                assert!(!ours && !named, "the replay does not know {other}");
            }
        }
    }

    fn is_ours(&self, path: &str) -> bool {
        Path::new(path).starts_with(&self.disk.root)
    }

    fn open(&mut self, call: &Call) {
        let path = named(call, 0);
        if !path.starts_with(&self.disk.root) || !call.flags.contains("O_CREAT") {
            return;
        }
        if self.names.contains_key(&path) {
            let cut = call.flags.contains("O_TRUNC");
            assert!(
                !cut,
                "the replay does not know O_TRUNC of {}",
                path.display()
            );
            return;
        }
        let file = self.disk.files.len();
        self.disk.files.push(History::default());
        self.ends.push(0);
        self.names.insert(path.clone(), file);
        self.entry(call, &path, Some(Inode::File(file)));
    }

    fn entry(&mut self, call: &Call, path: &Path, inode: Option<Inode>) {
        let Some(folder) = self.disk.folders.get_mut(path.parent().unwrap()) else {
            return;
        };
        folder.changes.push(Step {
            start: call.start,
            end: call.end,
            what: (path.to_owned(), inode),
        });
    }

    fn sync(&mut self, call: &Call) {
        let Some(path) = call.path.as_deref().map(Path::new) else {
            return;
        };
        let step = Step {
            start: call.start,
            end: call.end,
            what: (),
        };
        if let Some(folder) = self.disk.folders.get_mut(path) {
            folder.syncs.push(step);
        } else if let Some(&file) = self.names.get(path) {
            self.disk.files[file].syncs.push(step);
        }
    }

    fn change(&mut self, call: &Call) {
        let Some(&file) = call
            .path
            .as_deref()
            .and_then(|path| self.names.get(Path::new(path)))
        else {
            return;
        };
        let number = |number: u64| usize::try_from(number).unwrap();
        let what = match (&*call.name, call.strings.first()) {
            ("ftruncate", _) => Bytes::Cut(number(call.last.unwrap())),
            (name, Some(bytes)) => {
                let written = number(call.returned);
                let at = match name {
                    "pwrite64" => number(call.last.unwrap()),
                    _ => self.ends[file],
                };
                self.ends[file] = at + written;
                Bytes::Put(at, bytes[..written].to_vec())
            }
            _ => return,
        };
        self.disk.files[file].changes.push(Step {
            start: call.start,
            end: call.end,
            what,
        });
    }
}

/// A path among the call's strings; all of ours are absolute.
fn named(call: &Call, which: usize) -> PathBuf {
    String::from_utf8(call.strings[which].clone())
        .unwrap()
        .into()
}
