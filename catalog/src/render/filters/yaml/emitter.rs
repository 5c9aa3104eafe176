//! Writes YAML as Python's library lays it out: margins, brackets, quotes, folded lines.

use std::fmt::Write as _;

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::scalar::{Place, Style, is_printable, style, text_of};
use crate::render::filters::{mapping_pairs, refused};

/// Deepest nesting that is written.
const MAX_DEPTH: usize = 64;

/// Longest key that stands before its value on one line, in letters.
const MAX_KEY: usize = 128;

/// Which collections are written on one line, in brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Never,
    /// Those that hold no others.
    Leaves,
    Always,
}

/// How a document is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) indent: usize,
    pub(super) width: usize,
    pub(super) sorted: bool,
    pub(super) flow: Flow,
    /// Whether the document begins with three dashes.
    pub(super) starts: bool,
}

/// What a value is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Root,
    Sequence,
    Mapping,
    Key,
}

/// A writer of one document.
pub(super) struct Emitter {
    layout: Layout,
    out: String,
    column: usize,
    /// Whether what was written last is a blank or a line break.
    whitespace: bool,
    /// Whether the line has nothing but its margin and marks of sequences.
    indention: bool,
    margin: Option<usize>,
    brackets: usize,
    depth: usize,
}

impl Emitter {
    /// The text of a value.
    pub(super) fn write(value: &Value, layout: Layout) -> Result<String, Error> {
        let mut emitter = Self {
            layout,
            out: String::new(),
            column: 0,
            whitespace: true,
            indention: true,
            margin: None,
            brackets: 0,
            depth: 0,
        };
        if layout.starts {
            emitter.mark("---", Needs::Blank);
            let nested = nested(value) && !emitter.in_brackets(value)?;
            if nested {
                emitter.line_break();
            }
        }
        emitter.value(value, Within::Root)?;
        emitter.line_break();
        Ok(emitter.out)
    }

