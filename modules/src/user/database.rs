//! The account databases as files: read, edited line by line, and put back whole.
//!
//! Lines that are not touched stay as they are, byte for byte and in their order, whatever they
//! hold. Used where the programs that would do this cannot be run: on a rooted host.

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::Mode;

use crate::host::{Displace, FileType, Host, HostError, NewContent, NewFile, Owner};

/// Longest database that is read: a million accounts.
const MAX_DATABASE: usize = 128 * 1024 * 1024;

/// The four files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Passwd,
    Group,
    Shadow,
    Gshadow,
}

impl Table {
    const fn path(self) -> &'static str {
        match self {
            Self::Passwd => "/etc/passwd",
            Self::Group => "/etc/group",
            Self::Shadow => "/etc/shadow",
            Self::Gshadow => "/etc/gshadow",
        }
    }

    /// Permission bits of a file that is missing; password hashes are nobody's business.
    const fn new_mode(self) -> Mode {
        match self {
            Self::Passwd | Self::Group => Mode::from_bits(0o644),
            Self::Shadow | Self::Gshadow => Mode::from_bits(0o640),
        }
    }
}

/// The lines of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lines(Vec<String>);

impl Lines {
    /// The entry of a name: all its fields.
    pub(crate) fn entry(&self, name: &str) -> Option<Vec<String>> {
        let line = self.0.iter().find(|line| is_of(line, name))?;
        Some(line.split(':').map(str::to_owned).collect())
    }

    /// All entries.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Vec<&str>> {
        self.0.iter().map(|line| line.split(':').collect())
    }

    /// Puts an entry in the place of the one of the same name, or at the end.
    pub(crate) fn set(&mut self, fields: &[String]) {
        let (line, name) = (fields.join(":"), fields.first().map_or("", String::as_str));
        match self.0.iter_mut().find(|line| is_of(line, name)) {
            Some(place) => *place = line,
            None => self.0.push(line),
        }
    }

    /// Changes one field of an entry, if there is such an entry.
    pub(crate) fn set_field(&mut self, name: &str, field: usize, value: &str) {
        let Some(mut fields) = self.entry(name) else {
            return;
        };
        if let Some(place) = fields.get_mut(field) {
            *place = value.to_owned();
            self.set(&fields);
        }
    }

    /// Removes the entry of a name.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|line| !is_of(line, name));
    }

    /// Changes the list in one field of every entry: a user is a member exactly of `groups`.
    pub(crate) fn set_memberships(&mut self, user: &str, field: usize, groups: &[String]) {
        for line in &mut self.0 {
            let mut fields: Vec<&str> = line.split(':').collect();
            let (Some(&name), Some(&list)) = (fields.first(), fields.get(field)) else {
                continue;
            };
            let mut members: Vec<&str> = list
                .split(',')
                .filter(|member| !member.is_empty())
                .collect();
            let (is, wanted) = (
                members.contains(&user),
                groups.iter().any(|group| group == name),
            );
            match (is, wanted) {
                (true, false) => members.retain(|member| *member != user),
                (false, true) => members.push(user),
                _ => continue,
            }
            let members = members.join(",");
            fields[field] = &members;
            let changed = fields.join(":");
            *line = changed;
        }
    }
}

fn is_of(line: &str, name: &str) -> bool {
    line.strip_prefix(name)
        .is_some_and(|rest| rest.starts_with(':'))
}

/// Reads a database; one that is missing is empty.
pub(crate) fn read(table: Table, host: &dyn Host) -> Result<Lines, HostError> {
    let path = path(table)?;
    if host.stat(&path)?.is_none() {
        return Ok(Lines(Vec::new()));
    }
    let text = String::from_utf8(host.read(&path, MAX_DATABASE)?);
    let text = text.map_err(|error| garbled(table, error.to_string()))?;
    Ok(Lines(text.lines().map(str::to_owned).collect()))
}

/// Edits a database: whole or not at all, and not at all when nothing changes.
pub(crate) fn edit(
    table: Table,
    host: &dyn Host,
    change: impl FnOnce(&mut Lines),
) -> Result<(), HostError> {
    let before = read(table, host)?;
    let mut after = before.clone();
    change(&mut after);
    if after == before {
        return Ok(());
    }
    let path = path(table)?;
    let found = host
        .stat(&path)?
        .filter(|stat| stat.file_type == FileType::File);
    let (mode, owner) = match found {
        Some(stat) => (
            stat.mode,
            Owner {
                uid: Some(stat.uid),
                gid: Some(stat.gid),
            },
        ),
        None => (table.new_mode(), Owner::default()),
    };
    make_folder(&path, host)?;
    let mut text = after.0.join("\n");
    text.push('\n');
    let file = NewFile {
        content: NewContent::Bytes(text.as_bytes()),
        mode,
        owner,
        validate: None,
        displace: Displace::File,
    };
    host.write_file(&path, &file)
}

fn make_folder(path: &HostPath, host: &dyn Host) -> Result<(), HostError> {
    match path.parent() {
        Some(folder) if host.stat(&folder)?.is_none() => {
            host.make_directory(&folder, Mode::from_bits(0o755), Owner::default())
        }
        _ => Ok(()),
    }
}

fn path(table: Table) -> Result<HostPath, HostError> {
    table
        .path()
        .parse()
        .map_err(|error| garbled(table, format!("{error}")))
}

fn garbled(table: Table, detail: String) -> HostError {
    HostError::Garbled {
        what: table.path().to_owned(),
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Lines {
        Lines(text.lines().map(str::to_owned).collect())
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        let mut edited = lines("root:x:0:\n# odd\n+::\nann:x:5:\nanna:x:6:");
        edited.set_field("ann", 2, "7");
        edited.set(&["new", "x", "8", ""].map(str::to_owned));
        edited.remove("root");
        assert_eq!(edited, lines("# odd\n+::\nann:x:7:\nanna:x:6:\nnew:x:8:"));
    }

    #[test]
    fn memberships_become_exactly_those() {
        let mut edited = lines("adm:x:4:ann,bob\nsudo:x:27:\nvideo:x:44:ann");
        edited.set_memberships("ann", 3, &["sudo".to_owned(), "video".to_owned()]);
        assert_eq!(edited, lines("adm:x:4:bob\nsudo:x:27:ann\nvideo:x:44:ann"));
    }
}
