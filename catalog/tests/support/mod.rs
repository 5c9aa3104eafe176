//! A snapshot of a folder, as the tests need it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, dead_code)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use holdfast_catalog::Snapshot;
use holdfast_catalog::site::{Entry, encrypted, is_content, is_encrypted};
use holdfast_schemas::Digest;
use holdfast_schemas::resource::MAX_INLINE;

/// A file as whoever reads a site hands it to the compiler.
pub(crate) fn entry(path: &str, bytes: Vec<u8>) -> Entry {
    if !is_content(path) {
        return Entry::Text(bytes.into());
    }
    if is_encrypted(&bytes) {
        return encrypted(bytes.into());
    }
    let digest = Digest::of(&bytes);
    let size = bytes.len() as u64;
    let text = (bytes.len() <= MAX_INLINE).then(|| String::from_utf8(bytes).ok());
    let inline = text.flatten().map(Arc::from);
    Entry::Content {
        digest,
        size,
        inline,
    }
}

/// A site of files given as pairs of path and text.
pub(crate) fn site(files: &[(&str, &str)]) -> Snapshot {
    let files = files.iter();
    let files =
        files.map(|(path, text)| ((*path).to_owned(), entry(path, text.as_bytes().to_vec())));
    Snapshot {
        revision: "test".to_owned(),
        files: files.collect(),
    }
}

/// The site in a folder.
pub(crate) fn folder(root: &Path) -> Snapshot {
    let mut snapshot = Snapshot {
        revision: "test".to_owned(),
        ..Snapshot::default()
    };
    walk(root, "", &mut snapshot);
    snapshot
}

fn walk(root: &Path, prefix: &str, snapshot: &mut Snapshot) {
    for item in fs::read_dir(root).unwrap() {
        let item = item.unwrap();
        let name = item.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        match item.file_type().unwrap().is_dir() {
            true => walk(&item.path(), &format!("{path}/"), snapshot),
            false => {
                let bytes = fs::read(item.path()).unwrap();
                snapshot.files.insert(path.clone(), entry(&path, bytes));
            }
        }
    }
}
