//! The kernel's `stat` as ours.

use holdfast_schemas::resource::Mode;
use nix::sys::stat::{FileStat, SFlag};

use super::{FileType, Stat};

/// What sort of thing a `stat` describes.
pub(super) fn file_type_of(stat: &FileStat) -> FileType {
    match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
        SFlag::S_IFREG => FileType::File,
        SFlag::S_IFDIR => FileType::Directory,
        SFlag::S_IFLNK => FileType::Symlink,
        _ => FileType::Special,
    }
}

/// Whether a `stat` describes a symbolic link.
pub(super) fn is_symlink(stat: &FileStat) -> bool {
    file_type_of(stat) == FileType::Symlink
}

impl From<&FileStat> for Stat {
    fn from(stat: &FileStat) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            file_type: file_type_of(stat),
            mode: Mode::from_bits(stat.st_mode),
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            identity: (
                stat.st_dev,
                stat.st_ino,
                nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
                nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
            ),
        }
    }
}
