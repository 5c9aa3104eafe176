//! A file appears at its path whole or not at all.
//!
//! A temporary file beside the target gets content (verified while it streams), owner, label and
//! mode, passes its check, reaches the disk, and takes the name by a rename; then the folder
//! reaches the disk, for several files together where they are written side by side. Whatever fails before the rename leaves the target as it was and the
//! temporary file gone.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;

use holdfast_schemas::resource::{Command, Content};
use holdfast_schemas::{Hasher, HostPath};
use nix::errno::Errno;
use nix::fcntl::{OFlag, RenameFlags, openat, renameat, renameat2};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{UnlinkatFlags, unlinkat};
use zeroize::Zeroize;

use super::command::{explain, quote};
use super::edit::{own, remove_below};
use super::tree::{Tree, stat_at};
use super::walk::Place;
use super::{
    Displace, Ends, FileType, HostError, Invocation, NewContent, NewFile, Output, content, label,
    temporary,
};

/// How much content is in memory on its way to the disk.
const PIECE: usize = 64 * 1024;

/// How long the check of new content may take: `nginx -t` with dead name servers takes 10 s.
const CHECK_DEADLINE: Duration = Duration::from_secs(60);

/// What runs the check of new content.
pub(super) type Check<'c> = &'c dyn Fn(&Invocation) -> Result<Output, HostError>;

impl Tree {
    pub(super) fn write_file(
        &self,
        path: &HostPath,
        new: &NewFile<'_>,
        check: Check<'_>,
    ) -> Result<(), HostError> {
        let place = self.walker.place_to_change(path)?;
        let found = stat_at(&place, path)?.map(|stat| stat.file_type);
        may_displace(path, found, new.displace)?;
        self.swept.sweep(&place);
        let (temporary, mut file) = Temporary::make(&place, path)?;
        self.fill(&mut file, path, new)?;
        let failed = |errno: Errno| HostError::path("set owner and mode of", path, errno);
        own(&file, new.owner).map_err(failed)?;
        if found == Some(FileType::File) {
            label::copy(&place, &file).map_err(|e| HostError::path("label", path, e))?;
        }
        fchmod(&file, Mode::from_bits_truncate(new.mode.bits())).map_err(failed)?;
        if let Some(command) = new.validate {
            validate(command, path, &temporary.name, check)
                .map_err(|error| withheld(error, new))?;
        }
        let unsaved = |source: io::Error| HostError::path("save", path, source);
        file.sync_all().map_err(unsaved)?;
        temporary
            .take_name(found)
            .map_err(|errno| HostError::path("replace", path, errno))?;
        let synced = self.synced.changed(&place);
        synced.map_err(|errno| unsaved(errno.into()))
    }

    /// Streams the content into the temporary file and refuses it when it is not what it is
    /// called. No more than was announced is ever written. A secret on its way leaves memory.
    fn fill(&self, file: &mut File, path: &HostPath, new: &NewFile<'_>) -> Result<(), HostError> {
        let mut piece = vec![0; PIECE];
        let filled = self.stream(file, path, new, &mut piece);
        if let NewContent::Wanted(Content::Sealed { .. }) = new.content {
            piece.zeroize();
        }
        filled
    }

    fn stream(
        &self,
        file: &mut File,
        path: &HostPath,
        new: &NewFile<'_>,
        piece: &mut [u8],
    ) -> Result<(), HostError> {
        let (mut source, wanted): (Box<dyn Read + '_>, _) = match new.content {
            NewContent::Bytes(bytes) => (Box::new(Cursor::new(bytes)), None),
            NewContent::Wanted(content) => {
                let source = content::open(content, &*self.content)?;
                match content.plain() {
                    Some((digest, size)) => {
                        (Box::new(source.take(size.saturating_add(1))), Some(digest))
                    }
                    // Proven where it was opened.
                    None => (source, None),
                }
            }
        };
        let mut hasher = Hasher::new();
        loop {
            let length = match source.read(piece) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(unreadable(path, wanted, source)),
            };
            hasher.update(&piece[..length]);
            let written = file.write_all(&piece[..length]);
            written.map_err(|source| HostError::path("write", path, source))?;
        }
        match wanted.filter(|wanted| *wanted != hasher.finish()) {
            None => Ok(()),
            Some(wanted) => Err(HostError::WrongContent {
                path: path.to_string(),
                wanted,
                found: hasher.finish(),
            }),
        }
    }
}

fn unreadable(
    path: &HostPath,
    wanted: Option<holdfast_schemas::Digest>,
    source: io::Error,
) -> HostError {
    match wanted {
        Some(digest) => HostError::Content { digest, source },
        None => HostError::path("write", path, source),
    }
}

/// Refuses before anything is written what the rename would destroy or fail at.
fn may_displace(
    path: &HostPath,
    found: Option<FileType>,
    displace: Displace,
) -> Result<(), HostError> {
    match (found, displace) {
        (None | Some(FileType::File), _) | (_, Displace::Anything) => Ok(()),
        (Some(found), Displace::File) => Err(HostError::WrongType {
            path: path.to_string(),
            found: found.as_str(),
            expected: FileType::File.as_str(),
        }),
    }
}

