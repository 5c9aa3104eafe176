//! Installed packages: dpkg's database, read as a file; no program is run.

use holdfast_schemas::inventory::InstalledPackage;

use super::tree::{MAX_DATABASE, Tree};

/// The package manager by its program.
pub(super) fn manager(tree: &Tree) -> &'static str {
    let known = [("usr/bin/apt-get", "apt"), ("usr/bin/dnf", "dnf")];
    let found = known.into_iter().find(|(program, _)| tree.has(program));
    found.map_or("none", |(_, word)| word)
}

/// The installed packages, sorted.
pub(super) fn installed(tree: &Tree) -> Vec<InstalledPackage> {
    let status = tree.text_up_to("var/lib/dpkg/status", MAX_DATABASE);
    parse(&status.unwrap_or_default())
}

/// Reads dpkg's status file: stanzas of `Field: value`, parted by empty lines. A stanza counts
/// when the third word of its status is `installed`: unpacked or removed ones do not.
fn parse(status: &str) -> Vec<InstalledPackage> {
    let mut packages = Vec::new();
    let mut stanza = Stanza::default();
    for line in status.lines().chain([""]) {
        match line.split_once(": ") {
            Some(("Package", name)) => stanza.name = name.trim(),
            Some(("Version", version)) => stanza.version = version.trim(),
            Some(("Architecture", arch)) => stanza.arch = arch.trim(),
            Some(("Status", words)) => stanza.status = words.trim(),
            Some(_) => {}
            None if line.is_empty() => packages.extend(std::mem::take(&mut stanza).installed()),
            None => {}
        }
    }
    packages.sort();
    packages.dedup();
    packages
}

#[derive(Default)]
struct Stanza<'a> {
    name: &'a str,
    version: &'a str,
    arch: &'a str,
    status: &'a str,
}

impl Stanza<'_> {
    fn installed(self) -> Option<InstalledPackage> {
        let state = self.status.split_ascii_whitespace().nth(2);
        let known = state == Some("installed") && !self.name.is_empty();
        known.then(|| InstalledPackage {
            name: self.name.to_owned(),
            version: self.version.to_owned(),
            arch: self.arch.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_installed_packages_count_and_folded_lines_are_not_fields() {
        let status = "Package: zsh\nStatus: install ok installed\nArchitecture: amd64\n\
                      Version: 5.9-4\nDescription: a shell\n Version: 0\n\n\
                      Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\
                      Package: half\nStatus: install ok half-installed\n\n\
                      Package: bash\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 5.2";
        let found = parse(status);
        let names: Vec<_> = found.iter().map(|p| (&*p.name, &*p.version)).collect();
        assert_eq!(names, [("bash", "5.2"), ("zsh", "5.9-4")]);
    }

    #[test]
    fn nonsense_has_no_packages() {
        for status in [
            "",
            "\n\n\n",
            ": : :",
            "Status: install ok installed\n\n",
            "\u{fffd}",
        ] {
            assert_eq!(parse(status), [], "{status:?}");
        }
    }
}
