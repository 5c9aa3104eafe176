//! What this machine needs before it can boot hosts, and what is missing when it cannot.

use std::fs;
use std::path::Path;

use super::mirror::{Archive, archives};

/// Programs that must be there, with the Debian package that brings each.
const PROGRAMS: &[(&str, &str)] = &[
    ("debootstrap", "debootstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("nsenter", "util-linux"),
    ("setpriv", "util-linux"),
];

/// Where programs of the system live.
const PROGRAM_FOLDERS: &[&str] = &[
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// A machine that can boot hosts: which release, and from where.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The Debian release of the machine, and so of its hosts: programs built here run there.
    pub release: String,
    /// Its archives, the base suite first.
    pub archives: Vec<Archive>,
}

impl Machine {
    /// This machine, or why it cannot boot hosts.
    pub fn this() -> Result<Self, String> {
        if !nix::unistd::geteuid().is_root() {
            return Err("booting hosts needs root".to_owned());
        }
        for (program, package) in PROGRAMS {
            let there = |folder: &str| Path::new(folder).join(program).exists();
            if !PROGRAM_FOLDERS.iter().any(|folder| there(folder)) {
                return Err(format!(
                    "{program} is not installed: apt-get install {package}"
                ));
            }
        }
        let release = release(&fs::read_to_string("/etc/os-release").unwrap_or_default())?;
        let archives = archives(&release);
        match archives.is_empty() {
            true => Err(format!(
                "apt on this machine has no mirror of Debian {release}"
            )),
            false => Ok(Self { release, archives }),
        }
    }
}

fn release(text: &str) -> Result<String, String> {
    let field = |name: &str| {
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().trim_matches('"').to_owned()
    };
    match (field("ID").as_str(), field("VERSION_CODENAME")) {
        ("debian", release) if !release.is_empty() => Ok(release),
        (other, _) => Err(format!(
            "hosts are Debian like the machine, which is {other:?}"
        )),
    }
}
