//! Blobs: put, read, refused, removed, and a disk that is full.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::{Kind, small_disk};

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files_in(&path)),
            false => found.push(path),
        }
    }
    found
}

#[test]
fn what_was_put_is_read_back_and_stored_once() {
    let folder = TempDir::new().unwrap();
    let blobs = BlobStore::open(folder.path().join("blobs")).unwrap();
    for content in [b"".to_vec(), b"x".to_vec(), vec![7; 300_000]] {
        let digest = blobs.put(&content).unwrap();
        let size = content.len() as u64;
        assert_eq!(digest, Digest::of(&content));
        assert_eq!(blobs.put(&content).unwrap(), digest);
        let streamed = blobs.put_stream(&*content, Some(&digest), size).unwrap();
        assert_eq!(streamed, (digest, size));
        let blob = blobs.get(&digest).unwrap().unwrap();
        assert_eq!(blob.size, size);
        assert_eq!(blobs.read(&digest, size).unwrap().unwrap(), content);
        assert!(blobs.contains(&digest).unwrap());
    }
    assert_eq!(files_in(folder.path()).len(), 3);
    let none = Digest::of("none");
    assert!(!blobs.contains(&none).unwrap());
    assert!(blobs.get(&none).unwrap().is_none());
    assert!(blobs.read(&none, 9).unwrap().is_none());
}

#[test]
fn what_is_refused_leaves_nothing() {
    struct Breaks(u32);
    impl Read for Breaks {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1..=3 => Ok(into.len()),
                _ => Err(ErrorKind::ConnectionReset.into()),
            }
        }
    }
    let folder = TempDir::new().unwrap();
    let blobs = BlobStore::open(folder.path()).unwrap();
    let expected = Digest::of("right");
    let wrong = blobs.put_stream(&b"wrong"[..], Some(&expected), 99);
    assert!(matches!(wrong, Err(StoreError::WrongDigest { .. })));
    let long = blobs.put_stream(std::io::repeat(1), None, 1 << 20);
    assert!(matches!(long, Err(StoreError::TooLarge { .. })));
    let broken = blobs.put_stream(Breaks(0), None, 1 << 30).unwrap_err();
    assert_eq!(broken.kind(), Kind::Transient);
    assert_eq!(files_in(folder.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_damaged_blob_is_said_to_be_so_and_a_cut_one_written_again() {
    let folder = TempDir::new().unwrap();
    let blobs = BlobStore::open(folder.path()).unwrap();
    let digest = blobs.put(b"content").unwrap();
    let path = files_in(folder.path()).remove(0);
    fs::write(&path, "c0ntent").unwrap();
    let damaged = blobs.read(&digest, 99).unwrap_err();
    assert_eq!(damaged.kind(), Kind::Corrupt);
    fs::write(&path, "con").unwrap();
    blobs.put(b"content").unwrap();
    assert_eq!(blobs.read(&digest, 99).unwrap().unwrap(), b"content");
}

#[test]
fn what_nothing_names_is_removed_unless_it_is_new() {
    let folder = TempDir::new().unwrap();
    let blobs = BlobStore::open(folder.path()).unwrap();
    let used = blobs.put(b"used").unwrap();
    let unused = blobs.put(b"unused").unwrap();
    let live = HashSet::from([used]);
    let now = SystemTime::now();
    let hour = Duration::from_secs(3600);
    assert_eq!(blobs.remove_unused(&live, now - hour).unwrap(), 0);
    assert_eq!(blobs.remove_unused(&live, now + hour).unwrap(), 1);
    assert!(blobs.contains(&used).unwrap());
    assert!(!blobs.contains(&unused).unwrap());
}

#[test]
fn a_full_disk_is_said_to_be_so_and_leaves_nothing() {
    let name = "blobs::tests::a_full_disk_is_said_to_be_so_and_leaves_nothing";
    let Some(disk) = small_disk::within(name) else {
        return;
    };
    let blobs = BlobStore::open(disk.join("blobs")).unwrap();
    let kept = blobs.put(b"kept").unwrap();
    let endless = blobs.put_stream(std::io::repeat(1), None, u64::MAX);
    let endless = endless.unwrap_err();
    assert!(matches!(endless, StoreError::DiskFull { .. }), "{endless}");
    assert_eq!(files_in(&disk.join("blobs")).len(), 1);

    // Not a byte is left, as when somebody else takes the last of it in the midst of a write.
    small_disk::fill(&disk);
    let full = blobs.put(&[7; 100]).unwrap_err();
    assert!(matches!(full, StoreError::DiskFull { .. }), "{full}");
    let mut draft = Draft::begin(&disk.join("blobs")).unwrap();
    let failed = draft.write(&[7; 100_000]).unwrap_err();
    assert_eq!(failed.kind(), Kind::Transient, "{failed:?}");
    drop(draft);
    assert_eq!(files_in(&disk.join("blobs")).len(), 1);
    assert_eq!(blobs.read(&kept, 9).unwrap().unwrap(), b"kept");

    small_disk::free(&disk);
    blobs.put(&[7; 100]).unwrap();
}

#[test]
fn drafts_of_a_crash_are_gone_after_a_restart() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(".new-1-1"), "half").unwrap();
    BlobStore::open(folder.path()).unwrap();
    assert_eq!(files_in(folder.path()), Vec::<PathBuf>::new());
}
