//! Regular expressions as Python writes them.
//!
//! Look-around and back references are Python's too, and can take for ever; so steps are counted,
//! and a pattern that takes too many is refused.

use std::ops::Range;

use fancy_regex::{Captures, Regex, RegexBuilder};
use minijinja::{Error, ErrorKind};

use super::filters::refused;

/// Most steps back that one search may take: milliseconds.
const MAX_STEPS: usize = 100_000;

/// Largest compiled pattern, in bytes.
const MAX_SIZE: usize = 1024 * 1024;

/// Longest pattern as written, in bytes; what people write has a hundred.
const MAX_PATTERN: usize = 16 * 1024;

/// A compiled pattern.
pub(super) struct Pattern {
    regex: Regex,
    names: Vec<Option<String>>,
}

/// What a pattern found.
pub(super) struct Found<'t>(Captures<'t, str>);

impl Pattern {
    /// Compiles a pattern; whether case counts for nothing, and whether `^` and `$` are of lines.
    pub(super) fn new(
        pattern: &str,
        (ignore_case, multi_line): (bool, bool),
    ) -> Result<Self, Error> {
        if pattern.len() > MAX_PATTERN {
            return Err(Error::from(ErrorKind::OutOfFuel));
        }
        let regex = RegexBuilder::new(&translated(pattern))
            .case_insensitive(ignore_case)
            .multi_line(multi_line)
            .backtrack_limit(MAX_STEPS)
            .delegate_size_limit(MAX_SIZE)
            .build()
            .map_err(|error| refused(format!("`{pattern}` is no regular expression: {error}")))?;
        let names = regex.capture_names().map(|name| name.map(str::to_owned));
        let names = names.collect();
        Ok(Self { regex, names })
    }

    /// How many groups there are besides the whole.
    pub(super) fn groups(&self) -> usize {
        self.names.len().saturating_sub(1)
    }

    /// The number of a group by its name or number.
    pub(super) fn group_number(&self, name: &str) -> Option<usize> {
        let by_name = || {
            self.names
                .iter()
                .position(|one| one.as_deref() == Some(name))
        };
        let number = name.parse().ok().or_else(by_name)?;
        (number < self.names.len()).then_some(number)
    }

    /// The first place where it matches.
    pub(super) fn find<'t>(&self, text: &'t str) -> Result<Option<Found<'t>>, Error> {
        let found = self.regex.captures(text);
        found
            .map(|found| found.map(Found))
            .map_err(|_| Error::from(ErrorKind::OutOfFuel))
    }

    /// All places where it matches, one behind the other, as Python finds them: nothing can match
    /// right behind something, too.
    pub(super) fn find_iter<'r, 't>(
        &'r self,
        text: &'t str,
    ) -> impl Iterator<Item = Result<Found<'t>, Error>> + use<'r, 't> {
        let mut from = Some(0);
        // Where nothing matched last.
        let mut nothing_at = None;
        std::iter::from_fn(move || {
            loop {
                let at = from?;
                let found = match self.regex.captures_from_pos(text, at) {
                    Ok(found) => Found(found?),
                    Err(_) => {
                        from = None;
                        return Some(Err(Error::from(ErrorKind::OutOfFuel)));
                    }
                };
                let range = found.range();
                if range.is_empty() && nothing_at == Some(range.start) {
                    let next = text[at..].chars().next();
                    from = next.map(|next| at + next.len_utf8());
                    continue;
                }
                nothing_at = range.is_empty().then_some(range.start);
                from = Some(range.end);
                return Some(Ok(found));
            }
        })
    }
}

impl<'t> Found<'t> {
    /// Where the whole match stands.
    pub(super) fn range(&self) -> Range<usize> {
        self.0
            .get(0)
            .map_or(0..0, |whole| whole.start()..whole.end())
    }

    /// The text of a group that took part.
    pub(super) fn group(&self, number: usize) -> Option<&'t str> {
        self.0.get(number).map(|group| group.as_str())
    }
}

/// A replacement: text, and groups of what was found.
pub(super) struct Template {
    parts: Vec<Part>,
}

enum Part {
    Text(String),
    Group(usize),
}

