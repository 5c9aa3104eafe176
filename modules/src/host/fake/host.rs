//! The fake host as a host: looked at and changed like any other.

use std::io::{self, Cursor, Read};
use std::sync::Arc;

use holdfast_schemas::resource::{Content, Mode};
use holdfast_schemas::secret::Commitment;
use holdfast_schemas::{Digest, HostPath};
use nix::errno::Errno;
use zeroize::Zeroizing;

use super::files::{Entry, Node};
use super::{FakeHost, lock};
use crate::host::accounts::Accounts;
use crate::host::{
    ContentSource, Displace, Facility, FileType, Host, HostError, Invocation, NewFile, Output,
    Owner, Probe, Query, Stat, Support, content, glob, query,
};

impl Probe for FakeHost {
    fn stat(&self, path: &HostPath) -> Result<Option<Stat>, HostError> {
        let files = lock(&self.files);
        let place = files.place(path)?;
        Ok(place.and_then(|place| files.get(&place)).map(Entry::stat))
    }

    fn reach(&self, folder: &HostPath, target: &str) -> Result<Option<FileType>, HostError> {
        let files = lock(&self.files);
        let path = match target.starts_with('/') {
            true => target.to_owned(),
            false => format!("{folder}/{target}"),
        };
        let place = files.follow(&path)?;
        Ok(place
            .and_then(|place| files.get(&place))
            .map(|found| found.stat().file_type))
    }

    fn read(&self, path: &HostPath, limit: usize) -> Result<Vec<u8>, HostError> {
        let bytes = self.bytes(path)?;
        match bytes.len() > limit {
            false => Ok(bytes),
            true => Err(HostError::TooLong {
                path: path.to_string(),
                limit,
            }),
        }
    }

    fn digest(&self, path: &HostPath) -> Result<Digest, HostError> {
        self.bytes(path).map(Digest::of)
    }

    fn holds(&self, path: &HostPath, _stat: &Stat, wanted: &Content) -> Result<bool, HostError> {
        Ok(self.digest(path)? == self.measure(wanted)?.0)
    }

    fn read_link(&self, path: &HostPath) -> Result<String, HostError> {
        let files = lock(&self.files);
        let place = files.place(path)?;
        match place
            .and_then(|place| files.get(&place))
            .map(|entry| &entry.node)
        {
            Some(Node::Symlink(target)) => Ok(target.clone()),
            Some(_) => Err(HostError::path("read the link", path, Errno::EINVAL)),
            None => Err(HostError::path("read the link", path, Errno::ENOENT)),
        }
    }

    fn list(&self, path: &HostPath) -> Result<Vec<String>, HostError> {
        let files = lock(&self.files);
        let folder = files.follow(path.as_str())?;
        let is_folder = |place: &String| {
            files
                .get(place)
                .is_some_and(|found| found.node == Node::Directory)
        };
        match folder.filter(is_folder) {
            Some(folder) => Ok(files.list(&folder)),
            None => Err(HostError::path("list", path, Errno::ENOTDIR)),
        }
    }

    fn any_matches(&self, pattern: &str) -> Result<bool, HostError> {
        glob::any_matches(self, pattern)
    }

    fn content<'c>(&self, wanted: &'c Content) -> Result<Box<dyn Read + 'c>, HostError> {
        content::open(wanted, self)
    }

    fn accounts(&self) -> Result<Arc<Accounts>, HostError> {
        let files = lock(&self.files);
        let (passwd, group) = (files.text("/etc/passwd"), files.text("/etc/group"));
        Ok(Arc::new(Accounts::parse(passwd, group)))
    }

    fn query(&self, query: &Query) -> Result<Output, HostError> {
        self.call(&query::invocation(query))
    }

    fn supports(&self, facility: Facility) -> Support {
        let lacks = lock(&self.lacks);
        let lacking = lacks.iter().find(|(lacking, _)| *lacking == facility);
        lacking.map_or(Support::Yes, |(_, why)| Support::No(why.clone()))
    }
}

