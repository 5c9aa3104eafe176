//! YAML with the place of every value, and without the corners that mislead.
//!
//! What is read is a tree of spanned nodes. Refused, each with what to write instead: duplicate
//! keys, bare `yes`/`no`/`on`/`off`, integers with a leading zero, a value that begins with an
//! unquoted `{{`; and whatever goes beyond the limits below (aliases multiply). Reading goes on
//! behind what is refused as far as the rest can be understood, so that all is told at once.

mod raw;
mod refusal;
mod repair;
mod slips;

use std::sync::Arc;

use indexmap::IndexMap;
use serde_saphyr::{DuplicateKeyPolicy, Location, Options, Spanned};

use super::secret::{self, Secret, is_encrypted};
use crate::diag::{Code, Diagnostic, Source, Span};
use raw::{Raw, RawValue};
use repair::Repaired;

/// Deepest nesting of a document. What a person writes stays below ten.
const MAX_DEPTH: usize = 48;

/// Most nodes of a document, aliases expanded: a generated table of ten thousand rows fits.
const MAX_NODES: usize = 100_000;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Yaml,
}

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Yaml {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    /// A value that age encrypted.
    Secret(Arc<Secret>),
    List(Vec<Node>),
    Map(Map),
}

/// A mapping in the order written.
pub(crate) type Map = IndexMap<Arc<str>, Field>;

/// An entry of a mapping: its key's place, and its value.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) key: Span,
    pub(crate) node: Node,
}

impl Yaml {
    /// What it is, with its article.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::Secret(_) => "a secret",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Reads one document, which is right as a whole or refused. An empty one is an empty mapping.
pub(crate) fn parse(source: &Arc<Source>) -> Result<Node, Vec<Diagnostic>> {
    let mut wrong = Vec::new();
    match read(source, &mut wrong) {
        Some(node) if wrong.is_empty() => Ok(node),
        _ => Err(wrong),
    }
}

/// Reads one document as far as it can be understood; `None` where that is not at all. What is
/// wrong is told.
pub(crate) fn read(source: &Arc<Source>, wrong: &mut Vec<Diagnostic>) -> Option<Node> {
    let only_comments = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if let Some(told) = refusal::control_character(source) {
        wrong.push(told);
        return None;
    }
    if source.text().lines().all(only_comments) {
        return Some(Node {
            span: Span::whole(source),
            value: Yaml::Map(Map::new()),
        });
    }
    let raw = match serde_saphyr::from_str_with_options(source.text(), options()) {
        Ok(raw) => raw,
        Err(error) => again(source, &error, wrong)?,
    };
    let mut reading = Reading {
        source,
        wrong,
        path: Vec::new(),
    };
    Some(reading.node(raw))
}

/// Reads a document that the parser refused once more, without what can be recognised as wrong by
/// itself.
fn again(
    source: &Arc<Source>,
    error: &serde_saphyr::Error,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Raw> {
    let Some(repaired) = Repaired::of(source) else {
        wrong.push(refusal::told(source, error));
        return None;
    };
    let parsed = serde_saphyr::from_str_with_options(&repaired.text, options());
    wrong.extend(repaired.told);
    match parsed {
        Ok(raw) => Some(raw),
        Err(error) => {
            wrong.push(refusal::told(source, &error));
            None
        }
    }
}

fn options() -> Options {
    let budget = serde_saphyr::budget! {
        max_depth: MAX_DEPTH,
        max_nodes: MAX_NODES,
        max_documents: 1,
    };
    serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        // They are told with both places, and reading goes on.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        with_snippet: false,
        budget: budget,
    }
}

fn start_of(source: &Source, location: &Location) -> usize {
    let length = source.text().len();
    let byte = location.span().byte_offset();
    let at = byte.and_then(|byte| usize::try_from(byte).ok());
    let at = at
        .unwrap_or_else(|| by_line(source.text(), location))
        .min(length);
    source.text().floor_char_boundary(at)
}

fn by_line(text: &str, location: &Location) -> usize {
    let line = usize::try_from(location.line()).unwrap_or(1).max(1);
    let column = usize::try_from(location.column()).unwrap_or(1).max(1);
    let start: usize = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let rest = &text[start.min(text.len())..];
    start
        + rest
            .char_indices()
            .nth(column - 1)
            .map_or(rest.len(), |(at, _)| at)
}

/// From the parser's places to spans, looking at scalars on the way.
struct Reading<'a> {
    source: &'a Arc<Source>,
    wrong: &'a mut Vec<Diagnostic>,
    path: Vec<Step>,
}

/// A step from the document to a value in it.
enum Step {
    Key(Arc<str>),
    Item(usize),
}

