//! A host as it would be once earlier resources were applied: what a no-op run looks at.
//!
//! The run looks at a resource, and if it differs tells the overlay, which from then on answers as
//! if it had been applied: the folder is there, the file holds that, the user exists. What cannot
//! be foreseen (what a package brings, what a command does) is not made up: the overlay only
//! remembers that it was to happen, so that what is found missing afterwards can be called unknown.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use holdfast_schemas::resource::{
    Content, Directory, Ensure, File, Group, Mode, PackageState, Spec, Symlink, User,
};
use holdfast_schemas::{Digest, HostPath};

use super::accounts::{Accounts, GroupEntry, UserEntry};
use super::{Facility, FileType, HostError, Output, Probe, Query, Stat, Support, glob};
use crate::package::Memo;

/// How many assumed links are followed on one path.
const MAX_LINKS: usize = 40;

/// Numbers of accounts that would be made with a number of the system's choosing begin here, far
/// above what a system chooses.
const FIRST_ASSUMED: u32 = 0xf000_0000;

/// What would be at a path.
#[derive(Debug, Clone)]
enum Assumed {
    Nothing,
    File(Stat, Option<Content>),
    Directory(Stat, Inside),
    Symlink(Stat, String),
}

/// What would be in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// What is in it now.
    AsBefore,
    /// Only what is assumed to be: it would be new.
    Nothing,
}

impl Assumed {
    fn stat(&self) -> Option<Stat> {
        match self {
            Self::Nothing => None,
            Self::File(stat, _) | Self::Directory(stat, _) | Self::Symlink(stat, _) => Some(*stat),
        }
    }
}

/// A host seen through what earlier resources would have made of it.
pub struct Overlay<'a> {
    base: &'a dyn Probe,
    paths: BTreeMap<String, Assumed>,
    accounts: Option<Arc<Accounts>>,
    next: u32,
    unforeseen: Vec<String>,
}

impl<'a> Overlay<'a> {
    /// The host as it is.
    pub fn new(base: &'a dyn Probe) -> Self {
        Self {
            base,
            paths: BTreeMap::new(),
            accounts: None,
            next: FIRST_ASSUMED,
            unforeseen: Vec::new(),
        }
    }

    /// Takes a resource that differs as applied.
    pub fn assume(&mut self, spec: &Spec) -> Result<(), HostError> {
        match spec {
            Spec::File(file) => self.assume_file(file),
            Spec::Directory(folder) => self.assume_directory(folder),
            Spec::Symlink(link) => self.assume_symlink(link),
            Spec::User(user) => self.assume_user(user),
            Spec::Group(group) => self.assume_group(group),
            Spec::Package(package) => {
                let verb = match package.state {
                    PackageState::Installed | PackageState::Latest => "installing",
                    PackageState::Absent | PackageState::Purged => "removing",
                };
                self.unforeseen
                    .push(format!("what {verb} package {} changes", package.name));
                Ok(())
            }
            Spec::Exec(exec) => {
                let program = super::command::program_of(&exec.command);
                self.unforeseen
                    .push(format!("what the command {program:?} changes"));
                Ok(())
            }
            Spec::Service(_) => Ok(()),
        }
    }

    /// What cannot be foreseen and would have happened by now; empty when all can. A resource
    /// that fails to be observed because something is missing may find it there after all.
    pub fn unforeseen(&self) -> &[String] {
        &self.unforeseen
    }

    fn assume_file(&mut self, file: &File) -> Result<(), HostError> {
        if file.ensure == Ensure::Absent {
            return self.assume_nothing(&file.path);
        }
        let present = self.stat(&file.path)?;
        let present = present.filter(|stat| stat.file_type == FileType::File);
        let kept = present.is_some() && !file.replace;
        let content = match (&file.content, present) {
            (Some(content), _) if !kept => Some(content.clone()),
            (_, Some(_)) => match self.paths.get(&self.settle(&file.path)?) {
                Some(Assumed::File(_, content)) => content.clone(),
                _ => None,
            },
            (_, None) => Some(Content::Text(String::new())),
        };
        let owner = (file.owner.as_deref(), file.group.as_deref());
        let mode = file.mode.unwrap_or(Mode::from_bits(0o644));
        let mut stat = self.new_stat(FileType::File, present, (file.mode, mode), owner)?;
        if let Some(content) = &content {
            stat.size = content.size();
        }
        self.put(&file.path, Assumed::File(stat, content))
    }