impl ContentSource for FakeHost {
    fn open(&self, digest: &Digest) -> io::Result<Box<dyn Read + Send>> {
        let blob = lock(&self.blobs).get(digest).cloned();
        let blob = blob.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Box::new(Cursor::new(blob)))
    }

    fn unseal(&self, commitment: &Commitment) -> io::Result<Zeroizing<Vec<u8>>> {
        let sealed = lock(&self.sealed).get(commitment).cloned();
        let content = sealed.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Zeroizing::new(content))
    }
}

impl Host for FakeHost {
    fn write_file(&self, path: &HostPath, file: &NewFile<'_>) -> Result<(), HostError> {
        let found = self.stat(path)?.map(|stat| stat.file_type);
        if let (Some(found), Displace::File) =
            (found.filter(|t| *t != FileType::File), file.displace)
        {
            return Err(HostError::WrongType {
                path: path.to_string(),
                found: found.as_str(),
                expected: FileType::File.as_str(),
            });
        }
        let bytes = self.checked(path, file)?;
        self.change("write", path, |files, place| {
            files.remove(place);
            files.put(place, Node::File(bytes), file.mode, file.owner);
            Ok(())
        })
    }

    fn make_directory(&self, path: &HostPath, mode: Mode, owner: Owner) -> Result<(), HostError> {
        self.change("make the folder", path, |files, place| {
            if files.get(place).is_some() {
                return Err(Errno::EEXIST);
            }
            files.put(place, Node::Directory, mode, owner);
            Ok(())
        })
    }

    fn make_symlink(&self, path: &HostPath, target: &str) -> Result<(), HostError> {
        let found = self.stat(path)?.map(|stat| stat.file_type);
        if let Some(found) = found.filter(|found| *found != FileType::Symlink) {
            return Err(HostError::WrongType {
                path: path.to_string(),
                found: found.as_str(),
                expected: FileType::Symlink.as_str(),
            });
        }
        self.change("make the link", path, |files, place| {
            let node = Node::Symlink(target.to_owned());
            files.put(place, node, Mode::from_bits(0o777), Owner::default());
            Ok(())
        })
    }

    fn set_mode(&self, path: &HostPath, mode: Mode) -> Result<(), HostError> {
        self.change("set the mode of", path, |files, place| {
            match files.get(place).map(|entry| &entry.node) {
                None => Err(Errno::ENOENT),
                Some(Node::Symlink(_)) => Err(Errno::EOPNOTSUPP),
                Some(_) => {
                    files.change(place, |entry| entry.mode = mode);
                    Ok(())
                }
            }
        })
    }

    fn set_owner(&self, path: &HostPath, owner: Owner) -> Result<(), HostError> {
        self.change("set the owner of", path, |files, place| {
            let there = files.change(place, |entry| {
                entry.uid = owner.uid.unwrap_or(entry.uid);
                entry.gid = owner.gid.unwrap_or(entry.gid);
                if matches!(entry.node, Node::File(_)) {
                    // As chown(2) does.
                    entry.mode = Mode::from_bits(entry.mode.bits() & 0o1777);
                }
            });
            if there { Ok(()) } else { Err(Errno::ENOENT) }
        })
    }

    fn remove(&self, path: &HostPath) -> Result<(), HostError> {
        self.change("remove", path, |files, place| match files.get(place) {
            None => Err(Errno::ENOENT),
            Some(_) if !files.list(place).is_empty() => Err(Errno::ENOTEMPTY),
            Some(_) => {
                files.remove(place);
                Ok(())
            }
        })
    }

    fn remove_tree(&self, path: &HostPath) -> Result<(), HostError> {
        if path.parent().is_none() {
            return Err(HostError::refused(
                path,
                "is the root, which is never removed",
            ));
        }
        self.change("remove what is below", path, |files, place| {
            match files.get(place) {
                None => Err(Errno::ENOENT),
                Some(_) => {
                    files.remove(place);
                    Ok(())
                }
            }
        })
    }

    fn run(&self, invocation: &Invocation) -> Result<Output, HostError> {
        self.call(invocation)
    }

    fn as_probe(&self) -> &dyn Probe {
        self
    }
}
