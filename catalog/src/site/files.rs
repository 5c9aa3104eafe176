//! Sorting the files of a repo: which are the language's, which are the operators' own, and which
//! look like the former and are not in their place.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::names::is_plain;
use super::role::ContentFile;
use super::secret::{self, is_encrypted};
use super::snapshot::{Entry, MAX_FILES, MAX_TEXT, Snapshot};
use crate::diag::{Code, Diagnostic, Diagnostics, Source, Span, did_you_mean};

/// How the name of a content file ends that age encrypted.
const ENCRYPTED: &str = ".age";

/// The files that the language gives a meaning.
#[derive(Default)]
pub(super) struct Files {
    pub(super) settings: Option<Arc<Source>>,
    pub(super) globals: Option<Arc<Source>>,
    pub(super) variables: Option<Arc<Source>>,
    pub(super) groups: Vec<Arc<Source>>,
    pub(super) hosts: Vec<Arc<Source>>,
    pub(super) roles: BTreeMap<String, RoleFiles>,
    /// What is under `tests/`, unread: a catalog does not depend on it.
    pub(super) tests: BTreeMap<String, Entry>,
}

/// The files of a role.
#[derive(Default)]
pub(super) struct RoleFiles {
    pub(super) role: Option<Arc<Source>>,
    pub(super) templates: Vec<Arc<Source>>,
    pub(super) files: BTreeMap<String, ContentFile>,
}

/// Sorts the files of a repo.
pub(super) fn sort(snapshot: &Snapshot, wrong: &mut Diagnostics) -> Files {
    let mut files = Files::default();
    if snapshot.files.len() > MAX_FILES {
        let message = format!(
            "the repo has {} files, at most {MAX_FILES} are read",
            snapshot.files.len()
        );
        let place = Span::whole(&Source::new("", ""));
        wrong.push(Diagnostic::new(Code::TooLarge, message, &place));
        return files;
    }
    for (path, entry) in &snapshot.files {
        if let Entry::TooLarge { size, limit } = entry {
            let message = too_large(path, *size, *limit);
            let told = misplaced(path, message, Code::TooLarge);
            wrong.push(told.help("large artifacts do not belong into the repo"));
            continue;
        }
        let parts: Vec<&str> = path.split('/').collect();
        place(&mut files, path, &parts, (entry, &mut *wrong));
    }
    files
}

fn place(
    files: &mut Files,
    path: &str,
    parts: &[&str],
    (entry, wrong): (&Entry, &mut Diagnostics),
) {
    let last = parts.last().copied().unwrap_or_default();
    if last.starts_with('.') || parts[0].starts_with('.') {
        return;
    }
    match parts {
        ["holdfast.yaml"] => files.settings = text(path, entry, wrong),
        ["globals.yaml"] => files.globals = text(path, entry, wrong),
        ["tests", .., _] => {
            files.tests.insert(path.to_owned(), entry.clone());
        }
        ["variables.yaml"] => files.variables = text(path, entry, wrong),
        ["holdfast.yml" | "globals.yml" | "variables.yml"] => wrong.push(ending(path)),
        ["groups" | "hosts", ..] if last.eq_ignore_ascii_case("readme.md") => {}
        [folder @ ("groups" | "hosts"), name] if name.ends_with(".yaml") => {
            let list = match *folder {
                "groups" => &mut files.groups,
                _ => &mut files.hosts,
            };
            list.extend(text(path, entry, wrong));
        }
        ["groups" | "hosts", name] if name.ends_with(".yml") => wrong.push(ending(path)),
        [folder @ ("groups" | "hosts"), ..] => {
            let message = format!("{path} is no file `{folder}/NAME.yaml`");
            wrong.push(misplaced(path, message, Code::MisplacedFile));
        }
        ["roles", role, rest @ ..] if !rest.is_empty() => {
            if !is_plain(role) {
                let message = format!("`{role}` cannot be the name of a role");
                wrong.push(misplaced(path, message, Code::InvalidValue));
                return;
            }
            let role = files.roles.entry((*role).to_owned()).or_default();
            place_role(role, path, rest, (entry, wrong));
        }
        _ => {}
    }
}

