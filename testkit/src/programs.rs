//! The programs under test: the two that are shipped, as cargo built them.

use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Where the program `name` is (`holdfast` or `holdfast-agent`): in the folder that
/// `$HOLDFAST_PROGRAMS` names, else built on first use with the profile of the running test, for a
/// test of the whole must never meet an older program.
pub fn program(name: &str) -> io::Result<PathBuf> {
    if let Some(folder) = std::env::var_os("HOLDFAST_PROGRAMS") {
        return present(PathBuf::from(folder).join(name));
    }
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    BUILT.get_or_init(build).clone().map_err(io::Error::other)?;
    present(target_folder()?.join(name))
}

fn present(path: PathBuf) -> io::Result<PathBuf> {
    match path.exists() {
        true => Ok(path),
        false => Err(io::Error::other(format!("there is no {}", path.display()))),
    }
}

/// Test programs live in `target/PROFILE/deps`, the shipped ones a folder above.
fn target_folder() -> io::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(|deps| deps.parent());
    folder
        .map(PathBuf::from)
        .ok_or_else(|| io::Error::other("a test program has a folder"))
}

fn build() -> Result<(), String> {
    let folder = target_folder().map_err(|error| error.to_string())?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args([
            "build",
            "--quiet",
            "--package=holdfast",
            "--package=holdfast-agent",
            "--bins",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    if let Some(target) = folder.parent() {
        cargo.env("CARGO_TARGET_DIR", target);
    }
    let output = cargo
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