    fn assume_directory(&mut self, folder: &Directory) -> Result<(), HostError> {
        if folder.ensure == Ensure::Absent {
            return self.assume_nothing(&folder.path);
        }
        let present = self.stat(&folder.path)?;
        let present = present.filter(|stat| stat.file_type == FileType::Directory);
        let owner = (folder.owner.as_deref(), folder.group.as_deref());
        let mode = folder.mode.unwrap_or(Mode::from_bits(0o755));
        let stat = self.new_stat(FileType::Directory, present, (folder.mode, mode), owner)?;
        self.put(&folder.path, Assumed::Directory(stat, Inside::Nothing))
    }

    fn assume_symlink(&mut self, link: &Symlink) -> Result<(), HostError> {
        if link.ensure == Ensure::Absent {
            return self.assume_nothing(&link.path);
        }
        let target = link.target.clone().unwrap_or_default();
        let mode = Mode::from_bits(0o777);
        let stat = self.new_stat(FileType::Symlink, None, (None, mode), (None, None))?;
        self.put(&link.path, Assumed::Symlink(stat, target))
    }

    /// What something would look like: as it is, with what is declared; new, with what is usual.
    fn new_stat(
        &self,
        file_type: FileType,
        present: Option<Stat>,
        (declared, usual): (Option<Mode>, Mode),
        (user, group): (Option<&str>, Option<&str>),
    ) -> Result<Stat, HostError> {
        let accounts = self.accounts()?;
        let new = Stat {
            file_type,
            mode: usual,
            uid: 0,
            gid: 0,
            size: 0,
            identity: (0, 0, 0, 0),
        };
        let mut stat = present.unwrap_or(new);
        stat.mode = declared.unwrap_or(stat.mode);
        stat.uid = user.map_or(Ok(stat.uid), |user| accounts.uid(user))?;
        stat.gid = group.map_or(Ok(stat.gid), |group| accounts.gid(group))?;
        Ok(stat)
    }

    fn assume_nothing(&mut self, path: &HostPath) -> Result<(), HostError> {
        self.put(path, Assumed::Nothing)
    }

    /// Takes something as being at a path. A folder that is there stays as full as it is; anything
    /// else takes the place of what was at the path and below it.
    fn put(&mut self, path: &HostPath, mut assumed: Assumed) -> Result<(), HostError> {
        let place = self.settle(path)?;
        let found = self.stat(path)?.map(|stat| stat.file_type);
        match &mut assumed {
            Assumed::Directory(_, inside) if found == Some(FileType::Directory) => {
                *inside = match self.paths.get(&place) {
                    Some(Assumed::Directory(_, inside)) => *inside,
                    _ => Inside::AsBefore,
                };
            }
            _ => {
                let below = format!("{place}/");
                self.paths.retain(|other, _| !other.starts_with(&below));
            }
        }
        self.paths.insert(place, assumed);
        Ok(())
    }

    fn assume_user(&mut self, user: &User) -> Result<(), HostError> {
        let mut accounts = Accounts::clone(&*self.accounts()?);
        if user.ensure == Ensure::Absent {
            accounts.users.remove(&user.name);
            self.accounts = Some(Arc::new(accounts));
            return Ok(());
        }
        let group = user
            .group
            .as_deref()
            .map(|group| accounts.gid(group))
            .transpose()?;
        let known = accounts.users.get(&user.name).cloned();
        let uid = user.uid.or(known.as_ref().map(|known| known.uid));
        let gid = group.or(known.as_ref().map(|known| known.gid));
        let uid = uid.unwrap_or_else(|| self.number());
        // useradd makes a group of the user's name when it is given none.
        let gid = gid.unwrap_or_else(|| {
            let gid = accounts.groups.get(&user.name).map(|group| group.gid);
            gid.unwrap_or_else(|| self.number())
        });
        let own = GroupEntry {
            gid,
            members: Vec::new(),
        };
        if group.is_none() {
            accounts.groups.entry(user.name.clone()).or_insert(own);
        }
        let text = |wanted: Option<String>, known: fn(&UserEntry) -> &String, usual: &str| {
            let known = || {
                accounts
                    .users
                    .get(&user.name)
                    .map(|entry| known(entry).clone())
            };
            wanted.or_else(known).unwrap_or_else(|| usual.to_owned())
        };
        let path = |path: &Option<HostPath>| path.as_ref().map(|path| path.to_string());
        let entry = UserEntry {
            uid,
            gid,
            comment: text(user.comment.clone(), |known| &known.comment, ""),
            home: text(
                path(&user.home),
                |known| &known.home,
                &format!("/home/{}", user.name),
            ),
            shell: text(path(&user.shell), |known| &known.shell, "/bin/sh"),
        };
        let home = entry.home.parse::<HostPath>();
        accounts.users.insert(user.name.clone(), entry);
        for group in user.groups.iter().flatten() {
            if let Some(group) = accounts.groups.get_mut(group)
                && !group.members.contains(&user.name)
            {
                group.members.push(user.name.clone());
            }
        }
        self.accounts = Some(Arc::new(accounts));
        match home {
            Ok(home) if user.manage_home && self.stat(&home)?.is_none() => {
                let mode = Mode::from_bits(0o700);
                let owner = (Some(user.name.as_str()), None);
                let mut stat = self.new_stat(FileType::Directory, None, (None, mode), owner)?;
                stat.gid = gid;
                self.put(&home, Assumed::Directory(stat, Inside::Nothing))
            }
            _ => Ok(()),
        }
    }