fn place_role(
    role: &mut RoleFiles,
    path: &str,
    rest: &[&str],
    (entry, wrong): (&Entry, &mut Diagnostics),
) {
    match rest {
        ["role.yaml"] => role.role = text(path, entry, wrong),
        ["role.yml"] => wrong.push(ending(path)),
        ["templates", .., _] => role.templates.extend(text(path, entry, wrong)),
        ["files", inner @ ..] if !inner.is_empty() => {
            let content = content(path, entry, wrong);
            role.files
                .extend(content.map(|content| (inner.join("/"), content)));
        }
        [name] if name.to_ascii_lowercase().ends_with(".md") => {}
        [first, ..] => {
            let known = ["role.yaml", "templates", "files"];
            let message = format!("a role has no `{first}`");
            let told = misplaced(path, message, Code::MisplacedFile);
            let help = did_you_mean(first, known);
            wrong.push(told.help(help.unwrap_or_else(|| {
                "a role has `role.yaml`, `templates/` and `files/`".to_owned()
            })));
        }
        [] => {}
    }
}

fn misplaced(path: &str, message: String, code: Code) -> Diagnostic {
    Diagnostic::new(code, message, &Span::whole(&Source::new(path, "")))
}

fn too_large(path: &str, size: u64, limit: u64) -> String {
    let mib = |bytes: u64| bytes.div_ceil(1024 * 1024);
    format!(
        "{path} has {} MiB, its place allows {} MiB",
        mib(size),
        mib(limit)
    )
}

pub(crate) fn ending(path: &str) -> Diagnostic {
    let message = format!("{path} would be ignored");
    let told = misplaced(path, message, Code::MisplacedFile);
    told.help("YAML files end in `.yaml` here")
}

pub(crate) fn text(path: &str, entry: &Entry, wrong: &mut Diagnostics) -> Option<Arc<Source>> {
    let bytes = match entry {
        Entry::Text(bytes) => bytes,
        other => {
            wrong.push(foreign(path, other)?);
            return None;
        }
    };
    if bytes.len() as u64 > MAX_TEXT {
        let message = too_large(path, bytes.len() as u64, MAX_TEXT);
        wrong.push(misplaced(path, message, Code::TooLarge));
        return None;
    }
    if is_encrypted(bytes) {
        let help = "encrypt values in YAML, and files under a role's `files/`";
        let place = Span::whole(&Source::new(path, ""));
        wrong.push(secret::misplaced(path, help, &place));
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(Source::new(path, text)),
        Err(error) => {
            wrong.push(not_text(path, bytes, error.valid_up_to()));
            None
        }
    }
}

/// Bytes that are no UTF-8, told at the line where the first of them stands.
fn not_text(path: &str, bytes: &[u8], valid: usize) -> Diagnostic {
    let message = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => format!("{path} is UTF-16, not UTF-8"),
        _ => format!("{path} is not UTF-8 (byte {})", valid + 1),
    };
    let readable = String::from_utf8_lossy(bytes);
    let span = Span::new(&Source::new(path, readable), valid, valid + 1);
    Diagnostic::new(Code::Encoding, message, &span).help(
        "convert it (`iconv -t utf-8`); content that is not text goes under a role's `files/`",
    )
}

fn content(path: &str, entry: &Entry, wrong: &mut Diagnostics) -> Option<ContentFile> {
    match entry {
        Entry::Content { .. } if path.ends_with(ENCRYPTED) => {
            let message = format!("{path} is named as what age encrypted, and is not");
            let told = misplaced(path, message, Code::Encrypted);
            wrong.push(told.help("encrypt it with `holdfast secret encrypt`, or rename it"));
            None
        }
        Entry::Content {
            digest,
            size,
            inline,
        } => Some(ContentFile::Plain {
            digest: *digest,
            size: *size,
            inline: inline.clone(),
        }),
        Entry::Encrypted(bytes) => match secret::file(path, bytes) {
            Ok(secret) => Some(ContentFile::Secret(Arc::new(secret))),
            Err(told) => {
                wrong.push(told);
                None
            }
        },
        other => {
            wrong.push(foreign(path, other)?);
            None
        }
    }
}

fn foreign(path: &str, entry: &Entry) -> Option<Diagnostic> {
    let what = match entry {
        Entry::Link { target } => format!("a symbolic link (to {target})"),
        Entry::Foreign { what } => what.clone(),
        Entry::Content { .. } => "a content file".to_owned(),
        Entry::Encrypted(_) => "an encrypted content file".to_owned(),
        Entry::Text(_) => "a text file".to_owned(),
        Entry::TooLarge { .. } => return None,
    };
    let message = format!("{path} is {what}, which a site does not hold there");
    Some(misplaced(path, message, Code::MisplacedFile))
}
