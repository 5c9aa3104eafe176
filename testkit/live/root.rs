//! The root that hosts are booted from: made once by debootstrap, never written again.
//!
//! It is built beside its place and renamed when complete, under a lock, so that test programs
//! that start side by side make one root, and one that was interrupted leaves none.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::fcntl::{Flock, FlockArg};

use super::error::LiveError;
use super::requirements::Machine;

/// Rises when the recipe below changes: an older root is not used for a newer recipe.
const RECIPE: u32 = 1;

/// What a host has beyond the minimal Debian: an init system, a bus, certificates, `ip`, and what
/// a small server has anyway.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,ca-certificates,iproute2,cron";

/// Packages whose archives are kept in the root, so that tests that install them need the
/// network once.
const DOWNLOADED: &[&str] = &["nginx"];

/// The root for this machine's release; made when it is not there.
pub(super) fn prepared(machine: &Machine) -> Result<PathBuf, LiveError> {
    let cache = cache_folder();
    fs::create_dir_all(&cache).map_err(LiveError::file("make", &cache))?;
    let root = cache.join(format!("debian-{}-{RECIPE}", machine.release));
    let lock = cache.join("lock");
    let file = File::create(&lock).map_err(LiveError::file("create", &lock))?;
    let _held = Flock::lock(file, FlockArg::LockExclusive)
        .map_err(|(_, errno)| LiveError::file("lock", &lock)(errno.into()))?;
    if !root.exists() {
        let partial = root.with_extension("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(LiveError::file("remove", &partial))?;
        }
        build(machine, &partial)?;
        fs::rename(&partial, &root).map_err(LiveError::file("rename", &partial))?;
    }
    Ok(root)
}

fn cache_folder() -> PathBuf {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    match (named("HOLDFAST_CACHE"), named("XDG_CACHE_HOME")) {
        (Some(folder), _) => folder.into(),
        (None, Some(folder)) => Path::new(&folder).join("holdfast-testkit"),
        (None, None) => "/var/cache/holdfast-testkit".into(),
    }
}

fn build(machine: &Machine, root: &Path) -> Result<(), LiveError> {
    let base = &machine.archives[0];
    eprintln!(
        "live: making a Debian {} root from {}",
        base.suite, base.uri
    );
    let include = format!("--include={PACKAGES}");
    let words = ["--variant=minbase", &include, &base.suite];
    let mut debootstrap = Command::new("debootstrap");
    run(debootstrap.args(words).arg(root).arg(&base.uri))?;

    write(root, "etc/apt/sources.list", &sources(machine))?;
    write(root, "etc/apt/apt.conf.d/90machine", &transport()?)?;
    // A host is called what it is booted as, and is a new machine every time.
    write(root, "etc/machine-id", "")?;
    for name in ["etc/hostname", "var/lib/dbus/machine-id"] {
        // Absent is as good: debootstrap copies the one, dbus makes the other.
        let _ = fs::remove_file(root.join(name));
    }
    inside(root, &["apt-get", "--quiet", "update"])?;
    let mut download = vec!["apt-get", "--quiet", "--yes", "--download-only", "install"];
    download.extend(DOWNLOADED);
    inside(root, &download)
}

fn sources(machine: &Machine) -> String {
    let archives = machine.archives.iter();
    let lines = archives.map(|archive| format!("deb {} {} main\n", archive.uri, archive.suite));
    lines.collect()
}

/// How this machine's apt reaches its mirror: proxies and time-outs, not its authentication.
fn transport() -> Result<String, LiveError> {
    let mut dump = Command::new("apt-config");
    dump.arg("dump").stdin(Stdio::null());
    let output = dump.output().map_err(LiveError::start(&dump))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let ours = |line: &&str| {
        let line = line.to_ascii_lowercase();
        line.starts_with("acquire::http::") || line.starts_with("acquire::https::")
    };
    Ok(text
        .lines()
        .filter(ours)
        .map(|line| format!("{line}\n"))
        .collect())
}

fn write(root: &Path, path: &str, text: &str) -> Result<(), LiveError> {
    let path = root.join(path);
    fs::write(&path, text).map_err(LiveError::file("write", &path))
}

fn inside(root: &Path, words: &[&str]) -> Result<(), LiveError> {
    let mut command = Command::new("systemd-nspawn");
    command
        .args([
            "--quiet",
            "--register=no",
            "--keep-unit",
            "--settings=no",
            "--console=pipe",
        ])
        .args([
            "--resolv-conf=copy-host",
            "--setenv=DEBIAN_FRONTEND=noninteractive",
        ])
        .arg("--directory")
        .arg(root)
        .args(words);
    run(&mut command)
}

fn run(command: &mut Command) -> Result<(), LiveError> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(LiveError::start(command))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(LiveError::Program {
            program: program_of(command.get_program()),
            status: output.status,
            output: super::error::tail(&output.stdout, &output.stderr),
        }),
    }
}

pub(super) fn program_of(program: &OsStr) -> String {
    program.to_string_lossy().into_owned()
}