impl Template {
    /// Reads Python's `\1` and `\g<name>`.
    pub(super) fn new(text: &str, pattern: &Pattern) -> Result<Self, Error> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            plain.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
            let named = rest
                .strip_prefix("g<")
                .and_then(|tail| tail.split_once('>'));
            let (group, tail) = match named {
                _ if digits > 0 && !rest.starts_with('0') => {
                    (Some(&rest[..digits]), &rest[digits..])
                }
                Some((name, tail)) => (Some(name), tail),
                None => (None, rest),
            };
            rest = tail;
            if let Some(name) = group {
                let number = pattern.group_number(name);
                let unknown =
                    || refused(format!("`{text}` names a group `{name}` that is not there"));
                parts.push(Part::Text(std::mem::take(&mut plain)));
                parts.push(Part::Group(number.ok_or_else(unknown)?));
                continue;
            }
            let escaped = rest.chars().next();
            rest = &rest[escaped.map_or(0, char::len_utf8)..];
            match escaped {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some('r') => plain.push('\r'),
                Some('\\') | None => plain.push('\\'),
                Some('0') => plain.push('\0'),
                Some(letter) if letter.is_ascii_alphabetic() => {
                    return Err(refused(format!("`{text}` has a bad escape `\\{letter}`")));
                }
                Some(other) => plain.extend(['\\', other]),
            }
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        Ok(Self { parts })
    }

    /// Writes the replacement of what was found.
    pub(super) fn expand(&self, out: &mut String, found: &Found<'_>) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(number) => out.push_str(found.group(*number).unwrap_or_default()),
            }
        }
    }
}

/// A text as a pattern that matches it: Python's `re.escape`.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// Python's pattern in the words of the engine: where both read one text differently.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut in_class = false;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let Some(escaped) = characters.next() else {
                    out.push('\\');
                    break;
                };
                match escaped {
                    'Z' => out.push_str("\\z"),
                    // To the engine these are boundaries of words.
                    '<' | '>' => out.push(escaped),
                    _ => out.extend(['\\', escaped]),
                }
            }
            '[' if in_class => out.push_str("\\["),
            '&' | '~' if in_class => out.extend(['\\', character]),
            '[' => {
                in_class = true;
                out.push('[');
                if characters.peek() == Some(&'^') {
                    out.extend(characters.next());
                }
                if characters.peek() == Some(&']') {
                    characters.next();
                    out.push_str("\\]");
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            // The end of the text, or the line break that ends it.
            '$' if !in_class => out.push_str("(?:$|(?=\\n\\z))"),
            '{' if !in_class && characters.peek() == Some(&',') => out.push_str("{0"),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn found<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
        let pattern = Pattern::new(pattern, (false, false)).unwrap();
        let found = pattern.find(text).unwrap();
        found.map(|found| found.group(0).unwrap_or_default())
    }

    #[test]
    fn patterns_read_as_python_reads_them() {
        assert_eq!(found("[[]a", "x[a"), Some("[a"));
        assert_eq!(found("[^]]+", "a]b"), Some("a"));
        assert_eq!(found(r"\<a\>", "<a>"), Some("<a>"));
        assert_eq!(found(r"a\Z", "ba"), Some("a"));
        assert_eq!(found("a$", "a\n"), Some("a"));
        assert_eq!(found("a{,2}b", "aab"), Some("aab"));
        assert_eq!(found(r"(?P<x>a)(?P=x)", "aa"), Some("aa"));
        assert_eq!(found(r"(?<!a)b", "abb"), Some("b"));
        assert_eq!(found("[a&&b]+", "&b"), Some("&b"));
    }

    #[test]
    fn nothing_matches_behind_something_too() {
        let pattern = Pattern::new("x*", (false, false)).unwrap();
        let all = pattern
            .find_iter("abxd")
            .map(|found| found.unwrap().range());
        assert_eq!(all.collect::<Vec<_>>(), [0..0, 1..1, 2..3, 3..3, 4..4]);
    }

    #[test]
    fn a_search_ends() {
        let pattern = Pattern::new(r"(a+)+\1b", (false, false)).unwrap();
        assert!(pattern.find(&"a".repeat(5000)).is_err());
        assert!(Pattern::new(&"a".repeat(MAX_PATTERN + 1), (false, false)).is_err());
        assert!(Pattern::new("(a{1000}){1000}", (false, false)).is_err());
    }
}
