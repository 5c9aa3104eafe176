//! YAML with the place of every value, and without the corners that mislead.
//!
//! What is read is a tree of spanned nodes. Refused, each with what to write instead: duplicate
//! keys, bare `yes`/`no`/`on`/`off`, integers with a leading zero, a value that begins with an
//! unquoted `{{`; and whatever goes beyond the limits below (aliases multiply).

use std::fmt;
use std::sync::Arc;

use holdfast_schemas::resource::Kind;
use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use crate::diag::{Code, Diagnostic, Source, Span};

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
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Reads one document. An empty one is an empty mapping.
pub(crate) fn parse(source: &Arc<Source>) -> Result<Node, Vec<Diagnostic>> {
    let budget = serde_saphyr::budget! {
        max_depth: MAX_DEPTH,
        max_nodes: MAX_NODES,
        max_documents: 1,
    };
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
        budget: budget,
    };
    let only_comments = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if source.text().lines().all(only_comments) {
        return Ok(Node {
            span: Span::whole(source),
            value: Yaml::Map(Map::new()),
        });
    }
    let parsed: Result<Raw, _> = serde_saphyr::from_str_with_options(source.text(), options);
    let raw = parsed.map_err(|error| vec![refused(source, &error)])?;
    let mut reading = Reading {
        source,
        wrong: Vec::new(),
    };
    let node = reading.node(raw);
    match reading.wrong.is_empty() {
        true => Ok(node),
        false => Err(reading.wrong),
    }
}

fn refused(source: &Arc<Source>, error: &serde_saphyr::Error) -> Diagnostic {
    let at = error.location().map(|location| start_of(source, &location));
    let at = at.unwrap_or(0);
    let text = source.text();
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[at..]
        .find('\n')
        .map_or(text.len(), |length| at + length);
    let line = &text[line_start..line_end];
    let unquoted = ["{{", "- {{", ": {{"].iter().find_map(|opening| {
        let begin = line.find(opening)?;
        let bare = *opening != "{{" || line[..begin].trim().is_empty();
        bare.then(|| line_start + begin + opening.len() - 2)
    });
    if let Some(begin) = unquoted {
        let end = begin + text[begin..line_end].trim_end().len();
        let span = Span::new(source, begin, end);
        let message = "a value that begins with `{{` is a mapping to YAML";
        return Diagnostic::new(Code::Yaml, message, &span)
            .help(format!("quote it: \"{}\"", span.text().replace('"', "'")));
    }
    let span = Span::new(source, at, at + 1);
    let tab = line.trim_start_matches(' ').starts_with('\t');
    let told = Diagnostic::new(Code::Yaml, message(error), &span);
    let bracketed = Kind::ALL
        .iter()
        .any(|kind| line.contains(&format!("{kind}[")));
    let quoted = told.message.contains("trailing content after");
    match (tab, bracketed, quoted) {
        (true, ..) => told.help("YAML is indented with spaces, not with tabs"),
        (_, true, _) => told.help("in a list in brackets, quote names: [\"service[nginx]\"]"),
        (_, _, true) => told.help(
            "YAML takes a value that begins with a quote to end with it; put all of it in the other quotes: '\"a\" in host.tags'",
        ),
        _ => told,
    }
}

/// What the parser says, and how to say it to whoever wrote the file.
const PLAINLY: [(&str, &str); 9] = [
    (
        "Nodes {",
        "the document has more than 100,000 values, aliases counted as often as they are used",
    ),
    ("Depth {", "the document is nested more than 48 deep"),
    (
        "recursion limit",
        "the document is nested more than 48 deep",
    ),
    (
        "Documents {",
        "a file holds one document, and here a second one begins",
    ),
    (
        "non-finite float",
        "a number is finite; quote it if it is a word",
    ),
    (
        "null into string",
        "a key is a word; quote it if it is to be one",
    ),
    (
        "expected string scalar",
        "a key is a word, not a list or a mapping",
    ),
    (
        "recursive references",
        "an alias cannot stand inside of what it names",
    ),
    (
        "mapping values are not allowed",
        "a second `: ` on one line; quote the value if the colon belongs to it",
    ),
];

