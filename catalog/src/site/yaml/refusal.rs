//! What the parser refuses, said to whoever wrote the file: plain words for its terms, and advice
//! where a line shows which of the usual slips it is.

use std::ops::Range;
use std::sync::Arc;

use holdfast_schemas::resource::Kind;

use super::slips::slip;
use super::start_of;
use crate::diag::{Code, Diagnostic, Source, Span};

/// What the parser says, and how to say it.
const PLAINLY: [(&str, &str); 18] = [
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
    (
        "unknown anchor",
        "an alias `*name` to an anchor `&name` that is not there",
    ),
    (
        "simple key expected ':'",
        "a line that is neither `key: value` nor part of the value above",
    ),
    (
        "did not find expected key",
        "a key is expected here, indented as its neighbours above",
    ),
    (
        "did not find expected '-' indicator",
        "an item `- …` is expected here, indented as its neighbours above",
    ),
    (
        "block sequence entries are not allowed",
        "a list in lines begins on a line of its own",
    ),
    (
        "unclosed quote",
        "a quote that is opened here is never closed",
    ),
    (
        "unclosed bracket",
        "a bracket that is opened here is never closed",
    ),
    (
        "tabs disallowed",
        "a tab stands where indentation is expected",
    ),
    (
        "tab cannot be used",
        "a tab stands where indentation is expected",
    ),
];

/// Characters that begin something else than plain text in YAML.
const INDICATORS: [char; 6] = ['*', '&', '!', '%', '@', '`'];

/// A character that text does not hold: NUL and its like.
pub(super) fn control_character(source: &Arc<Source>) -> Option<Diagnostic> {
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}');
    let (at, character) = source.text().char_indices().find(|(_, c)| odd(*c))?;
    let name = match character {
        '\0' => "a NUL byte".to_owned(),
        other => format!("the control character U+{:04X}", u32::from(other)),
    };
    let message = format!("{} holds {name}, which is no text", source.path());
    let span = Span::new(source, at, at + character.len_utf8());
    Some(Diagnostic::new(Code::Encoding, message, &span).help(
        "remove it, or write it as an escape in double quotes (\"\\x07\"); content that is \
             not text goes under a role's `files/`",
    ))
}

/// The parser's error at its place, in plain words, with advice.
pub(super) fn told(source: &Arc<Source>, error: &serde_saphyr::Error) -> Diagnostic {
    let at = error.location().map(|location| start_of(source, &location));
    let at = at.unwrap_or(0);
    let text = source.text();
    let range = line_around(text, at);
    let line = &text[range.clone()];
    let span = Span::new(source, at, at + 1);
    let message = message(error);
    if indented_by_tab(line) {
        return tabs(source, range);
    }
    let below = message
        .contains("tab")
        .then(|| tabbed_below(text, range.end));
    if let Some(range) = below.flatten() {
        return tabs(source, range);
    }
    if let Some(slip) = slip(source, range.clone(), at, &message) {
        return slip;
    }
    let told = Diagnostic::new(Code::Yaml, message, &span);
    let help = advice(&told.message, line, &text[..range.start]);
    told.maybe_help(help)
}

fn line_around(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..]
        .find('\n')
        .map_or(text.len(), |length| at + length);
    start..end
}

fn indented_by_tab(line: &str) -> bool {
    let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
    line[..indent].contains('\t')
}

/// The next line that is indented by a tab.
fn tabbed_below(text: &str, from: usize) -> Option<Range<usize>> {
    let mut start = from;
    for line in text[from..].split_inclusive('\n') {
        if indented_by_tab(line) {
            return Some(start..start + line.trim_end_matches(['\r', '\n']).len());
        }
        start += line.len();
    }
    None
}

fn tabs(source: &Arc<Source>, line: Range<usize>) -> Diagnostic {
    let text = &source.text()[line.clone()];
    let indent = text.len() - text.trim_start_matches([' ', '\t']).len();
    let span = Span::new(source, line.start, line.start + indent);
    let more = source.text()[line.end..]
        .lines()
        .filter(|line| indented_by_tab(line));
    let message = match more.count() {
        0 => "this line is indented with a tab".to_owned(),
        1 => "this line and one below are indented with tabs".to_owned(),
        more => format!("this line and {more} below are indented with tabs"),
    };
    Diagnostic::new(Code::Tabs, message, &span)
        .help("YAML is indented with spaces, two for each level")
}

/// What the line that was refused shows of the slip.
fn advice(message: &str, line: &str, before: &str) -> Option<String> {
    let bracketed = Kind::ALL
        .iter()
        .any(|kind| line.contains(&format!("{kind}[")));
    if bracketed && message.contains("',' or ']'") {
        return Some("in a list in brackets, quote names: [\"service[nginx]\"]".to_owned());
    }
    if message.contains("trailing content after") {
        return Some(
            "YAML takes a value that begins with a quote to end with it; put all of it in the \
             other quotes: '\"a\" in host.tags'"
                .to_owned(),
        );
    }
    if let Some(header) = block_above(line, before) {
        return Some(format!(
            "the text of a block, begun by `{header}` above, is indented deeper than its key"
        ));
    }
    if message.contains("a quote that is opened") {
        return Some(
            "a value that begins with a quote ends with the same; double one that stands inside \
             of single quotes, and write \\\" inside of double ones"
                .to_owned(),
        );
    }
    let value = value_of(line);
    if let Some(indicator) = value.chars().next().filter(|c| INDICATORS.contains(c)) {
        return Some(format!(
            "a value that begins with `{indicator}` is quoted: \"{}\"",
            value.replace('"', "'")
        ));
    }
    message
        .contains("begins on a line of its own")
        .then(|| "as in `key:` and below it, indented, `- item`; or write `key: [item]`".to_owned())
}

/// The header of a block scalar that the line was probably meant to be text of.
fn block_above<'t>(line: &str, before: &'t str) -> Option<&'t str> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut above = before.lines().rev();
    // The line that was refused may be the second one of the text.
    let header = above.find_map(|above| {
        let word = above.rsplit([' ', '\t']).next()?;
        let begins = matches!(word, "|" | ">" | "|-" | ">-" | "|+" | ">+");
        match begins {
            true => Some(Some((indent(above), word))),
            false if above.trim().is_empty() || !above.contains(": ") => None,
            false => Some(None),
        }
    });
    let (key, word) = header.flatten()?;
    (indent(line) <= key).then_some(word)
}

/// What stands behind the key or the dash of a line.
fn value_of(line: &str) -> &str {
    let line = line.trim();
    let line = line.strip_prefix("- ").unwrap_or(line);
    let value = line.split_once(": ").map_or(line, |(_, value)| value);
    let value = value.trim_start_matches(['[', ' ']);
    let end = value.find([',', ']']).filter(|_| line.contains('['));
    value[..end.unwrap_or(value.len())].trim_end()
}

/// The parser's words without the place, which the drawing shows.
fn message(error: &serde_saphyr::Error) -> String {
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
