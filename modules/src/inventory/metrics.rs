//! Volatile figures: uptime, load, free memory, file systems.

use std::collections::BTreeMap;

use holdfast_schemas::inventory::{Filesystem, Metrics};
use nix::sys::statvfs::statvfs;

use super::memory;
use super::tree::Tree;

/// File systems that live on a disk of this host. Others are not asked for their size: one whose
/// server is away would hang the agent, and one that lives in memory is no capacity.
const LOCAL: &[&str] = &[
    "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "ntfs3", "reiserfs",
    "vfat", "xfs", "zfs",
];

/// Most file systems in an inventory; a host with more runs containers, whose mounts repeat.
const MAX_FILESYSTEMS: usize = 1000;

/// The figures of this moment.
pub(super) fn metrics(tree: &Tree) -> Metrics {
    let read = |path: &str| tree.kernel_text(path).unwrap_or_default();
    Metrics {
        uptime_s: uptime(&read("proc/uptime")),
        load: load(&read("proc/loadavg")),
        memory_available_mib: memory::available_mib(tree),
        filesystems: mounts(&read("proc/self/mounts"))
            .filter_map(measure)
            .take(MAX_FILESYSTEMS)
            .collect(),
    }
}

fn uptime(text: &str) -> u64 {
    let whole = text.split(['.', ' ']).next().unwrap_or_default();
    whole.parse().unwrap_or_default()
}

fn load(text: &str) -> [f64; 3] {
    let mut load = [0.0; 3];
    for (place, word) in load.iter_mut().zip(text.split_ascii_whitespace()) {
        let value: f64 = word.parse().unwrap_or_default();
        *place = if value.is_finite() { value } else { 0.0 };
    }
    load
}

/// Mount points and types of local file systems, sorted, each device once where it was mounted
/// first: what follows are bind mounts.
fn mounts(text: &str) -> impl Iterator<Item = (String, String)> {
    let mut first: BTreeMap<&str, (String, String)> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let (Some(device), Some(mount), Some(kind)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        if LOCAL.contains(&kind) {
            let entry = || (unescape(mount), kind.to_owned());
            first.entry(device).or_insert_with(entry);
        }
    }
    let mut found: Vec<_> = first.into_values().collect();
    found.sort();
    found.into_iter()
}

/// Undoes the kernel's escapes for blanks and backslashes, `\040`.
fn unescape(text: &str) -> String {
    let escapes = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    let undo = |text: String, (from, to): (&str, &str)| text.replace(from, to);
    escapes.into_iter().fold(text.to_owned(), undo)
}

fn measure((mount, kind): (String, String)) -> Option<Filesystem> {
    let found = statvfs(mount.as_str()).ok()?;
    let mebibytes = |blocks: u64| {
        let bytes = u128::from(blocks) * u128::from(found.fragment_size());
        u64::try_from(bytes / (1024 * 1024)).unwrap_or(u64::MAX)
    };
    Some(Filesystem {
        total_mib: mebibytes(found.blocks()),
        available_mib: mebibytes(found.blocks_available()),
        mount,
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_the_kernel_are_read_and_nonsense_is_zero() {
        assert_eq!(uptime("5023.42 9931.11\n"), 5023);
        assert_eq!(load("0.52 1.10 NaN 3/812 4711\n"), [0.52, 1.10, 0.0]);
        assert_eq!((uptime("x"), load("")), (0, [0.0; 3]));
    }

    #[test]
    fn each_local_device_is_listed_once_and_no_remote_one() {
        let text = "/dev/sda1 / ext4 rw 0 0\n/dev/sda1 /srv/bind ext4 rw 0 0\n\
                    nas:/x /nas nfs4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n/dev/sdb1 /a\\040b xfs rw 0 0\nodd\n";
        let found: Vec<_> = mounts(text).collect();
        let place = |mount: &str, kind: &str| (mount.to_owned(), kind.to_owned());
        assert_eq!(found, [place("/", "ext4"), place("/a b", "xfs")]);
    }
}