/// A file beside the target that goes away unless it takes the target's name.
struct Temporary<'p> {
    place: &'p Place<'p>,
    name: String,
    left: bool,
}

impl<'p> Temporary<'p> {
    /// Makes the file, readable by nobody else, and locks it: it is not abandoned.
    fn make(place: &'p Place<'p>, path: &HostPath) -> Result<(Self, File), HostError> {
        let failed = |source: io::Error| HostError::path("make a file beside", path, source);
        let name = temporary::name(place.name).map_err(failed)?;
        let flags =
            OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let private = Mode::S_IRUSR | Mode::S_IWUSR;
        let opened: OwnedFd = openat(&place.folder, name.as_str(), flags, private)
            .map_err(|errno| failed(errno.into()))?;
        let left = true;
        let temporary = Self { place, name, left };
        let file = File::from(opened);
        // Where locks are not supported (some network file systems) nobody sweeps either.
        let _ = file.try_lock();
        Ok((temporary, file))
    }

    /// Takes the target's name. A folder there is exchanged for the file in one step, and removed
    /// under the temporary name.
    fn take_name(mut self, found: Option<FileType>) -> Result<(), Errno> {
        let folder = &self.place.folder;
        let (from, to) = (self.name.as_str(), self.place.name);
        if found == Some(FileType::Directory) {
            renameat2(folder, from, folder, to, RenameFlags::RENAME_EXCHANGE)?;
            self.left = false;
            let name = std::ffi::CString::new(from).map_err(|_| Errno::EINVAL)?;
            return remove_below(folder, &name);
        }
        renameat(folder, from, folder, to)?;
        self.left = false;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if self.left {
            let name = self.name.as_str();
            let _ = unlinkat(&self.place.folder, name, UnlinkatFlags::NoRemoveDir);
        }
    }
}

/// Puts a path for `%s` into a line for the shell. One of harmless characters stands as it is, so
/// that it means itself inside quotes too. Any other is quoted, which inside quotes would undo
/// them: then nothing is run.
fn in_line(line: &str, path: &HostPath, temporary: &str) -> Result<String, HostError> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,=".contains(c);
    if temporary.chars().all(harmless) {
        return Ok(line.replace("%s", temporary));
    }
    let before_last = line.rsplit_once("%s").map_or("", |(before, _)| before);
    match before_last.contains(['\'', '"', '\\', '`', '#']) {
        false => Ok(line.replace("%s", &quote(temporary))),
        true => Err(HostError::refused(
            path,
            "holds characters that mean something to a shell, and its check is a line with quotes \
             before `%s`; `validate` as a list of words passes no shell",
        )),
    }
}

/// A check may echo what it reads: of content with secrets nothing that it printed is told.
fn withheld(error: HostError, new: &NewFile<'_>) -> HostError {
    match (error, &new.content) {
        (HostError::Invalid { path, status, .. }, NewContent::Wanted(Content::Sealed { .. })) => {
            HostError::Invalid {
                path,
                status,
                output: "what the check printed is not shown: the content holds secrets".to_owned(),
            }
        }
        (error, _) => error,
    }
}

/// Runs the check of new content, with the temporary file's path for `%s`.
fn validate(
    command: &Command,
    path: &HostPath,
    name: &str,
    check: Check<'_>,
) -> Result<(), HostError> {
    let folder = path
        .parent()
        .map(|folder| folder.to_string())
        .unwrap_or_default();
    let temporary = format!("{}/{name}", folder.trim_end_matches('/'));
    let command = match command {
        Command::Shell(line) => Command::Shell(in_line(line, path, &temporary)?),
        Command::Argv(words) => Command::Argv(
            words
                .iter()
                .map(|word| word.replace("%s", &temporary))
                .collect(),
        ),
    };
    let output = check(&Invocation {
        command,
        cwd: None,
        env: std::collections::BTreeMap::new(),
        run_as: None,
        deadline: CHECK_DEADLINE,
        ends: Ends::WithTheRun,
    })?;
    match output.success() {
        true => Ok(()),
        false => Err(HostError::Invalid {
            path: path.to_string(),
            status: output.status(),
            output: explain(&output),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn line(line: &str, temporary: &str) -> Result<String, HostError> {
        in_line(line, &"/etc/x".parse().unwrap(), temporary)
    }

    #[test]
    fn a_harmless_path_stands_in_any_quotes() {
        for (wanted, text) in [
            ("nginx -t -c /etc/.x", "nginx -t -c %s"),
            ("nginx -t -c '/etc/.x'", "nginx -t -c '%s'"),
            ("sh -c \"test -s /etc/.x\"", "sh -c \"test -s %s\""),
        ] {
            assert_eq!(line(text, "/etc/.x").unwrap(), wanted);
        }
    }

    #[test]
    fn a_path_that_means_something_to_a_shell_is_quoted_or_refused() {
        let path = "/etc/a'; touch /tmp/x; '";
        let quoted = line("visudo -cf %s", path).unwrap();
        assert_eq!(quoted, format!("visudo -cf {}", quote(path)));
        for text in ["visudo -cf '%s'", "visudo -cf \"%s\"", "true \\%s"] {
            assert!(matches!(line(text, path), Err(HostError::Refused { .. })));
        }
    }
}
