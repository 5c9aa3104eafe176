//! Two texts, line by line: hunks as a unified diff has them.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use similar::{ChangeTag, TextDiff as Lines};

/// Longest content that is compared line by line, in bytes: a hundred times what a person reads,
/// and a pair of it is compared in some ten milliseconds.
pub(super) const MAX_COMPARED: u64 = 1024 * 1024;

/// Lines of context around what differs, as everywhere.
const CONTEXT: usize = 3;

/// How two contents differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TextDiff {
    /// Both are text.
    Lines {
        /// The places that differ, each with some lines around it.
        hunks: Vec<Hunk>,
    },
    /// One is no text; the digests tell them apart.
    Binary,
    /// One is longer than is compared line by line.
    TooLong,
    /// One holds secrets; what they are committed to tells them apart.
    Sealed,
    /// A content file of the repo that was not read yet.
    Unread(#[serde(skip)] Unread),
}

/// What is at hand of a pair of contents that cannot be compared yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unread {
    pub(super) before: Option<Arc<[u8]>>,
    pub(super) after: Option<Arc<[u8]>>,
}

/// One place that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hunk {
    /// Where it is: `@@ -3,7 +3,8 @@`.
    pub header: String,
    /// Its lines without their ends, each behind ` `, `-` or `+`; where the last line of a text
    /// has no end, `\ No newline at end of file` follows it.
    pub lines: Vec<String>,
}

impl TextDiff {
    /// Compares two contents; nothing on one side counts as an empty text.
    pub(crate) fn of(before: &[u8], after: &[u8]) -> Self {
        let long = |bytes: &[u8]| bytes.len() as u64 > MAX_COMPARED;
        if long(before) || long(after) {
            return Self::TooLong;
        }
        let (Some(before), Some(after)) = (text(before), text(after)) else {
            return Self::Binary;
        };
        let diff = Lines::from_lines(before, after);
        let mut unified = diff.unified_diff();
        let hunks = unified.context_radius(CONTEXT).iter_hunks();
        let hunks = hunks.map(|hunk| Hunk {
            header: hunk.header().to_string(),
            lines: hunk
                .iter_changes()
                .flat_map(|change| line(change.tag(), change.value()))
                .collect(),
        });
        Self::Lines {
            hunks: hunks.collect(),
        }
    }
}

fn line(tag: ChangeTag, value: &str) -> impl Iterator<Item = String> {
    let sign = match tag {
        ChangeTag::Equal => ' ',
        ChangeTag::Delete => '-',
        ChangeTag::Insert => '+',
    };
    let ended = value.ends_with('\n');
    let value = value.strip_suffix('\n').unwrap_or(value);
    let open = (!ended).then(|| "\\ No newline at end of file".to_owned());
    std::iter::once(format!("{sign}{value}")).chain(open)
}

fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains('\0')).then_some(text)
}

impl fmt::Display for TextDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lines { hunks } => hunks.iter().try_for_each(|hunk| {
                writeln!(f, "{}", hunk.header)?;
                hunk.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
            }),
            Self::Binary => writeln!(f, "not text: told apart by digest"),
            Self::Sealed => writeln!(f, "holds secrets: not shown"),
            Self::TooLong => writeln!(f, "too long to be compared line by line"),
            Self::Unread(_) => writeln!(f, "not read: told apart by digest"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(before: &str, after: &str) -> String {
        TextDiff::of(before.as_bytes(), after.as_bytes()).to_string()
    }

    #[test]
    fn lines_that_differ_stand_between_those_around_them() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let after = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n";
        assert_eq!(
            drawn(before, after),
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
        );
    }

    #[test]
    fn a_line_break_at_the_end_is_a_difference() {
        assert_eq!(
            drawn("a", "a\n"),
            "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"
        );
    }

    #[test]
    fn what_is_no_text_is_not_shown() {
        assert_eq!(TextDiff::of(b"a\0b", b"a"), TextDiff::Binary);
        assert_eq!(TextDiff::of(b"\xff", b"a"), TextDiff::Binary);
        let long = vec![b'a'; usize::try_from(MAX_COMPARED).unwrap_or(0) + 1];
        assert_eq!(TextDiff::of(&long, b"a"), TextDiff::TooLong);
    }

    #[test]
    fn texts_with_nothing_in_common_are_compared_in_time() {
        let text = |word: &str| -> String { (0..60_000).map(|n| format!("{word}{n}\n")).collect() };
        let lines = drawn(&text("a"), &text("b")).lines().count();
        assert_eq!(lines, 120_001);
    }
}
