//! A folder: there or not, its owner, its mode.

#[cfg(test)]
mod tests;

use holdfast_schemas::resource::{Directory, Ensure, Mode};

use crate::host::{FileType, Host, HostError, Owner, Probe, Stat};
use crate::module::Module;
use crate::property::{ensure, missing, mode, owner};
use crate::shown::Shown;

/// Permission bits of a new folder that declares none.
const NEW_MODE: Mode = Mode::from_bits(0o755);

/// What is at the path.
#[derive(Debug)]
pub struct Observed {
    stat: Option<Stat>,
    owner: owner::Wanted,
}

/// One way in which the folder is not as wanted.
#[derive(Debug)]
pub enum Difference {
    /// Something is there that is not to be.
    Remove(FileType),
    /// Nothing is there, or something else.
    Create(Option<FileType>),
    /// Another owner or group.
    Owner(Owner),
    /// Other permission bits.
    Mode(Mode),
}

impl Observed {
    /// The folder found, if there is one.
    fn folder(&self) -> Option<&Stat> {
        let folder = |stat: &&Stat| stat.file_type == FileType::Directory;
        self.stat.as_ref().filter(folder)
    }
}

impl Module for Directory {
    type Observed = Observed;
    type Difference = Difference;

    fn observe(&self, probe: &dyn Probe) -> Result<Observed, HostError> {
        let stat = probe.stat(&self.path)?;
        if self.ensure == Ensure::Absent {
            let owner = owner::Wanted::default();
            return Ok(Observed { stat, owner });
        }
        if stat.is_none() {
            missing::parent_is_there(&self.path, probe)?;
        }
        let owner = owner::Wanted::look_up(self.owner.as_ref(), self.group.as_ref(), probe)?;
        Ok(Observed { stat, owner })
    }

    fn diff(&self, observed: &Observed) -> Result<Vec<Difference>, HostError> {
        let found = observed.stat.map(|stat| stat.file_type);
        if self.ensure == Ensure::Absent {
            let removed = place(self).emptied(found)?;
            return Ok(removed.into_iter().map(Difference::Remove).collect());
        }
        let Some(stat) = observed.folder() else {
            place(self).may_be_taken(found)?;
            return Ok(vec![Difference::Create(found)]);
        };
        let owner = observed.owner.differs(stat).map(Difference::Owner);
        let mode = self.mode.filter(|wanted| *wanted != stat.mode);
        Ok(owner
            .into_iter()
            .chain(mode.map(Difference::Mode))
            .collect())
    }

    fn apply(
        &self,
        observed: &Observed,
        differences: &[Difference],
        host: &dyn Host,
    ) -> Result<(), HostError> {
        for difference in differences {
            match difference {
                Difference::Remove(found) => ensure::clear(&self.path, *found, host)?,
                Difference::Create(obstacle) => {
                    obstacle.map_or(Ok(()), |_| host.remove(&self.path))?;
                    let mode = self.mode.unwrap_or(NEW_MODE);
                    host.make_directory(&self.path, mode, observed.owner.of_new())?;
                }
                Difference::Owner(owner) => {
                    observed.owner.set(*owner, self.mode, &self.path, host)?;
                }
                Difference::Mode(mode) => host.set_mode(&self.path, *mode)?,
            }
        }
        match self.ensure {
            Ensure::Present => observed.owner.admit(&self.path, host),
            Ensure::Absent => Ok(()),
        }
    }

    fn show(&self, observed: &Observed, differences: &[Difference]) -> Shown {
        let mut shown = Shown::default();
        let stat = observed.folder();
        for difference in differences {
            match difference {
                Difference::Remove(found) => ensure::show(&mut shown, Some(*found), None),
                Difference::Create(found) => {
                    ensure::show(&mut shown, *found, Some(FileType::Directory));
                    observed.owner.show_new(&mut shown);
                    mode::show(&mut shown, None, self.mode.unwrap_or(NEW_MODE));
                }
                Difference::Owner(owner) => observed.owner.show(&mut shown, stat, *owner),
                Difference::Mode(wanted) => mode::show(&mut shown, stat.map(|s| s.mode), *wanted),
            }
        }
        shown
    }

    fn unknown(&self, observed: &Observed, _differences: &[Difference]) -> Option<String> {
        observed.owner.unknown(observed.folder())
    }
}

/// What the path is to hold.
fn place(folder: &Directory) -> ensure::Place<'_> {
    ensure::Place {
        path: &folder.path,
        holds: FileType::Directory,
        force: folder.force,
    }
}
