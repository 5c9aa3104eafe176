//! What would be at which path: files, folders and links that resources would have made.

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::{Content, Directory, Ensure, File, Mode, Symlink};

use super::Overlay;
use crate::host::{FileType, HostError, Probe, Stat, name_service};

/// How many assumed links are followed on one path.
pub(super) const MAX_LINKS: usize = 40;

/// What would be at a path.
#[derive(Debug, Clone)]
pub(super) enum Assumed {
    Nothing,
    File(Stat, Option<Content>),
    Directory(Stat, Inside),
    Symlink(Stat, String),
}

/// What would be in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    /// What is in it now.
    AsBefore,
    /// Only what is assumed to be: it would be new.
    Nothing,
}

impl Assumed {
    pub(super) fn stat(&self) -> Option<Stat> {
        match self {
            Self::Nothing => None,
            Self::File(stat, _) | Self::Directory(stat, _) | Self::Symlink(stat, _) => Some(*stat),
        }
    }
}

impl Overlay<'_> {
    pub(super) fn assume_file(&mut self, file: &File) -> Result<(), HostError> {
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
            stat.size = self.measure(content)?.1;
        }
        self.put(&file.path, Assumed::File(stat, content))
    }

    pub(super) fn assume_directory(&mut self, folder: &Directory) -> Result<(), HostError> {
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

    pub(super) fn assume_symlink(&mut self, link: &Symlink) -> Result<(), HostError> {
        if link.ensure == Ensure::Absent {
            return self.assume_nothing(&link.path);
        }
        let target = link.target.clone().unwrap_or_default();
        let mode = Mode::from_bits(0o777);
        let stat = self.new_stat(FileType::Symlink, None, (None, mode), (None, None))?;
        self.put(&link.path, Assumed::Symlink(stat, target))
    }

    /// What something would look like: as it is, with what is declared; new, with what is usual.
    pub(super) fn new_stat(
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
        stat.uid = user.map_or(Ok(stat.uid), |user| {
            name_service::uid(user, &accounts, self)
        })?;
        stat.gid = group.map_or(Ok(stat.gid), |group| {
            name_service::gid(group, &accounts, self)
        })?;
        Ok(stat)
    }

    pub(super) fn assume_nothing(&mut self, path: &HostPath) -> Result<(), HostError> {
        self.put(path, Assumed::Nothing)
    }

    /// Takes something as being at a path. A folder that is there stays as full as it is; anything
    /// else takes the place of what was at the path and below it.
    pub(super) fn put(&mut self, path: &HostPath, mut assumed: Assumed) -> Result<(), HostError> {
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
                let inside = self.paths.range(below.clone()..).map(|(other, _)| other);
                let inside = inside.take_while(|other| other.starts_with(&below));
                for other in inside.cloned().collect::<Vec<_>>() {
                    self.paths.remove(&other);
                }
            }
        }
        self.paths.insert(place, assumed);
        Ok(())
    }

    /// Where a path is once assumed links in its parents are followed.
    pub(super) fn settle(&self, path: &HostPath) -> Result<String, HostError> {
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
    pub(super) fn follow_one(&self, path: &str) -> Option<String> {
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
    pub(super) fn assumed(&self, settled: &str) -> Option<&Assumed> {
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
}

/// A path from a folder as text, without `.`, `..` and empty components.
pub(super) fn normal(folder: &str, target: &str) -> String {
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