impl Reading<'_> {
    fn span(&self, location: &Location) -> Span {
        let start = start_of(self.source, location);
        let length = location.span().byte_len().unwrap_or(0);
        let end = start.saturating_add(usize::try_from(length).unwrap_or(0));
        let text = self.source.text();
        let end = end.min(text.len());
        let covered = text.get(start..end).unwrap_or_default();
        Span::new(self.source, start, start + covered.trim_end().len())
    }

    fn node(&mut self, raw: Raw) -> Node {
        let used = self.span(&raw.0.referenced);
        let defined = self.span(&raw.0.defined);
        let value = match raw.0.value {
            RawValue::Null => Yaml::Null,
            RawValue::Bool(value) => Yaml::Bool(value),
            RawValue::Int(value) => Yaml::Int(value),
            RawValue::Float(value) => Yaml::Float(value),
            RawValue::Huge(value) => {
                let message = format!("{value} is beyond the integers of 64 bits");
                let told = Diagnostic::new(Code::InvalidValue, message, &used);
                self.wrong.push(told.help("quote it if it is a name"));
                Yaml::Null
            }
            RawValue::Text(text) if is_encrypted(text.as_bytes()) => {
                return self.secret(&text, used);
            }
            RawValue::Text(text) => match self.look(&text, &defined) {
                Some(meant) => meant,
                None => Yaml::Text(text.into()),
            },
            RawValue::List(items) => {
                let items = items.into_iter().enumerate().map(|(place, item)| {
                    self.path.push(Step::Item(place));
                    let node = self.node(item);
                    self.path.pop();
                    node
                });
                Yaml::List(items.collect())
            }
            RawValue::Map(fields) => Yaml::Map(self.map(fields)),
        };
        Node { span: used, value }
    }

    /// What is encrypted, under the name of its place.
    fn secret(&mut self, text: &str, span: Span) -> Node {
        let path = self.path.iter().map(|step| match step {
            Step::Key(key) => Arc::clone(key),
            Step::Item(place) => place.to_string().into(),
        });
        let path: Vec<Arc<str>> = path.collect();
        match secret::value(text, &path, &span) {
            Ok(secret) => Node {
                span: secret.place.clone(),
                value: Yaml::Secret(Arc::new(secret)),
            },
            Err(told) => {
                self.wrong.push(told);
                let value = Yaml::Text("".into());
                Node { span, value }
            }
        }
    }

    fn map(&mut self, fields: Vec<(Spanned<String>, Raw)>) -> Map {
        let mut map: Map = Map::with_capacity(fields.len());
        for (key, value) in fields {
            let defined = self.span(&key.defined);
            self.look(&key.value, &defined);
            if is_encrypted(key.value.as_bytes()) {
                let help = "a key is a word; encrypt the value";
                self.wrong.push(secret::misplaced("a key", help, &defined));
            }
            let name: Arc<str> = key.value.as_str().into();
            self.path.push(Step::Key(Arc::clone(&name)));
            let node = self.node(value);
            self.path.pop();
            let field = Field {
                key: self.span(&key.referenced),
                node,
            };
            if let Some(first) = map.get(key.value.as_str()) {
                let message = format!("the key `{}` stands twice in one mapping", key.value);
                let told = Diagnostic::new(Code::DuplicateKey, message, &field.key);
                self.wrong.push(told.also(&first.key, "first here"));
                continue;
            }
            map.insert(name, field);
        }
        map
    }

    /// Refuses a bare scalar that readers take for different things; gives what it was probably
    /// meant to be, for reading on.
    fn look(&mut self, text: &str, span: &Span) -> Option<Yaml> {
        if span.source().text().get(span.range()) != Some(text) {
            return None;
        }
        let (readings, help, meant) = match text {
            "yes" | "Yes" | "YES" | "on" | "On" | "ON" => (
                "a word to some readers and `true` to others".to_owned(),
                format!("write `true`, or \"{text}\" for the word"),
                Yaml::Bool(true),
            ),
            "no" | "No" | "NO" | "off" | "Off" | "OFF" => (
                "a word to some readers and `false` to others".to_owned(),
                format!("write `false`, or \"{text}\" for the word"),
                Yaml::Bool(false),
            ),
            _ if leading_zero(text) => {
                let digits = text.trim_start_matches(['-', '+']).trim_start_matches('0');
                let number = if digits.is_empty() { "0" } else { digits };
                let sign = if text.starts_with('-') { "-" } else { "" };
                let readings = match i64::from_str_radix(text, 8) {
                    Ok(octal) => {
                        format!("{octal} to some readers (octal) and {sign}{number} to others")
                    }
                    Err(_) => format!("{sign}{number} to some readers and text to others"),
                };
                let help = format!(
                    "write \"{text}\" for the text (a mode, say), or `{sign}{number}` for the number"
                );
                (readings, help, Yaml::Text(text.into()))
            }
            _ => return None,
        };
        let message = format!("bare `{text}` is {readings}");
        let told = Diagnostic::new(Code::AmbiguousScalar, message, span);
        self.wrong.push(told.help(help));
        Some(meant)
    }
}

fn leading_zero(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.len() > 1
        && digits.starts_with('0')
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