    fn assume_group(&mut self, group: &Group) -> Result<(), HostError> {
        let mut accounts = Accounts::clone(&*self.accounts()?);
        if group.ensure == Ensure::Absent {
            accounts.groups.remove(&group.name);
        } else {
            let known = accounts.groups.get(&group.name);
            let gid = group.gid.or(known.map(|known| known.gid));
            let members = known.map(|known| known.members.clone()).unwrap_or_default();
            let gid = gid.unwrap_or_else(|| self.number());
            accounts
                .groups
                .insert(group.name.clone(), GroupEntry { gid, members });
        }
        self.accounts = Some(Arc::new(accounts));
        Ok(())
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// Where a path is once assumed links in its parents are followed.
    fn settle(&self, path: &HostPath) -> Result<String, HostError> {
        let mut settled = path.to_string();
        for _ in 0..MAX_LINKS {
            let Some(followed) = self.follow_one(&settled) else {
                return Ok(settled);
            };
            settled = followed;
        }
        Err(HostError::LinkLoop {
            path: path.to_string(),
            limit: MAX_LINKS,
        })
    }

    /// The path with its first assumed link followed; `None` when none of its parents is one.
    fn follow_one(&self, path: &str) -> Option<String> {
        let cuts = path.match_indices('/').skip(1).map(|(cut, _)| cut);
        for cut in cuts {
            if let Some(Assumed::Symlink(_, target)) = self.paths.get(&path[..cut]) {
                let holder = path[..cut]
                    .rsplit_once('/')
                    .map_or("", |(holder, _)| holder);
                return Some(normal(holder, &format!("{target}{}", &path[cut..])));
            }
        }
        None
    }

    /// What is assumed of a path; `None` when the host itself is to be asked.
    fn assumed(&self, settled: &str) -> Option<&Assumed> {
        if let Some(assumed) = self.paths.get(settled) {
            return Some(assumed);
        }
        let mut above = settled;
        while let Some((holder, _)) = above.rsplit_once('/') {
            above = holder;
            match self.paths.get(above) {
                Some(Assumed::Directory(_, Inside::AsBefore)) => return None,
                Some(_) => return Some(&Assumed::Nothing),
                None => {}
            }
        }
        None
    }

    fn on_base(&self, path: &HostPath) -> Result<HostPath, HostError> {
        let settled = self.settle(path)?;
        let refused = |error: holdfast_schemas::HostPathError| {
            HostError::refused(&settled, error.to_string())
        };
        settled.parse().map_err(refused)
    }

    /// The assumed content of a file, if it is assumed.
    fn content_of(&self, path: &HostPath) -> Result<Option<&Content>, HostError> {
        match self.assumed(&self.settle(path)?) {
            Some(Assumed::File(_, content)) => Ok(content.as_ref()),
            _ => Ok(None),
        }
    }
}

/// A path from a folder as text, without `.`, `..` and empty components.
fn normal(folder: &str, target: &str) -> String {
    let start = if target.starts_with('/') { "" } else { folder };
    let mut components: Vec<&str> = Vec::new();
    for component in start.split('/').chain(target.split('/')) {
        match component {
            "" | "." => {}
            ".." => {
                components.pop();
            }
            name => components.push(name),
        }
    }
    format!("/{}", components.join("/"))
}

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
            Some(content) => Ok(content.digest()),
            None => self.base.digest(&self.on_base(path)?),
        }
    }

    fn holds(&self, path: &HostPath, stat: &Stat, wanted: &Content) -> Result<bool, HostError> {
        match self.content_of(path)? {
            Some(content) => Ok(content.digest() == wanted.digest()),
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
        self.base.query(query)
    }

    fn supports(&self, facility: Facility) -> Support {
        self.base.supports(facility)
    }

    fn memo(&self) -> Option<&Memo> {
        self.base.memo()
    }
}
