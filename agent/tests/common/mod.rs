//! A tree of files and the program, as a person uses them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    unreachable_pub
)]

pub mod host;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use serde_json::{Value, json};

/// A tree of files that is managed as if it were a host's, and a place for catalogs beside it.
pub struct World {
    _folder: tempfile::TempDir,
    pub root: PathBuf,
    pub catalog: PathBuf,
}

/// What the program gave back.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it exited"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The report that `--json` printed.
    pub fn report(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    /// The line of a resource.
    pub fn line(&self, id: &str) -> Value {
        let report = self.report();
        let lines = report["resources"].as_array().unwrap();
        let line = lines.iter().find(|line| line["id"] == id);
        line.unwrap_or_else(|| panic!("no {id} in {report:#}"))
            .clone()
    }

    /// How many resources had an outcome.
    pub fn count(&self, outcome: &str) -> u64 {
        self.report()["counts"][outcome].as_u64().unwrap()
    }
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("etc")).unwrap();
        Self {
            catalog: folder.path().join("catalog.json"),
            root,
            _folder: folder,
        }
    }

    /// Writes the catalog that is applied from now on.
    pub fn declare(&self, resources: &[Value]) {
        self.declare_document(&catalog(resources));
    }

    pub fn declare_document(&self, document: &str) {
        fs::write(&self.catalog, document).unwrap();
    }

    /// The program.
    pub fn agent(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("holdfast-agent").unwrap();
        command
            .args(arguments)
            .env_remove("HOLDFAST_STATE_DIR")
            .stdin(Stdio::null());
        command
    }

    /// `apply` of the declared catalog, with `--json`.
    pub fn apply(&self) -> Ran {
        self.apply_with(&[])
    }

    pub fn no_op(&self) -> Ran {
        self.apply_with(&["--no-op"])
    }

    pub fn apply_with(&self, more: &[&str]) -> Ran {
        let (catalog, root) = (self.catalog.to_str().unwrap(), self.root.to_str().unwrap());
        let mut arguments = vec!["apply", catalog, "--json", "--root", root];
        arguments.extend(more);
        self.agent(&arguments)
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub fn write(&self, path: &str, content: &str) {
        fs::write(self.path(path), content).unwrap();
    }

    /// Everything about every file of the tree: a no-op run leaves it equal.
    pub fn picture(&self) -> BTreeMap<PathBuf, String> {
        let mut picture = BTreeMap::new();
        look(&self.root, &mut picture);
        picture
    }
}

fn look(folder: &Path, picture: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = fs::symlink_metadata(&path).unwrap();
        let content = match found.is_file() {
            true => format!("{:?}", fs::read(&path).unwrap()),
            false => String::new(),
        };
        let (mode, mtime) = (found.mode(), (found.mtime(), found.mtime_nsec()));
        picture.insert(path.clone(), format!("{mode:o} {mtime:?} {content}"));
        if found.is_dir() {
            look(&path, picture);
        }
    }
}

/// A catalog of resources, as text: `type` stands before `spec`.
pub fn catalog(resources: &[Value]) -> String {
    let resources: Vec<String> = resources.iter().map(in_order).collect();
    let resources = resources.join(",");
    format!(r#"{{"format":1,"host":"web-1","resources":[{resources}]}}"#)
}

fn in_order(resource: &Value) -> String {
    let fields = ["type", "title", "spec", "requires", "subscribes"];
    let field = |name: &&str| {
        let value = resource.get(name)?;
        Some(format!("{name:?}:{value}"))
    };
    let fields: Vec<String> = fields.iter().filter_map(field).collect();
    format!("{{{}}}", fields.join(","))
}

/// A file with content.
pub fn file(path: &str, content: &str) -> Value {
    resource(
        "file",
        path,
        json!({ "path": path, "content": { "text": content } }),
    )
}

/// A folder.
pub fn directory(path: &str) -> Value {
    resource("directory", path, json!({ "path": path }))
}

/// Any resource.
pub fn resource(kind: &str, title: &str, spec: Value) -> Value {
    json!({ "type": kind, "title": title, "spec": spec })
}

/// The same resource with an edge.
pub fn with(mut resource: Value, edge: &str, to: &[&str]) -> Value {
    resource[edge] = json!(to);
    resource
}
