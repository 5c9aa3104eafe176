//! Looking through the overlay: what is assumed, else what is there.

use std::io::Read;
use std::sync::Arc;

use holdfast_schemas::resource::Content;
use holdfast_schemas::{Digest, HostPath};

use super::Overlay;
use super::paths::{Assumed, MAX_LINKS, normal};
use crate::host::accounts::Accounts;
use crate::host::{
    Facility, FileType, HostError, Output, Probe, Query, Stat, Support, glob, name_service,
};
use crate::package::Memo;

impl Probe for Overlay<'_> {
    fn stat(&self, path: &HostPath) -> Result<Option<Stat>, HostError> {
        match self.assumed(&self.settle(path)?) {
            Some(assumed) => Ok(assumed.stat()),
            None => self.base.stat(&self.on_base(path)?),
        }
    }

    fn reach(&self, folder: &HostPath, target: &str) -> Result<Option<FileType>, HostError> {
        let mut at = normal(folder.as_str(), target);
        for _ in 0..MAX_LINKS {
            while let Some(followed) = self.follow_one(&at) {
                at = followed;
            }
            match self.assumed(&at) {
                Some(Assumed::Symlink(_, target)) => {
                    let holder = at.rsplit_once('/').map_or("", |(holder, _)| holder);
                    at = normal(holder, target);
                }
                Some(assumed) => return Ok(assumed.stat().map(|stat| stat.file_type)),
                None => {
                    let root = "/"
                        .parse()
                        .map_err(|_| HostError::refused("/", "is no path"))?;
                    return self.base.reach(&root, &at);
                }
            }
        }
        Err(HostError::LinkLoop {
            path: at,
            limit: MAX_LINKS,
        })
    }

    fn read(&self, path: &HostPath, limit: usize) -> Result<Vec<u8>, HostError> {
        let Some(wanted) = self.content_of(path)? else {
            return self.base.read(&self.on_base(path)?, limit);
        };
        let mut bytes = Vec::new();
        let read = self
            .content(wanted)?
            .take(limit as u64 + 1)
            .read_to_end(&mut bytes);
        read.map_err(|source| HostError::path("read", path, source))?;
        match bytes.len() > limit {
            false => Ok(bytes),
            true => Err(HostError::TooLong {
                path: path.to_string(),
                limit,
            }),
        }
    }

    fn digest(&self, path: &HostPath) -> Result<Digest, HostError> {
        match self.content_of(path)? {
            Some(content) => Ok(self.measure(content)?.0),
            None => self.base.digest(&self.on_base(path)?),
        }
    }

    fn holds(&self, path: &HostPath, stat: &Stat, wanted: &Content) -> Result<bool, HostError> {
        match self.content_of(path)? {
            Some(content) => Ok(self.measure(content)? == self.measure(wanted)?),
            None => self.base.holds(&self.on_base(path)?, stat, wanted),
        }
    }

    fn read_link(&self, path: &HostPath) -> Result<String, HostError> {
        match self.assumed(&self.settle(path)?) {
            Some(Assumed::Symlink(_, target)) => Ok(target.clone()),
            _ => self.base.read_link(&self.on_base(path)?),
        }
    }

    fn list(&self, path: &HostPath) -> Result<Vec<String>, HostError> {
        let folder = self.settle(path)?;
        let mut names = match self.base.reach(path, ".")? {
            Some(FileType::Directory) => self.base.list(&self.on_base(path)?)?,
            _ => Vec::new(),
        };
        let below = format!("{}/", folder.trim_end_matches('/'));
        names.retain(|name| {
            !matches!(
                self.assumed(&format!("{below}{name}")),
                Some(Assumed::Nothing)
            )
        });
        for (other, assumed) in &self.paths {
            let name = other
                .strip_prefix(&below)
                .filter(|name| !name.contains('/'));
            if let (Some(name), Some(_)) = (name, assumed.stat()) {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn any_matches(&self, pattern: &str) -> Result<bool, HostError> {
        glob::any_matches(self, pattern)
    }

    fn content<'c>(&self, wanted: &'c Content) -> Result<Box<dyn Read + 'c>, HostError> {
        self.base.content(wanted)
    }

    fn accounts(&self) -> Result<Arc<Accounts>, HostError> {
        match &self.accounts {
            Some(accounts) => Ok(Arc::clone(accounts)),
            None => self.base.accounts(),
        }
    }

    fn query(&self, query: &Query) -> Result<Output, HostError> {
        match query {
            Query::NameService { database, name } if self.is_gone(*database, name)? => {
                Ok(name_service::no_entry())
            }
            query => self.base.query(query),
        }
    }

    fn supports(&self, facility: Facility) -> Support {
        self.base.supports(facility)
    }

    fn memo(&self) -> Option<&Memo> {
        self.base.memo()
    }
}
