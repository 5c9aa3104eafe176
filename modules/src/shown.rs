//! Differences as text fit to be shown: in a report, on a page, on a terminal.

use holdfast_schemas::report::{Change, MAX_SHOWN};

/// What one resource's differences look like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// One line per property.
    pub changes: Vec<Change>,
    /// Unified diff of text content.
    pub diff: Option<String>,
}

impl Shown {
    /// Adds a property that differs.
    pub fn push(&mut self, property: &str, from: Option<String>, to: Option<String>) {
        self.changes.push(Change {
            property: property.to_owned(),
            from,
            to,
        });
    }

    /// The same with every text cut to [`MAX_SHOWN`] and free of what would steer a terminal.
    #[must_use]
    pub(crate) fn bounded(mut self) -> Self {
        for change in &mut self.changes {
            change.from = change.from.take().map(fit);
            change.to = change.to.take().map(fit);
        }
        self.diff = self.diff.take().map(fit);
        self
    }
}

/// What stands where text was cut.
const CUT: &str = "\n[cut here: too long to be shown]\n";

/// Text from outside, fit for a report, a page and a terminal: cut to [`MAX_SHOWN`] bytes, with
/// control characters (but for tab and newline) replaced by the pictures Unicode has for them, and
/// without what turns the direction of writing.
pub fn displayable(text: &str) -> String {
    fit(text.to_owned())
}

/// Cuts text to [`MAX_SHOWN`] bytes and replaces control characters (but for tab and newline) by
/// the pictures Unicode has for them.
fn fit(text: String) -> String {
    let mut text = match text.chars().any(steers_terminal) {
        true => text.chars().map(harmless).collect(),
        false => text,
    };
    if text.len() > MAX_SHOWN {
        text.truncate(text.floor_char_boundary(MAX_SHOWN - CUT.len()));
        text.push_str(CUT);
    }
    text
}

fn steers_terminal(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t')) || turns_writing(c)
}

/// Marks by which text can be made to read as another text (Unicode UAX #9).
fn turns_writing(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn harmless(c: char) -> char {
    match u32::from(c) {
        code @ 0..0x20 if steers_terminal(c) => char::from_u32(0x2400 + code).unwrap_or('?'),
        0x7f => '\u{2421}',
        0x80..0xa0 => '\u{fffd}',
        _ if turns_writing(c) => '\u{fffd}',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_at_a_character_and_says_so() {
        let shown = fit("é".repeat(MAX_SHOWN));
        assert!(shown.len() <= MAX_SHOWN);
        assert!(shown.ends_with(CUT));
    }

    #[test]
    fn escape_sequences_become_pictures() {
        assert_eq!(fit("a\u{1b}[2J\tb\n".into()), "a\u{241b}[2J\tb\n");
    }
}
