//! Where something stands in the repo: a file with its text, and a range of bytes in it.
//!
//! A span carries its file, so that a value can say where it came from long after parsing, and a
//! diagnostic can be drawn without the site at hand.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A text file of the repo.
pub struct Source {
    path: String,
    text: String,
    /// The ranges of it that are not shown.
    veiled: Mutex<Vec<(u32, u32)>>,
}

impl Source {
    /// A file by its path in the repo.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            text: text.into(),
            veiled: Mutex::default(),
        })
    }

    /// Its path in the repo.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its text as excerpts show it: what is veiled is starred, in as many columns and lines.
    pub(super) fn shown(&self) -> Cow<'_, str> {
        let veiled = self.veiled.lock().unwrap_or_else(PoisonError::into_inner);
        if veiled.is_empty() {
            return Cow::Borrowed(&self.text);
        }
        let hidden = |at: usize| {
            let inside = |(start, end): &(u32, u32)| (*start as usize..*end as usize).contains(&at);
            veiled.iter().any(inside)
        };
        let mut shown = String::with_capacity(self.text.len());
        for (at, c) in self.text.char_indices() {
            // Spans count bytes, so a star takes as many as what it hides.
            match hidden(at) && c != '\n' {
                true => shown.extend(std::iter::repeat_n('*', c.len_utf8())),
                false => shown.push(c),
            }
        }
        Cow::Owned(shown)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// A range of bytes in a file of the repo.
#[derive(Clone)]
pub struct Span {
    source: Arc<Source>,
    start: u32,
    end: u32,
}

impl Span {
    /// A range of bytes, moved to the nearest character boundaries inside the file.
    pub fn new(source: &Arc<Source>, start: usize, end: usize) -> Self {
        let text = &source.text;
        let start = text.floor_char_boundary(start.min(text.len()));
        let end = text.floor_char_boundary(end.clamp(start, text.len()));
        Self {
            source: Arc::clone(source),
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(end).unwrap_or(u32::MAX),
        }
    }

    /// The file as a whole, drawn at its first line.
    pub fn whole(source: &Arc<Source>) -> Self {
        Self::new(source, 0, 0)
    }

    /// The file.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The path of the file.
    pub fn path(&self) -> &str {
        &self.source.path
    }

    /// The range in bytes.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The text it covers.
    pub fn text(&self) -> &str {
        self.source.text.get(self.range()).unwrap_or_default()
    }

    /// Keeps what it covers out of every excerpt.
    pub(crate) fn veil(&self) {
        let veiled = self.source.veiled.lock();
        let mut veiled = veiled.unwrap_or_else(PoisonError::into_inner);
        veiled.push((self.start, self.end));
    }

    /// Line and column of the first byte, both from 1, columns in characters.
    pub fn line_column(&self) -> (usize, usize) {
        line_column(&self.source.text, self.start as usize)
    }

    /// Line and column after the last byte.
    pub fn end_line_column(&self) -> (usize, usize) {
        line_column(&self.source.text, self.end as usize)
    }

    /// From here to the end of another span of the same file.
    pub fn to(&self, other: &Self) -> Self {
        Self::new(&self.source, self.start as usize, other.end as usize)
    }

    /// The narrower span of a range of bytes within this one.
    pub fn within(&self, range: std::ops::Range<usize>) -> Self {
        let start = self.start as usize;
        Self::new(&self.source, start + range.start, start + range.end)
    }

    fn key(&self) -> (&str, u32, u32) {
        (&self.source.path, self.start, self.end)
    }
}

fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}", self.source.path)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl PartialEq for Span {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Span {}

impl PartialOrd for Span {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Span {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}
