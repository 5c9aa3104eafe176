//! `holdfast init`: a small site that compiles, every file of it commented for whoever begins.
//!
//! Nothing is overwritten, and no repository is made: whether and where the site is kept in Git is
//! the operator's to say, so that stands among the next steps.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use owo_colors::OwoColorize;
use serde::Serialize;

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{Form, JsonSwitch, Output};

/// The files of the site, by their path in it.
const FILES: [(&str, &str); 12] = [
    ("holdfast.yaml", include_str!("site/holdfast.yaml")),
    ("globals.yaml", include_str!("site/globals.yaml")),
    ("groups/web.yaml", include_str!("site/groups/web.yaml")),
    ("hosts/db-1.yaml", include_str!("site/hosts/db-1.yaml")),
    ("hosts/web-1.yaml", include_str!("site/hosts/web-1.yaml")),
    ("hosts/web-2.yaml", include_str!("site/hosts/web-2.yaml")),
    (
        "roles/base/role.yaml",
        include_str!("site/roles/base/role.yaml"),
    ),
    (
        "roles/web/role.yaml",
        include_str!("site/roles/web/role.yaml"),
    ),
    (
        "roles/web/files/robots.txt",
        include_str!("site/roles/web/files/robots.txt"),
    ),
    (
        "roles/web/templates/site.conf.j2",
        include_str!("site/roles/web/templates/site.conf.j2"),
    ),
    ("tests/web.yaml", include_str!("site/tests/web.yaml")),
    ("README.md", include_str!("site/README.md")),
];

/// What a site consists of: where one of these is, there is one already, or something that
/// would become part of it.
const OF_A_SITE: [&str; 7] = [
    "holdfast.yaml",
    "globals.yaml",
    "variables.yaml",
    "groups",
    "hosts",
    "roles",
    "tests",
];

/// Begins a site.
#[derive(Debug, Clone, clap::Args)]
pub struct Init {
    /// The folder; made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    #[command(flatten)]
    json: JsonSwitch,
}

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    folder: PathBuf,
    files: Vec<&'static str>,
    /// What to do next, and why: command lines.
    next: Vec<(String, &'static str)>,
}

impl Init {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let mut there = OF_A_SITE.iter().map(|name| self.folder.join(name));
        if let Some(path) = there.find(|path| path.symlink_metadata().is_ok()) {
            return Err(CliError::InitOver(path));
        }
        let mut files = Vec::new();
        for (path, text) in FILES {
            if write_new(&self.folder, path, text)? == Written::New {
                files.push(path);
            }
        }
        let made = Made {
            next: next(&self.folder),
            folder: self.folder,
            files,
        };
        match self.json.form() {
            Form::Json => out.json(&made)?,
            Form::Text => out.text(&told(&made))?,
        }
        Ok(Exit::Fine)
    }
}

/// What became of a file.
#[derive(PartialEq)]
enum Written {
    New,
    /// There was one, which stays: a README, say.
    Kept,
}

fn write_new(folder: &Path, path: &str, text: &str) -> Result<Written, CliError> {
    let path = folder.join(path);
    let write = || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut file = fs::File::create_new(&path)?;
        file.write_all(text.as_bytes())
    };
    match write() {
        Ok(()) => Ok(Written::New),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Written::Kept),
        Err(source) => Err(CliError::Write { path, source }),
    }
}

fn next(folder: &Path) -> Vec<(String, &'static str)> {
    let here = folder == Path::new(".");
    let site = match here {
        true => String::new(),
        false => format!(" --site {}", folder.display()),
    };
    let git = match here {
        true => "git".to_owned(),
        false => format!("git -C {}", folder.display()),
    };
    let mut next = vec![
        (
            format!("holdfast check{site}"),
            "does it compile, for every host?",
        ),
        (format!("holdfast test{site}"), "is it what tests/ expect?"),
        (
            format!("holdfast explain web-2 web.keepalive{site}"),
            "where does a value come from?",
        ),
        (
            format!("holdfast compile web-1{site}"),
            "what is wanted of a host?",
        ),
    ];
    let init = match folder.join(".git").exists() {
        true => String::new(),
        false => format!("{git} init && "),
    };
    next.push((
        format!("{init}{git} add . && {git} commit -m 'a first site'"),
        "a server serves what is committed",
    ));
    next
}

fn told(made: &Made) -> String {
    let folder = made.folder.display();
    let mut text = format!(
        "{} a site in {folder}, with comments throughout\n\n",
        "made".green().bold()
    );
    for file in &made.files {
        text.push_str(&format!("  {file}\n"));
    }
    text.push_str("\nNext:\n\n");
    for (command, why) in &made.next {
        text.push_str(&format!("  {command}\n      {}\n", why.dimmed()));
    }
    text
}
