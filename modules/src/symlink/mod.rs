//! A symbolic link: there or not, and what it points to.

#[cfg(test)]
mod tests;

use holdfast_schemas::resource::{Ensure, Symlink};

use crate::host::{FileType, Host, HostError, Probe};
use crate::module::Module;
use crate::property::missing;
use crate::shown::Shown;

/// What is at the path.
#[derive(Debug)]
pub struct Observed {
    file_type: Option<FileType>,
    target: Option<String>,
    leads: Leads,
}

/// Whether the wanted target is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leads {
    Somewhere,
    Nowhere,
}

/// The one way in which a link is not as wanted.
#[derive(Debug)]
pub enum Difference {
    /// Something is there that is not to be.
    Remove(FileType),
    /// Nothing is there, or something that is no link.
    Create(Option<FileType>),
    /// It points elsewhere.
    Target,
}

impl Module for Symlink {
    type Observed = Observed;
    type Difference = Difference;

    fn observe(&self, probe: &dyn Probe) -> Result<Observed, HostError> {
        let file_type = probe.stat(&self.path)?.map(|stat| stat.file_type);
        let is_link = file_type == Some(FileType::Symlink);
        let target = is_link.then(|| probe.read_link(&self.path)).transpose()?;
        if self.ensure == Ensure::Present && file_type.is_none() {
            missing::parent_is_there(&self.path, probe)?;
        }
        let leads = leads(self, probe)?;
        Ok(Observed {
            file_type,
            target,
            leads,
        })
    }

    fn diff(&self, observed: &Observed) -> Result<Vec<Difference>, HostError> {
        if self.ensure == Ensure::Absent {
            return absent(self, observed.file_type);
        }
        let target = wanted_target(self)?;
        if observed.leads == Leads::Nowhere {
            return Err(HostError::refused(
                &self.path,
                format!("its target {target:?} does not exist; `force: true` allows such a link"),
            ));
        }
        match (observed.file_type, self.force) {
            (Some(FileType::Symlink), _) if observed.target.as_deref() == Some(target) => {
                Ok(Vec::new())
            }
            (Some(FileType::Symlink), _) => Ok(vec![Difference::Target]),
            (None, _) | (Some(_), true) => Ok(vec![Difference::Create(observed.file_type)]),
            (Some(found), false) => Err(HostError::refused(
                &self.path,
                format!(
                    "is a {}, not a link, and is left as it is; `force: true` would replace it",
                    found.as_str()
                ),
            )),
        }
    }

    fn apply(
        &self,
        _observed: &Observed,
        differences: &[Difference],
        host: &dyn Host,
    ) -> Result<(), HostError> {
        for difference in differences {
            match difference {
                Difference::Remove(FileType::Directory) => host.remove_tree(&self.path)?,
                Difference::Remove(_) => host.remove(&self.path)?,
                Difference::Create(Some(FileType::Directory)) => {
                    host.remove_tree(&self.path)?;
                    host.make_symlink(&self.path, wanted_target(self)?)?;
                }
                Difference::Create(Some(_)) => {
                    host.remove(&self.path)?;
                    host.make_symlink(&self.path, wanted_target(self)?)?;
                }
                Difference::Create(None) | Difference::Target => {
                    host.make_symlink(&self.path, wanted_target(self)?)?;
                }
            }
        }
        Ok(())
    }

    fn show(&self, observed: &Observed, differences: &[Difference]) -> Shown {
        let mut shown = Shown::default();
        for difference in differences {
            match difference {
                Difference::Remove(found) => {
                    shown.push("ensure", Some(found.as_str().into()), Some("absent".into()));
                }
                Difference::Create(found) => {
                    let found = found.map_or("absent", FileType::as_str);
                    shown.push("ensure", Some(found.into()), Some("symlink".into()));
                    shown.push("target", None, self.target.clone());
                }
                Difference::Target => {
                    shown.push("target", observed.target.clone(), self.target.clone());
                }
            }
        }
        shown
    }
}

/// Whether the target has to be there, and is. A link on the way that is not trusted leads
/// somewhere too: nothing is written through it.
fn leads(link: &Symlink, probe: &dyn Probe) -> Result<Leads, HostError> {
    if link.force || link.ensure == Ensure::Absent {
        return Ok(Leads::Somewhere);
    }
    let (Some(target), Some(folder)) = (&link.target, link.path.parent()) else {
        return Ok(Leads::Somewhere);
    };
    match probe.reach(&folder, target) {
        Ok(Some(_)) | Err(HostError::PlantedLink { .. }) => Ok(Leads::Somewhere),
        Ok(None) => Ok(Leads::Nowhere),
        Err(error) => Err(error),
    }
}

fn wanted_target(link: &Symlink) -> Result<&str, HostError> {
    let no_target = || HostError::refused(&link.path, "a link that is to be there needs a target");
    let target = link.target.as_deref().filter(|target| !target.is_empty());
    target.ok_or_else(no_target)
}

/// Only a link is removed without force.
fn absent(link: &Symlink, found: Option<FileType>) -> Result<Vec<Difference>, HostError> {
    match (found, link.force) {
        (None, _) => Ok(Vec::new()),
        (Some(found), force) if force || found == FileType::Symlink => {
            Ok(vec![Difference::Remove(found)])
        }
        (Some(found), _) => Err(HostError::refused(
            &link.path,
            format!(
                "is a {}, not a link, and is not removed; `force: true` is needed for that",
                found.as_str()
            ),
        )),
    }
}
