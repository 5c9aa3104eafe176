//! Encrypted values in the text of a YAML file: where they stand, and putting others in their
//! place. Everything else in the file, comments included, stays as it is.
//!
//! A value is the block of lines between the armor's two marks. It is found by its marks, and
//! named by the keys that it stands under, which its indentation tells.

use std::ops::Range;

const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";

/// An encrypted value of a YAML file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The keys that it stands under, with dots between; a place in a list is its number.
    pub path: String,
    /// The line that it begins in, from 1.
    pub line: usize,
    /// The armored age file, without indentation.
    pub armored: String,
    /// The bytes of the file that it takes up: whole lines.
    range: Range<usize>,
    indent: usize,
}

/// A value that does not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the encrypted value in line {line} has no line `{END}`")]
pub struct Endless {
    /// The line that it begins in, from 1.
    pub line: usize,
}

/// Finds the encrypted values of a file, in their order.
pub fn find(text: &str) -> Result<Vec<Value>, Endless> {
    let mut found = Vec::new();
    let mut keys = Keys::default();
    let mut open: Option<Value> = None;
    let mut at = 0;
    for (number, whole) in text.split_inclusive('\n').enumerate() {
        let (start, line) = (at, whole.trim());
        at += whole.len();
        match open.take() {
            Some(before) if line == BEGIN => return Err(Endless { line: before.line }),
            Some(mut value) => {
                value.armored.push_str(line);
                value.armored.push('\n');
                value.range.end = at;
                match line == END {
                    true => found.push(value),
                    false => open = Some(value),
                }
            }
            None if line == BEGIN => {
                open = Some(Value {
                    path: keys.path(),
                    line: number + 1,
                    armored: format!("{BEGIN}\n"),
                    range: start..at,
                    indent: whole.len() - whole.trim_start().len(),
                });
            }
            None => keys.read(whole),
        }
    }
    match open {
        Some(value) => Err(Endless { line: value.line }),
        None => Ok(found),
    }
}

/// A file's text with other values: armored age files, one for each that [`find`] gave.
pub fn replace<'v>(text: &str, values: impl IntoIterator<Item = (&'v Value, String)>) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut at = 0;
    for (value, armored) in values {
        replaced.push_str(&text[at..value.range.start]);
        replaced.push_str(&indented(&armored, value.indent));
        // Where the file ended without a line break it still does.
        if !text[value.range.clone()].ends_with('\n') {
            replaced.truncate(replaced.trim_end_matches('\n').len());
        }
        at = value.range.end;
    }
    replaced.push_str(&text[at..]);
    replaced
}

/// A value as it is pasted into a YAML file: under its keys, as a block.
pub fn pasteable(path: &str, armored: &str) -> String {
    let mut text = String::new();
    let mut indent = 0;
    let mut keys = path.split('.').peekable();
    while let Some(key) = keys.next() {
        text.push_str(&" ".repeat(indent));
        text.push_str(key);
        text.push_str(match keys.peek() {
            Some(_) => ":\n",
            None => ": |\n",
        });
        indent += 2;
    }
    text + &indented(armored, indent)
}

fn indented(text: &str, indent: usize) -> String {
    let line = |line: &str| format!("{:indent$}{}\n", "", line.trim());
    text.lines().map(line).collect()
}

/// The keys that the line at hand stands under.
#[derive(Default)]
struct Keys(Vec<Level>);

struct Level {
    indent: usize,
    key: Key,
}

enum Key {
    Name(String),
    Item(usize),
}

impl Keys {
    /// Takes a line that is not part of a value.
    fn read(&mut self, line: &str) {
        let mut rest = line.trim_end();
        let mut indent = rest.len() - rest.trim_start().len();
        rest = rest.trim_start();
        if rest.is_empty() || rest.starts_with('#') {
            return;
        }
        while let Some(inner) = rest.strip_prefix("- ") {
            self.item(indent);
            let inner_indent = inner.len() - inner.trim_start().len();
            indent += "- ".len() + inner_indent;
            rest = inner.trim_start();
        }
        if let Some(key) = key_of(rest) {
            self.leave(indent);
            self.0.push(Level {
                indent,
                key: Key::Name(key.to_owned()),
            });
        }
    }

