//! The Ansible that templates are compared with: a virtual environment of pinned packages.
//!
//! It is made once under the target folder. `HOLDFAST_ANSIBLE` names the Python of another one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use holdfast_testkit::skip;

const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The package whose collections have roles, and the filters of `ansible.utils`.
const COLLECTIONS: &str = "ansible==11.13.0";

/// Takes what is needed of that package: roles, and the collection of the address filters.
const UNPACK: &str = "
import sys, zipfile
package = zipfile.ZipFile(sys.argv[1])
for name in package.namelist():
    parts = name.split('/')
    if parts[0] == 'ansible_collections' and ('roles' in parts[3:4] or parts[1:3] == ['ansible', 'utils']):
        package.extract(name, sys.argv[2])
";

/// Ansible, ready to render.
pub(crate) struct Peer {
    python: PathBuf,
    /// Where `ansible_collections` lies.
    pub(crate) collections: PathBuf,
}

impl Peer {
    /// The one there is, or a new one; a test that gets none has said so aloud.
    pub(crate) fn get(test: &str) -> Option<Self> {
        match Self::find() {
            Ok(peer) => Some(peer),
            Err(why) => {
                skip(
                    test,
                    &format!("there is no ansible-core to compare with: {why}"),
                );
                None
            }
        }
    }

    fn find() -> Result<Self, String> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ansible");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        // Tests run side by side; one of them makes it.
        let lock = fs::File::create(folder.join("lock")).map_err(|error| error.to_string())?;
        lock.lock().map_err(|error| error.to_string())?;
        let python = match std::env::var_os("HOLDFAST_ANSIBLE") {
            Some(python) => PathBuf::from(python),
            None => environment(&folder)?,
        };
        let collections = unpacked(&python, &folder)?;
        Ok(Self {
            python,
            collections,
        })
    }

    /// Runs `render.py` with its arguments; each line that it prints is a JSON document.
    pub(crate) fn run(&self, arguments: &[&Path]) -> Vec<serde_json::Value> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ansible/render.py");
        let output = Command::new(&self.python)
            .arg(script)
            .args(arguments)
            .env("ANSIBLE_COLLECTIONS_PATH", &self.collections)
            .env("ANSIBLE_HOME", self.collections.join("home"))
            .env("TZ", "UTC")
            .stderr(Stdio::inherit())
            .output()
            .expect("Python runs");
        assert!(output.status.success(), "render.py: {}", output.status);
        let lines = String::from_utf8(output.stdout).expect("render.py prints UTF-8");
        let read = |line| serde_json::from_str(line).expect("render.py prints JSON");
        lines.lines().map(read).collect()
    }
}

/// A virtual environment with what `requirements.txt` says, made anew when that changed.
fn environment(folder: &Path) -> Result<PathBuf, String> {
    let venv = folder.join("venv");
    let python = venv.join("bin/python");
    let made = folder.join("made");
    if fs::read_to_string(&made).is_ok_and(|of| of == REQUIREMENTS) {
        return Ok(python);
    }
    let _ = fs::remove_dir_all(&venv);
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).map_err(|error| error.to_string())?;
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--requirement"]);
    run(install.arg(&requirements))?;
    fs::write(&made, REQUIREMENTS).map_err(|error| error.to_string())?;
    Ok(python)
}

/// What is needed of the collections. `HOLDFAST_COLLECTIONS` names a folder where the package lies
/// already.
fn unpacked(python: &Path, folder: &Path) -> Result<PathBuf, String> {
    let collections = folder.join("collections");
    let made = folder.join("collections-made");
    if fs::read_to_string(&made).is_ok_and(|of| of == COLLECTIONS) {
        return Ok(collections);
    }
    let downloads = folder.join("downloads");
    let given = std::env::var_os("HOLDFAST_COLLECTIONS").map(PathBuf::from);
    if given.is_none() {
        let mut download = Command::new(python);
        download.args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            COLLECTIONS,
            "--dest",
        ]);
        run(download.arg(&downloads))?;
    }
    let from = given.as_ref().unwrap_or(&downloads);
    let entries = fs::read_dir(from).map_err(|error| error.to_string())?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let package = paths.find(|path| path.extension().is_some_and(|end| end == "whl"));
    let package = package.ok_or_else(|| format!("no package in {}", from.display()))?;
    let mut unpack = Command::new(python);
    run(unpack.args(["-c", UNPACK]).arg(package).arg(&collections))?;
    let _ = fs::remove_dir_all(&downloads);
    fs::write(&made, COLLECTIONS).map_err(|error| error.to_string())?;
    Ok(collections)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.trim().lines().last().unwrap_or_default();
            Err(format!("{command:?}: {last}"))
        }
    }
}
