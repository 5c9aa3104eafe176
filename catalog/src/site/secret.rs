//! What the repo holds encrypted: values in YAML, and content files. Nothing here can open them.
//!
//! A value is an armored age file as a block scalar; its name is the path of its variable. A
//! content file is named by its path in the repo.

use std::sync::Arc;

use holdfast_schemas::secret::{MAX_SECRET_NAME, SecretName};

use minijinja::Value;

use crate::diag::{Code, Diagnostic, Source, Span};

/// How an age file begins, armored and binary: <https://age-encryption.org/v1>.
const AGE: [&[u8]; 2] = [BEGIN.as_bytes(), b"age-encryption.org/v1"];

/// How an armored age file begins and ends.
const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";

/// Longest line of an armored age file.
const ARMOR_LINE: usize = 64;

/// Something that is nobody's business, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The path of its variable, or of the file that it is.
    pub name: SecretName,
    /// How the repo holds it.
    pub held: Veiled,
    /// Where it begins.
    pub place: Span,
}

/// How the repo holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Veiled {
    /// As an age file, binary or armored.
    Encrypted(Arc<[u8]>),
    /// As it is: the value of a variable that is declared sensitive.
    Plain(Plain),
}

impl Veiled {
    /// The bytes that the repo holds.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Encrypted(bytes) => bytes,
            Self::Plain(plain) => plain.text.as_bytes(),
        }
    }
}

/// A sensitive value that is not encrypted. It is not shown, in debugging neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Plain {
    text: Arc<str>,
    value: Value,
}

impl Plain {
    pub(super) fn text(text: &Arc<str>) -> Self {
        Self {
            text: Arc::clone(text),
            value: Value::from(Arc::clone(text)),
        }
    }

    pub(super) fn integer(value: i64) -> Self {
        Self::scalar(Value::from(value))
    }

    pub(super) fn number(value: f64) -> Self {
        Self::scalar(Value::from(value))
    }

    fn scalar(value: Value) -> Self {
        let text = value.to_string().into();
        Self { text, value }
    }

    /// The text that goes into a file of the host.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The value, to be held against what it may be.
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }
}

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(sensitive)")
    }
}

/// A sensitive value by its path.
pub(super) fn plain(path: &str, plain: Plain, place: &Span) -> Result<Secret, Diagnostic> {
    Ok(Secret {
        name: named(path, place)?,
        held: Veiled::Plain(plain),
        place: place.clone(),
    })
}

/// Whether bytes begin as an age file does.
pub fn is_encrypted(bytes: &[u8]) -> bool {
    let begin = bytes.trim_ascii_start();
    AGE.iter().any(|header| begin.starts_with(header))
}

/// The encrypted value of a scalar that begins as one; `path` leads to it in its file.
pub(super) fn value(text: &str, path: &[Arc<str>], span: &Span) -> Result<Secret, Diagnostic> {
    let place = first_line(span);
    let armored = text.trim();
    let lines = armored
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.strip_suffix(END));
    let whole = lines.is_some_and(|lines| {
        lines.starts_with('\n')
            && lines.ends_with('\n')
            && lines.lines().all(|line| line.len() <= ARMOR_LINE)
            && lines.trim().chars().all(is_armor)
    });
    if !whole {
        let message = "this begins as an age file and does not go on as one";
        let told = Diagnostic::new(Code::Encrypted, message, &place);
        return Err(told.help(
            "paste all that `holdfast secret encrypt` printed, from BEGIN to END, as a block: `key: |`",
        ));
    }
    Ok(Secret {
        name: named(&variable(place.path(), path), &place)?,
        held: Veiled::Encrypted(format!("{armored}\n").into_bytes().into()),
        place,
    })
}

fn is_armor(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '\n')
}

/// A content file that is encrypted.
pub(super) fn file(path: &str, bytes: &Arc<[u8]>) -> Result<Secret, Diagnostic> {
    let place = Span::whole(&Source::new(path, ""));
    Ok(Secret {
        name: named(path, &place)?,
        held: Veiled::Encrypted(Arc::clone(bytes)),
        place,
    })
}

/// Something encrypted where nothing can be.
pub(crate) fn misplaced(what: &str, help: &str, span: &Span) -> Diagnostic {
    let message = format!("{what} cannot be encrypted");
    Diagnostic::new(Code::Encrypted, message, &first_line(span)).help(help)
}

fn named(name: &str, place: &Span) -> Result<SecretName, Diagnostic> {
    SecretName::new(name).map_err(|_| {
        let message = "a secret is named by its path, and this one cannot be a name";
        let told = Diagnostic::new(Code::Encrypted, message, place);
        told.help(format!(
            "a name has at most {MAX_SECRET_NAME} bytes, in one line"
        ))
    })
}

/// What a value is named by: its variable where it is one, else its file and its path in that.
fn variable(file: &str, path: &[Arc<str>]) -> String {
    let joined = |path: &[Arc<str>]| path.join(".");
    let parts: Vec<&str> = file.split('/').collect();
    let words: Vec<&str> = path.iter().map(|part| &**part).collect();
    match (&parts[..], &words[..]) {
        (["groups" | "hosts", _], ["vars", _, ..]) => joined(&path[1..]),
        (["globals.yaml"], ["vars", _, ..]) => joined(&path[1..]),
        (["globals.yaml"], [_, ..]) => joined(path),
        (["roles", role, "role.yaml"], ["params", param, "default", ..]) => {
            let inner = path[3..].iter().map(|part| &**part);
            let parts: Vec<&str> = [*role, *param].into_iter().chain(inner).collect();
            parts.join(".")
        }
        _ => format!("{file}:{}", joined(path)),
    }
}

/// Where something begins: what is encrypted is not worth looking at.
fn first_line(span: &Span) -> Span {
    let length = span.text().lines().next().unwrap_or_default().len();
    span.within(0..length)
}
