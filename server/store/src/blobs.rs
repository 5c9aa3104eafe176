//! Content by BLAKE3 digest: a folder of files, each named by what is in it.
//!
//! A blob is written beside its place, made durable and renamed, so a name that exists has all
//! its bytes. Names fan out over two levels of 256 folders. Where equal content is put twice, the
//! second time finds it there.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use holdfast_schemas::{Digest, Hasher};

use crate::StoreError;
use crate::files::{self, Draft};

/// Bytes read at a time from a stream.
const PIECE: usize = 128 * 1024;

/// A folder of blobs.
#[derive(Debug)]
pub struct BlobStore {
    folder: PathBuf,
}

/// A blob, opened for reading.
#[derive(Debug)]
pub struct Blob {
    /// Its bytes, from the start.
    pub file: File,
    /// How many.
    pub size: u64,
}

impl BlobStore {
    /// Opens the folder, makes it if it is not there, and clears what a crash left half written.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        files::make_folder(&folder)?;
        files::remove_drafts(&folder)?;
        // A crash may have left folders that are not durable.
        for outer in folders(&folder)? {
            files::sync_folder(&outer)?;
        }
        files::sync_folder(&folder)?;
        Ok(Self { folder })
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.folder.join(&name[..2]).join(&name[2..4]).join(&name)
    }

    /// Keeps bytes that are in memory, and says what they are called.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        if self.renew(&digest, bytes.len() as u64)? {
            return Ok(digest);
        }
        files::check_room(&self.folder, bytes.len() as u64)?;
        let mut draft = Draft::begin(&self.folder)?;
        draft.write(bytes)?;
        self.publish(draft, &digest)?;
        Ok(digest)
    }

    /// Keeps what a reader gives, at most `limit` bytes of it, and says how many there were. With
    /// a digest expected, anything else is refused.
    pub fn put_stream(
        &self,
        mut from: impl Read,
        expected: Option<&Digest>,
        limit: u64,
    ) -> Result<(Digest, u64), StoreError> {
        let mut draft = Draft::begin(&self.folder)?;
        let mut hasher = Hasher::new();
        let mut size = 0u64;
        let mut piece = vec![0; PIECE];
        loop {
            let read = match from.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(StoreError::file("read the stream for", &self.folder)(error));
                }
            };
            size += read as u64;
            if size > limit {
                return Err(StoreError::TooLarge { limit });
            }
            files::check_room(&self.folder, read as u64)?;
            hasher.update(&piece[..read]);
            draft.write(&piece[..read])?;
        }
        let found = hasher.finish();
        if let Some(&expected) = expected.filter(|expected| **expected != found) {
            return Err(StoreError::WrongDigest { expected, found });
        }
        self.publish(draft, &found)?;
        Ok((found, size))
    }

    fn publish(&self, draft: Draft, digest: &Digest) -> Result<(), StoreError> {
        let path = self.path(digest);
        if let Some(folder) = path.parent() {
            files::make_folder(folder)?;
        }
        draft.publish(&path)
    }

    /// Whether the blob is there with this length; if so it counts as put just now, which keeps it
    /// from [`BlobStore::remove_unused`] until it is named.
    pub fn renew(&self, digest: &Digest, size: u64) -> Result<bool, StoreError> {
        let path = self.path(digest);
        match File::open(&path) {
            Ok(file) => {
                let found = file.metadata().map_err(StoreError::file("stat", &path))?;
                // A file whose length is wrong was damaged from outside: it is written again.
                let whole = found.len() == size;
                if whole {
                    file.set_modified(SystemTime::now())
                        .map_err(StoreError::file("touch", &path))?;
                    // Its writer may have crashed before the name was durable.
                    files::sync_folder(path.parent().unwrap_or(&self.folder))?;
                }
                Ok(whole)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::file("open", &path)(error)),
        }
    }

    /// Whether a blob is there.
    pub fn contains(&self, digest: &Digest) -> Result<bool, StoreError> {
        let path = self.path(digest);
        path.try_exists()
            .map_err(StoreError::file("look for", &path))
    }

    /// Opens a blob; `None` if there is none of that name.
    pub fn get(&self, digest: &Digest) -> Result<Option<Blob>, StoreError> {
        let path = self.path(digest);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file("open", &path)(error)),
        };
        let size = file
            .metadata()
            .map_err(StoreError::file("stat", &path))?
            .len();
        Ok(Some(Blob { file, size }))
    }

    /// Reads a blob of at most `limit` bytes into memory and checks it against its name.
    pub fn read(&self, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(blob) = self.get(digest)? else {
            return Ok(None);
        };
        if blob.size > limit {
            return Err(StoreError::TooLarge { limit });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(blob.size).unwrap_or_default());
        let read = blob.file.take(limit).read_to_end(&mut bytes);
        read.map_err(StoreError::file("read", self.path(digest)))?;
        let found = Digest::of(&bytes);
        if found != *digest {
            return Err(StoreError::damaged(format!("blob {digest}"))(
                format!("its bytes are {found}").into(),
            ));
        }
        Ok(Some(bytes))
    }

    /// Removes blobs that are not in `used` and were put before `before`, and says how many.
    /// Whoever puts a blob and names it in a record only afterwards is safe while `before` is
    /// earlier than that.
    pub fn remove_unused(
        &self,
        used: &HashSet<Digest>,
        before: SystemTime,
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        for outer in folders(&self.folder)? {
            for inner in folders(&outer)? {
                removed += remove_unused_in(&inner, used, before)?;
            }
        }
        Ok(removed)
    }
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(StoreError::file("list", folder))? {
        let entry = entry.map_err(StoreError::file("list", folder))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn remove_unused_in(
    folder: &Path,
    used: &HashSet<Digest>,
    before: SystemTime,
) -> Result<u64, StoreError> {
    let mut removed = 0;
    for entry in fs::read_dir(folder).map_err(StoreError::file("list", folder))? {
        let entry = entry.map_err(StoreError::file("list", folder))?;
        let name = entry.file_name();
        // Files that are not blobs are not ours to remove.
        let Some(digest) = name.to_str().and_then(|name| name.parse::<Digest>().ok()) else {
            continue;
        };
        let put = entry.metadata().and_then(|found| found.modified());
        if !used.contains(&digest) && put.is_ok_and(|put| put < before) {
            files::remove(&entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests;