    fn value(&mut self, value: &Value, within: Within) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(refused("nested too deeply to be written"));
        }
        match value.kind() {
            ValueKind::Map if self.in_brackets(value)? => self.flow_mapping(value)?,
            ValueKind::Map => self.block_mapping(value)?,
            ValueKind::Seq | ValueKind::Iterable if self.in_brackets(value)? => {
                self.flow_sequence(value)?;
            }
            ValueKind::Seq | ValueKind::Iterable => self.block_sequence(value, within)?,
            _ => self.scalar(value, within)?,
        }
        self.depth -= 1;
        Ok(())
    }

    /// Whether a collection stands on one line.
    fn in_brackets(&self, value: &Value) -> Result<bool, Error> {
        if self.brackets > 0 || value.len() == Some(0) || self.layout.flow == Flow::Always {
            return Ok(true);
        }
        if self.layout.flow == Flow::Never {
            return Ok(false);
        }
        for item in value.try_iter()? {
            let item = match value.kind() {
                ValueKind::Map => value.get_item(&item)?,
                _ => item,
            };
            if nested(&item) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn entries(&self, value: &Value) -> Result<Vec<(Value, Value)>, Error> {
        let mut entries: Vec<(Value, Value)> = mapping_pairs(value)?.into_iter().collect();
        let text = entries.iter().all(|(key, _)| key.as_str().is_some());
        let numbers = entries.iter().all(|(key, _)| key.is_number());
        if self.layout.sorted && (text || numbers) {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
        }
        Ok(entries)
    }

    /// Goes one level deeper; gives the margin to come back to. The first level has none.
    fn deeper(&mut self, by: usize) -> Option<usize> {
        let before = self.margin;
        self.margin = Some(before.map_or(0, |margin| margin + by));
        before
    }

    fn flow_sequence(&mut self, value: &Value) -> Result<(), Error> {
        self.open("[");
        let before = self.margin;
        self.margin = Some(before.unwrap_or(0) + self.layout.indent);
        for (place, item) in value.try_iter()?.enumerate() {
            self.next_in_brackets(place);
            self.value(&item, Within::Sequence)?;
        }
        self.margin = before;
        self.close("]");
        Ok(())
    }

    fn flow_mapping(&mut self, value: &Value) -> Result<(), Error> {
        self.open("{");
        let before = self.margin;
        self.margin = Some(before.unwrap_or(0) + self.layout.indent);
        for (place, (key, value)) in self.entries(value)?.iter().enumerate() {
            self.next_in_brackets(place);
            self.value(key, Within::Key)?;
            self.mark(":", Needs::Nothing);
            self.value(value, Within::Mapping)?;
        }
        self.margin = before;
        self.close("}");
        Ok(())
    }

    fn open(&mut self, bracket: &str) {
        self.mark(bracket, Needs::Blank);
        self.whitespace = true;
        self.brackets += 1;
    }

    fn close(&mut self, bracket: &str) {
        self.brackets -= 1;
        self.mark(bracket, Needs::Nothing);
    }

    fn next_in_brackets(&mut self, place: usize) {
        if place > 0 {
            self.mark(",", Needs::Nothing);
        }
        if self.column > self.layout.width {
            self.begin_line();
        }
    }

    fn block_sequence(&mut self, value: &Value, within: Within) -> Result<(), Error> {
        // A list stands at the margin of its key.
        let at_margin = within == Within::Mapping && !self.indention;
        let by = if at_margin { 0 } else { self.layout.indent };
        let before = self.deeper(by);
        for item in value.try_iter()? {
            self.begin_line();
            let indention = self.indention;
            self.mark("-", Needs::Blank);
            self.indention = indention;
            self.value(&item, Within::Sequence)?;
        }
        self.margin = before;
        Ok(())
    }

    fn block_mapping(&mut self, value: &Value) -> Result<(), Error> {
        let before = self.deeper(self.layout.indent);
        for (key, value) in self.entries(value)? {
            self.begin_line();
            let (text, _) = text_of(&key)?;
            let simple = text.chars().count() < MAX_KEY && !text.contains('\n');
            if simple {
                self.value(&key, Within::Key)?;
            } else {
                self.mark("?", Needs::Blank);
                self.value(&key, Within::Mapping)?;
                self.begin_line();
            }
            self.mark(":", if simple { Needs::Nothing } else { Needs::Blank });
            self.value(&value, Within::Mapping)?;
        }
        self.margin = before;
        Ok(())
    }

    fn scalar(&mut self, value: &Value, within: Within) -> Result<(), Error> {
        let (text, is_text) = text_of(value)?;
        let place = Place {
            in_flow: self.brackets > 0,
            is_key: within == Within::Key,
        };
        let folds = within != Within::Key;
        let before = self.margin;
        self.margin = Some(before.unwrap_or(0) + self.layout.indent);
        match style(&text, is_text, place) {
            Style::Plain => self.plain(&text, folds),
            Style::Single => self.single(&text, folds),
            Style::Double => self.double(&text, folds),
        }
        self.margin = before;
        Ok(())
    }

    fn plain(&mut self, text: &str, folds: bool) {
        if text.is_empty() {
            return;
        }
        if !self.whitespace {
            self.put(" ");
        }
        self.whitespace = false;
        self.indention = false;
        for (piece, gap) in pieces(text) {
            if gap == " " && folds && self.column > self.layout.width {
                self.begin_line();
                self.whitespace = false;
                self.indention = false;
            } else {
                self.put(gap);
            }
            self.put(piece);
        }
    }

    fn single(&mut self, text: &str, folds: bool) {
        self.mark("'", Needs::Blank);
        let escaped = text.replace('\'', "''");
        for (number, line) in escaped.split('\n').enumerate() {
            if number > 0 {
                // One break more than there are, or they would be read as a blank.
                let first = escaped.split('\n').nth(number - 1);
                if number == 1 || first.is_some_and(|before| !before.is_empty()) {
                    self.line_break();
                }
                self.line_break();
            }
            if line.is_empty() {
                continue;
            }
            if number > 0 {
                self.begin_line();
            }
            self.quoted_line(line, folds, number);
        }
        if escaped.ends_with('\n') {
            self.begin_line();
        }
        self.mark("'", Needs::Nothing);
    }

    fn quoted_line(&mut self, line: &str, folds: bool, number: usize) {
        let last = pieces(line).count().saturating_sub(1);
        for (place, (piece, gap)) in pieces(line).enumerate() {
            let edge = (place == 0 && number == 0) || (place == last && piece.is_empty());
            if gap == " " && folds && !edge && self.column > self.layout.width {
                self.begin_line();
            } else {
                self.put(gap);
            }
            self.put(piece);
        }
    }

    fn double(&mut self, text: &str, folds: bool) {
        self.mark("\"", Needs::Blank);
        let characters: Vec<char> = text.chars().collect();
        let mut behind_blank = false;
        for (at, character) in characters.iter().enumerate() {
            let inside = at > 0 && at + 1 < characters.len();
            let blank = *character == ' ';
            if blank && inside && folds && !behind_blank && self.column > self.layout.width {
                // The line break stands for the blank.
                self.begin_line();
                self.whitespace = false;
                self.indention = false;
                self.put(if characters[at + 1] == ' ' { "\\" } else { "" });
            } else {
                let escaped = escaped(*character);
                self.put(&escaped);
            }
            behind_blank = blank;
        }
        self.mark("\"", Needs::Nothing);
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn mark(&mut self, mark: &str, needs: Needs) {
        if needs == Needs::Blank && !self.whitespace {
            self.put(" ");
        }
        self.put(mark);
        self.whitespace = false;
        self.indention = false;
    }

    /// Begins a line at the margin, unless the line has just begun.
    fn begin_line(&mut self) {
        let margin = self.margin.unwrap_or(0);
        let begun =
            self.indention && (self.column < margin || (self.column == margin && self.whitespace));
        if !begun {
            self.line_break();
        }
        if self.column < margin {
            self.whitespace = true;
            let blanks = " ".repeat(margin - self.column);
            self.put(&blanks);
        }
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.whitespace = true;
        self.indention = true;
    }
}

/// What a mark needs before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Blank,
    Nothing,
}

fn nested(value: &Value) -> bool {
    matches!(
        value.kind(),
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable
    )
}

/// Words, each with the blanks before it.
fn pieces(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = line;
    let mut first = true;
    std::iter::from_fn(move || {
        if rest.is_empty() && !first {
            return None;
        }
        first = false;
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        let (gap, tail) = rest.split_at(blanks);
        let end = tail.find(' ').unwrap_or(tail.len());
        let (word, tail) = tail.split_at(end);
        rest = tail;
        Some((word, gap))
    })
}

fn escaped(character: char) -> String {
    let short = match character {
        '\0' => "0",
        '\u{7}' => "a",
        '\u{8}' => "b",
        '\t' => "t",
        '\n' => "n",
        '\u{b}' => "v",
        '\u{c}' => "f",
        '\r' => "r",
        '\u{1b}' => "e",
        '"' => "\"",
        '\\' => "\\",
        '\u{85}' => "N",
        '\u{a0}' => "_",
        '\u{2028}' => "L",
        '\u{2029}' => "P",
        other if is_printable(other) && other != '\u{feff}' => return other.to_string(),
        other => {
            let code = u32::from(other);
            let mut text = String::new();
            let _ = match code {
                0..=0xff => write!(text, "\\x{code:02X}"),
                0x100..=0xffff => write!(text, "\\u{code:04X}"),
                _ => write!(text, "\\U{code:08X}"),
            };
            return text;
        }
    };
    format!("\\{short}")
}
