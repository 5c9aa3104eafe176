//! A symbolic link: there or not, and what it points to.

#[cfg(test)]
mod tests;

use holdfast_schemas::resource::{Ensure, Symlink};

use crate::host::{FileType, Host, HostError, Probe};
use crate::module::Module;
use crate::property::{ensure, missing};
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
            let removed = place(self).emptied(observed.file_type)?;
            return Ok(removed.into_iter().map(Difference::Remove).collect());
        }
        let target = wanted_target(self)?;
        if observed.leads == Leads::Nowhere {
            return Err(HostError::refused(
                &self.path,
                format!("its target {target:?} does not exist; `force: true` allows such a link"),
            ));
        }
        if observed.file_type == Some(FileType::Symlink) {
            let elsewhere = observed.target.as_deref() != Some(target);
            return Ok(elsewhere
                .then_some(Difference::Target)
                .into_iter()
                .collect());
        }
        place(self).may_be_taken(observed.file_type)?;
        Ok(vec![Difference::Create(observed.file_type)])
    }

    fn apply(
        &self,
        _observed: &Observed,
        differences: &[Difference],
        host: &dyn Host,
    ) -> Result<(), HostError> {
        for difference in differences {
            match difference {
                Difference::Remove(found) => ensure::clear(&self.path, *found, host)?,
                Difference::Create(obstacle) => {
                    let clear = |found: &FileType| ensure::clear(&self.path, *found, host);
                    obstacle.as_ref().map_or(Ok(()), clear)?;
                    host.make_symlink(&self.path, wanted_target(self)?)?;
                }
                Difference::Target => host.make_symlink(&self.path, wanted_target(self)?)?,
            }
        }
        Ok(())
    }

    fn show(&self, observed: &Observed, differences: &[Difference]) -> Shown {
        let mut shown = Shown::default();
        for difference in differences {
            match difference {
                Difference::Remove(found) => ensure::show(&mut shown, Some(*found), None),
                Difference::Create(found) => {
                    ensure::show(&mut shown, *found, Some(FileType::Symlink));
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

/// What the path is to hold.
fn place(link: &Symlink) -> ensure::Place<'_> {
    ensure::Place {
        path: &link.path,
        holds: FileType::Symlink,
        force: link.force,
    }
}