    /// Leaves what ends where a line of this indentation begins.
    fn leave(&mut self, indent: usize) {
        while self.0.last().is_some_and(|last| last.indent >= indent) {
            self.0.pop();
        }
    }

    /// Enters the next item of the list at an indentation: a list may stand as far left as the
    /// key that it belongs to.
    fn item(&mut self, indent: usize) {
        self.leave(indent + 1);
        match self.0.last_mut() {
            Some(Level {
                indent: at,
                key: Key::Item(number),
            }) if *at == indent => *number += 1,
            _ => self.0.push(Level {
                indent,
                key: Key::Item(0),
            }),
        }
    }

    fn path(&self) -> String {
        let words = self.0.iter().map(|level| match &level.key {
            Key::Name(name) => name.clone(),
            Key::Item(number) => number.to_string(),
        });
        words.collect::<Vec<_>>().join(".")
    }
}

/// The key that a line of a mapping begins with.
fn key_of(line: &str) -> Option<&str> {
    for quote in ['"', '\''] {
        if let Some(rest) = line.strip_prefix(quote) {
            let (key, rest) = rest.split_once(quote)?;
            return rest.trim_start().starts_with(':').then_some(key);
        }
    }
    let (key, rest) = line.split_once(':')?;
    let ends = rest.is_empty() || rest.starts_with([' ', '\t']);
    ends.then_some(key.trim_end())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const FILE: &str = "\
# who may read
tier: custom
vars:
  mongodb:
    password: |  # of the cluster
      -----BEGIN AGE ENCRYPTED FILE-----
      AAAA
      -----END AGE ENCRYPTED FILE-----
    port: 27017
  users:
  - name: ada
    key: |
      -----BEGIN AGE ENCRYPTED FILE-----
      BBBB
      -----END AGE ENCRYPTED FILE-----
  - name: bob
    \"key\": |-
        -----BEGIN AGE ENCRYPTED FILE-----
        CCCC
        -----END AGE ENCRYPTED FILE-----
  last: |
    -----BEGIN AGE ENCRYPTED FILE-----
    DDDD
    -----END AGE ENCRYPTED FILE-----";

    #[test]
    fn values_are_named_by_the_keys_they_stand_under() {
        let found = find(FILE).unwrap();
        let named: Vec<(&str, usize)> = found
            .iter()
            .map(|value| (&*value.path, value.line))
            .collect();
        assert_eq!(
            named,
            [
                ("vars.mongodb.password", 6),
                ("vars.users.0.key", 13),
                ("vars.users.1.key", 18),
                ("vars.last", 22)
            ]
        );
        assert_eq!(found[1].armored, format!("{BEGIN}\nBBBB\n{END}\n"));
        assert_eq!(find("a: 1\n").unwrap(), []);
    }

    #[test]
    fn putting_a_value_back_changes_nothing_and_another_changes_nothing_else() {
        let found = find(FILE).unwrap();
        let same = found.iter().map(|value| (value, value.armored.clone()));
        assert_eq!(replace(FILE, same), FILE);
        let armored = format!("{BEGIN}\nXX\nYY\n{END}\n");
        let changed = replace(FILE, [(&found[2], armored)]);
        let expected = FILE.replace("        CCCC\n", "        XX\n        YY\n");
        assert_eq!(changed, expected);
    }

    #[test]
    fn a_value_without_end_is_told_with_its_line() {
        let open = format!("a: |\n  {BEGIN}\n  AAAA\n");
        assert_eq!(find(&open), Err(Endless { line: 2 }));
        let twice = format!("{open}b: |\n  {BEGIN}\n  {END}\n");
        assert_eq!(find(&twice), Err(Endless { line: 2 }));
    }

    #[test]
    fn what_is_pasted_is_found_under_its_name() {
        let armored = format!("{BEGIN}\nAAAA\n{END}\n");
        for path in ["password", "mongodb.password", "a.b.c"] {
            let text = pasteable(path, &armored);
            let found = find(&text).unwrap();
            assert_eq!((&*found[0].path, &found[0].armored), (path, &armored));
        }
    }
}
