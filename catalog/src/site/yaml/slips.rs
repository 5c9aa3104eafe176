//! Slips that the parser notices a line or more after they were made: told where they were made.

use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Scanner, StrInput, TokenType};

use crate::diag::{Code, Diagnostic, Source, Span};

/// The slip behind an error of the parser, where the text around it shows which it is.
pub(super) fn slip(
    source: &Arc<Source>,
    line: Range<usize>,
    at: usize,
    message: &str,
) -> Option<Diagnostic> {
    if let Some(told) = unclosed_bracket(source, &line) {
        return Some(told);
    }
    let colon = message.contains("a second `: `") && !source.text()[line.start..at].contains(':');
    let above = last_line(source.text(), line.start).filter(|_| colon)?;
    missing_space(source, &above).or_else(|| too_deep(source, &line, &above))
}

/// A bracket that is open where a line that looks like the next key begins.
fn unclosed_bracket(source: &Arc<Source>, line: &Range<usize>) -> Option<Diagnostic> {
    let text = source.text();
    let mut open = Vec::new();
    // It ends at its first error, which is the one that is explained here.
    for token in Scanner::new(StrInput::new(text)).map_while(Result::ok) {
        let begin = token.span().byte_range().map(|range| range.start);
        match token.token_type() {
            TokenType::FlowSequenceStart | TokenType::FlowMappingStart => open.extend(begin),
            TokenType::FlowSequenceEnd | TokenType::FlowMappingEnd => drop(open.pop()),
            _ => {}
        }
    }
    let first = open.first().copied().filter(|first| *first < line.start)?;
    let begun = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
    if indent(&text[line.clone()]) > indent(&text[begun..]) {
        return None;
    }
    let bracket = &text[first..=first];
    let message = format!("the bracket `{bracket}` is opened here and never closed");
    let told = Diagnostic::new(Code::Yaml, message, &Span::new(source, first, first + 1));
    let told = told.also(
        &Span::new(source, line.start, line.end),
        "the next key begins",
    );
    let closing = if bracket == "[" { "]" } else { "}" };
    Some(told.help(format!("close it with `{closing}`")))
}

/// The last line with something on it, before a place.
fn last_line(text: &str, before: usize) -> Option<Range<usize>> {
    let mut end = before;
    loop {
        let above = text[..end].trim_end_matches(['\r', '\n', ' ']);
        let start = above.rfind('\n').map_or(0, |newline| newline + 1);
        match above[start..].trim_start() {
            "" => return None,
            comment if comment.starts_with('#') => end = start,
            _ => return Some(start..above.len()),
        }
    }
}

/// `a:1`, which is one word.
fn missing_space(source: &Arc<Source>, line: &Range<usize>) -> Option<Diagnostic> {
    let text = &source.text()[line.clone()];
    let word = text.trim_start().trim_start_matches("- ");
    let (key, value) = word.split_once(':')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let plain = !key.is_empty() && key.chars().all(is_name);
    if !plain || value.is_empty() || value.starts_with([' ', '/', ':']) {
        return None;
    }
    let start = line.end - word.len();
    let message = format!("`{word}` is one word to YAML");
    let told = Diagnostic::new(Code::Yaml, message, &Span::new(source, start, line.end));
    Some(told.help(format!("a colon is followed by a space: `{key}: {value}`")))
}

/// A key that is indented deeper than the one above, which has its value already.
fn too_deep(source: &Arc<Source>, line: &Range<usize>, above: &Range<usize>) -> Option<Diagnostic> {
    let text = source.text();
    let (own, other) = (&text[line.clone()], &text[above.clone()]);
    if indent(own) <= indent(other) || !other.contains(": ") {
        return None;
    }
    let start = line.start + indent(own);
    let message = "this line is indented deeper than the one above, which has its value already";
    let told = Diagnostic::new(Code::Yaml, message, &Span::new(source, start, line.end));
    let key = above.start + indent(other);
    let told = told.also(&Span::new(source, key, above.end), "the line above");
    Some(told.help("indent both alike; what belongs to a key stands below it alone, as in `key:`"))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}
