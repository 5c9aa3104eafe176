//! A regular file: there or not, its content, its owner, its mode.

mod content;
#[cfg(test)]
mod tests;

use holdfast_schemas::resource::{Content, Ensure, File, Mode};

use crate::host::{Displace, FileType, Host, HostError, NewContent, NewFile, Owner, Probe, Stat};
use crate::module::Module;
use crate::property::{ensure, missing, mode, owner};
use crate::shown::Shown;

/// Permission bits of a new file that declares none.
const NEW_MODE: Mode = Mode::from_bits(0o644);

/// Permission bits of a file that holds secrets and declares none, new or old.
const SECRET_MODE: Mode = Mode::from_bits(0o600);

/// The permission bits that are wanted, where any are.
fn wanted_mode(file: &File) -> Option<Mode> {
    let secret = matches!(file.content, Some(Content::Sealed { .. }));
    file.mode.or(secret.then_some(SECRET_MODE))
}

/// What is at the path, as far as the specification asks.
#[derive(Debug)]
pub struct Observed {
    stat: Option<Stat>,
    owner: owner::Wanted,
    content: content::Found,
    no_check: Option<String>,
}

/// One way in which the file is not as wanted.
#[derive(Debug)]
pub enum Difference {
    /// Something is there that is not to be.
    Remove(FileType),
    /// Nothing is there, or something else.
    Create(Option<FileType>),
    /// Another content than the one wanted.
    Content,
    /// Another owner or group.
    Owner(Owner),
    /// Other permission bits.
    Mode(Mode),
}

impl Observed {
    /// The regular file found, if there is one.
    fn file(&self) -> Option<&Stat> {
        let file = |stat: &&Stat| stat.file_type == FileType::File;
        self.stat.as_ref().filter(file)
    }
}

impl Module for File {
    type Observed = Observed;
    type Difference = Difference;

    fn observe(&self, probe: &dyn Probe) -> Result<Observed, HostError> {
        let stat = probe.stat(&self.path)?;
        if self.ensure == Ensure::Absent {
            return Ok(Observed {
                stat,
                owner: owner::Wanted::default(),
                content: content::Found::Same,
                no_check: None,
            });
        }
        if stat.is_none() {
            missing::parent_is_there(&self.path, probe)?;
        }
        Ok(Observed {
            stat,
            owner: owner::Wanted::look_up(self.owner.as_ref(), self.group.as_ref(), probe)?,
            content: content::find(self, stat.as_ref(), probe)?,
            no_check: content::no_check(self, probe),
        })
    }

    fn diff(&self, observed: &Observed) -> Result<Vec<Difference>, HostError> {
        let found = observed.stat.map(|stat| stat.file_type);
        if self.ensure == Ensure::Absent {
            let removed = place(self).emptied(found)?;
            return Ok(removed.into_iter().map(Difference::Remove).collect());
        }
        let Some(stat) = observed.file() else {
            place(self).may_be_taken(found)?;
            may_write(self, observed)?;
            return Ok(vec![Difference::Create(found)]);
        };
        let content = matches!(observed.content, content::Found::Differs(_));
        let mode = wanted_mode(self).filter(|wanted| *wanted != stat.mode);
        if content {
            may_write(self, observed)?;
        }
        let content = content.then_some(Difference::Content);
        let owner = observed.owner.differs(stat).map(Difference::Owner);
        Ok([content, owner, mode.map(Difference::Mode)]
            .into_iter()
            .flatten()
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
                // A file is written with its owner and mode: what follows is done already.
                Difference::Create(_) | Difference::Content => {
                    write(self, observed, host)?;
                    break;
                }
                Difference::Owner(owner) => {
                    observed
                        .owner
                        .set(*owner, wanted_mode(self), &self.path, host)?
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
        let stat = observed.file();
        for difference in differences {
            match difference {
                Difference::Remove(found) => ensure::show(&mut shown, Some(*found), None),
                Difference::Create(found) => {
                    ensure::show(&mut shown, *found, Some(FileType::File));
                    observed.content.show(&mut shown);
                    observed.owner.show_new(&mut shown);
                    mode::show(&mut shown, None, wanted_mode(self).unwrap_or(NEW_MODE));
                }
                Difference::Content => observed.content.show(&mut shown),
                Difference::Owner(owner) => observed.owner.show(&mut shown, stat, *owner),
                Difference::Mode(wanted) => mode::show(&mut shown, stat.map(|s| s.mode), *wanted),
            }
        }
        shown
    }

    fn unknown(&self, observed: &Observed, _differences: &[Difference]) -> Option<String> {
        observed.owner.unknown(observed.file())
    }
}

/// What the path is to hold.
fn place(file: &File) -> ensure::Place<'_> {
    ensure::Place {
        path: &file.path,
        holds: FileType::File,
        force: file.force,
    }
}

/// Refuses to write what has to pass a check that cannot be run here.
fn may_write(file: &File, observed: &Observed) -> Result<(), HostError> {
    match &observed.no_check {
        None => Ok(()),
        Some(why) => Err(HostError::Unsupported(format!(
            "the check of what {} is to hold: {why}",
            file.path
        ))),
    }
}

/// Puts the whole file in place, with owner and mode.
fn write(file: &File, observed: &Observed, host: &dyn Host) -> Result<(), HostError> {
    let found = observed.file();
    let owner = observed.owner.of_written(found);
    let mode = wanted_mode(file).or(found.map(|stat| inherited(stat, owner)));
    host.write_file(
        &file.path,
        &NewFile {
            content: file
                .content
                .as_ref()
                .map_or(NewContent::Bytes(b""), NewContent::Wanted),
            mode: mode.unwrap_or(NEW_MODE),
            owner,
            validate: file.validate.as_ref(),
            displace: match file.force {
                true => Displace::Anything,
                false => Displace::File,
            },
        },
    )
}

/// The permission bits that a file written anew takes over. Whoever set the set-id bits of the old
/// one set them for its owner, not for the next: the kernel clears them likewise (chown(2)).
fn inherited(found: &Stat, owner: Owner) -> Mode {
    const SET_ID: u32 = 0o6000;
    let same = owner.uid == Some(found.uid) && owner.gid == Some(found.gid);
    match same {
        true => found.mode,
        false => Mode::from_bits(found.mode.bits() & !SET_ID),
    }
}
