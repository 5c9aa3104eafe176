//! `holdfast fmt`: the YAML of a repo in one form.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use holdfast_catalog::Diagnostics;
use holdfast_catalog::fmt::formatted;
use holdfast_catalog::site::MAX_TEXT;
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{Form, JsonSwitch, Output};
use crate::words;

/// Folders of a role whose files are nobody's to format: they are content.
const CONTENT: [&str; 2] = ["files", "templates"];

/// Deepest folder that is looked into; a site has three levels.
const MAX_DEPTH: usize = 16;

/// Formats files.
#[derive(Debug, Clone, clap::Args)]
pub struct Fmt {
    /// Files, or folders whose `.yaml` files are meant
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Change nothing, and fail where something would change
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    json: JsonSwitch,
}

/// What formatting did, or would do.
#[derive(Debug, Default, Serialize)]
struct Formatted {
    /// Files looked at.
    files: usize,
    /// Those of them that changed, or with `--check` would.
    changed: Vec<PathBuf>,
    /// Why files were left as they are.
    diagnostics: Diagnostics,
}

impl Fmt {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let mut files = Vec::new();
        for path in &self.paths {
            collect(path, 0, &mut files)?;
        }
        files.sort();
        files.dedup();
        let mut done = Formatted {
            files: files.len(),
            ..Formatted::default()
        };
        for path in files {
            self.file(path, &mut done)?;
        }
        match self.json.form() {
            Form::Json => out.json(&done)?,
            Form::Text => {
                out.diagnostics(&done.diagnostics);
                out.text(&self.told(&done))?;
            }
        }
        Ok(
            match (done.diagnostics.is_empty(), done.changed.is_empty()) {
                (false, _) => Exit::Invalid,
                (true, false) if self.check => Exit::Found,
                _ => Exit::Fine,
            },
        )
    }

    fn file(&self, path: PathBuf, done: &mut Formatted) -> Result<(), CliError> {
        let text = read(&path).map_err(|source| CliError::Read {
            path: path.clone(),
            source,
        })?;
        match formatted(&path.to_string_lossy(), &text) {
            Err(wrong) => done.diagnostics.extend(wrong),
            Ok(new) if new == text => {}
            Ok(new) => {
                if !self.check {
                    replace(&path, &new).map_err(|source| CliError::Write {
                        path: path.clone(),
                        source,
                    })?;
                }
                done.changed.push(path);
            }
        }
        Ok(())
    }

    fn told(&self, done: &Formatted) -> String {
        let word = match self.check {
            true => "would change".yellow().bold().to_string(),
            false => "formatted".green().bold().to_string(),
        };
        let changed = done.changed.iter();
        let mut text: String = changed
            .map(|path| format!("{word} {}\n", path.display()))
            .collect();
        let files = words::count(done.files, "file");
        let changed = words::thousands(done.changed.len());
        text.push_str(&match (done.changed.is_empty(), self.check) {
            (true, _) => format!("{files}, nothing to change\n"),
            (false, true) => format!("{changed} of {files} would change\n"),
            (false, false) => format!("{changed} of {files} changed\n"),
        });
        text
    }
}

/// The files that a path means. Links are not followed: they may lead anywhere.
fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let unreadable = |source| CliError::Read {
        path: path.to_path_buf(),
        source,
    };
    let kind = fs::symlink_metadata(path).map_err(unreadable)?.file_type();
    if kind.is_file() {
        let is_yaml = path.extension().is_some_and(|ending| ending == "yaml");
        if depth == 0 || is_yaml {
            files.push(path.to_path_buf());
        }
        return Ok(());
    }
    if !kind.is_dir() || depth > MAX_DEPTH {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with('.') && !CONTENT.contains(&&*name) {
            collect(&entry.path(), depth + 1, files)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> io::Result<String> {
    match fs::metadata(path)?.len() {
        0..=MAX_TEXT => fs::read_to_string(path),
        _ => Err(io::Error::other(
            "it is larger than a file of a site may be",
        )),
    }
}

/// Puts a new text in the place of a file: whole, or not at all.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut new = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    new.write_all(text.as_bytes())?;
    new.as_file()
        .set_permissions(fs::metadata(path)?.permissions())?;
    new.as_file().sync_all()?;
    new.persist(path)?;
    Ok(())
}