/// The parser's words without the place, which the drawing shows.
fn message(error: &serde_saphyr::Error) -> String {
    if let serde_saphyr::Error::DuplicateMappingKey { key, .. } = error.without_snippet() {
        let key = key.as_deref().unwrap_or("this");
        return format!("the key `{key}` stands twice in one mapping");
    }
    let text = error.without_snippet().to_string();
    if let Some((_, plain)) = PLAINLY.iter().find(|(words, _)| text.contains(words)) {
        return (*plain).to_owned();
    }
    let first = text.lines().next().unwrap_or_default();
    let cut = first.rfind(" at line ").unwrap_or(first.len());
    let words = first[..cut].trim_end_matches([',', ':', ' ']);
    let words = words.strip_prefix("error: ").unwrap_or(words);
    match words
        .strip_prefix("line ")
        .and_then(|rest| rest.split_once(": "))
    {
        Some((_, words)) => words.to_owned(),
        None => words.to_owned(),
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
    wrong: Vec<Diagnostic>,
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
            RawValue::Text(text) => {
                self.look(&text, &defined);
                Yaml::Text(text.into())
            }
            RawValue::List(items) => {
                Yaml::List(items.into_iter().map(|item| self.node(item)).collect())
            }
            RawValue::Map(fields) => Yaml::Map(self.map(fields)),
        };
        Node { span: used, value }
    }

    fn map(&mut self, fields: Vec<(Spanned<String>, Raw)>) -> Map {
        let mut map = Map::with_capacity(fields.len());
        for (key, value) in fields {
            self.look(&key.value, &self.span(&key.defined));
            let field = Field {
                key: self.span(&key.referenced),
                node: self.node(value),
            };
            map.insert(key.value.into(), field);
        }
        map
    }

    /// Refuses what is encrypted, and a bare scalar that readers take for different things.
    fn look(&mut self, text: &str, span: &Span) {
        if is_encrypted(text.as_bytes()) {
            self.wrong.push(encrypted("this value", span));
        }
        if span.source().text().get(span.range()) != Some(text) {
            return;
        }
        let refused = |help: String| {
            let message = format!("bare `{text}` is a boolean or a number to some readers");
            Diagnostic::new(Code::AmbiguousScalar, message, span).help(help)
        };
        let told = match text {
            "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
                refused(format!("write `true`, or \"{text}\" for the word"))
            }
            "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
                refused(format!("write `false`, or \"{text}\" for the word"))
            }
            _ if leading_zero(text) => {
                let digits = text.trim_start_matches(['-', '+']).trim_start_matches('0');
                let number = if digits.is_empty() { "0" } else { digits };
                let sign = if text.starts_with('-') { "-" } else { "" };
                refused(format!(
                    "write \"{text}\" for the text (a mode, say), or `{sign}{number}` for the number"
                ))
            }
            _ => return,
        };
        self.wrong.push(told);
    }
}

/// How an age file begins, armoured and binary: <https://age-encryption.org/v1>.
const AGE: [&[u8]; 2] = [
    b"-----BEGIN AGE ENCRYPTED FILE-----",
    b"age-encryption.org/v1",
];

/// Whether bytes are encrypted by age.
pub(crate) fn is_encrypted(bytes: &[u8]) -> bool {
    let begin = bytes.trim_ascii_start();
    AGE.iter().any(|header| begin.starts_with(header))
}

/// A secret would reach the host as the text that hides it.
pub(crate) fn encrypted(what: &str, span: &Span) -> Diagnostic {
    let message = format!("{what} is encrypted with age, and secrets are not supported yet");
    Diagnostic::new(Code::Encrypted, message, span)
        .help("it would be written to hosts as it stands, so it is refused; leave it out for now")
}

fn leading_zero(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.len() > 1
        && digits.starts_with('0')
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
}

/// A value as the parser gives it.
struct Raw(Spanned<RawValue>);

enum RawValue {
    Null,
    Bool(bool),
    Int(i64),
    Huge(String),
    Float(f64),
    Text(String),
    List(Vec<Raw>),
    Map(Vec<(Spanned<String>, Raw)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_none<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawValue, D::Error> {
        RawValue::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawValue, E> {
        Ok(RawValue::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawValue, E> {
        Ok(i64::try_from(value).map_or_else(|_| RawValue::Huge(value.to_string()), RawValue::Int))
    }

    fn visit_i128<E>(self, value: i128) -> Result<RawValue, E> {
        Ok(RawValue::Huge(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<RawValue, E> {
        Ok(RawValue::Huge(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawValue, E> {
        Ok(RawValue::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawValue, E> {
        Ok(RawValue::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<RawValue, E> {
        Ok(RawValue::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(RawValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<RawValue, A::Error> {
        let mut map = Vec::new();
        while let Some(field) = fields.next_entry()? {
            map.push(field);
        }
        Ok(RawValue::Map(map))
    }
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
