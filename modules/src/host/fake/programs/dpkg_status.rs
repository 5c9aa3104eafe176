//! The status file of a fake dpkg: read and written in the real one's form.

use std::fmt::Write;

use crate::host::fake::Files;

const STATUS: &str = "/var/lib/dpkg/status";
const UPDATES: &str = "/var/lib/dpkg/updates";

/// One stanza.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stanza {
    pub(super) package: String,
    /// `install ok installed`
    pub(super) status: String,
    pub(super) architecture: String,
    pub(super) version: String,
    pub(super) provides: Vec<String>,
    pub(super) depends: Vec<String>,
}

impl Stanza {
    pub(super) fn installed(&self) -> bool {
        self.status.ends_with(" installed")
    }

    pub(super) fn held(&self) -> bool {
        self.status.starts_with("hold ")
    }

    fn parse(text: &str) -> Self {
        let mut stanza = Self::default();
        let list = |value: &str| {
            value
                .split(", ")
                .map(|item| item.split(' ').next().unwrap_or(item).to_owned())
                .collect()
        };
        for (field, value) in text.lines().filter_map(|line| line.split_once(": ")) {
            match field {
                "Package" => stanza.package = value.to_owned(),
                "Status" => stanza.status = value.to_owned(),
                "Architecture" => stanza.architecture = value.to_owned(),
                "Version" => stanza.version = value.to_owned(),
                "Provides" => stanza.provides = list(value),
                "Depends" => stanza.depends = list(value),
                _ => {}
            }
        }
        stanza
    }
}

/// All stanzas, those of an interrupted run among them.
pub(super) fn read(files: &Files) -> Vec<Stanza> {
    let mut stanzas: Vec<Stanza> = texts(files.text(STATUS)).map(Stanza::parse).collect();
    for name in files.list(UPDATES) {
        for stanza in texts(files.text(&format!("{UPDATES}/{name}"))).map(Stanza::parse) {
            stanzas.retain(|other| other.package != stanza.package);
            stanzas.push(stanza);
        }
    }
    stanzas
}

/// Whether a run of dpkg was interrupted.
pub(super) fn interrupted(files: &Files) -> bool {
    !files.list(UPDATES).is_empty()
}

/// Puts all stanzas into one new file, as dpkg does when it is done.
pub(super) fn write(stanzas: &[Stanza], files: &mut Files) {
    let mut text = String::new();
    for stanza in stanzas {
        let Stanza {
            package,
            status,
            architecture,
            version,
            ..
        } = stanza;
        let _ = write!(
            text,
            "Package: {package}\nStatus: {status}\nPriority: optional\nSection: misc\n\
             Maintainer: Nobody <nobody@example.org>\nArchitecture: {architecture}\nVersion: {version}\n"
        );
        for (field, list) in [("Provides", &stanza.provides), ("Depends", &stanza.depends)] {
            if !list.is_empty() {
                let _ = writeln!(text, "{field}: {}", list.join(", "));
            }
        }
        text.push_str("Description: a package\n of a fake repository\n\n");
    }
    for name in files.list(UPDATES) {
        files.remove(&format!("{UPDATES}/{name}"));
    }
    files.write(STATUS, text);
}

fn texts(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").filter(|text| !text.trim().is_empty())
}
