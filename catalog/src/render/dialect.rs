//! What Jinja2 reads and the engine does not, written as the engine reads it.
//!
//! The first pass over a program, before it is parsed: by its tokens, so that strings, comments
//! and text are never touched. Places map back through [`Edited`].

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

use super::edits::{Edit, Edited};

/// The name that takes what a `{% do … %}` gives, and that nobody reads.
const DONE: &str = "_done";

/// A template as the engine reads it: without its header, with lines that end in `\n`.
pub(super) fn of_template(text: &str, header: usize, syntax: &SyntaxConfig) -> Edited {
    let mut edits = Vec::new();
    if header > 0 {
        edits.push(cut(0, header));
    }
    edits.extend(carriage_returns(text, header));
    let plain = Edited::of(text, edits);
    let read = plain.and_then(|plain| {
        let words = words(&plain.text, syntax);
        plain.then(words)
    });
    read.unwrap_or_else(|| Edited::unchanged(text))
}

fn cut(at: usize, removed: usize) -> Edit {
    Edit {
        begin: at,
        at,
        removed,
        text: String::new(),
    }
}

/// `\r\n` and `\r` alone, which are line breaks as `\n` is.
fn carriage_returns(text: &str, from: usize) -> impl Iterator<Item = Edit> {
    let places = text.bytes().enumerate().skip(from);
    places.filter(|(_, byte)| *byte == b'\r').map(|(at, _)| {
        let followed = text.as_bytes().get(at + 1) == Some(&b'\n');
        let text = if followed { "" } else { "\n" };
        Edit {
            begin: at,
            at,
            removed: 1,
            text: text.to_owned(),
        }
    })
}

/// Words that stand for others, and marks of white space.
fn words(text: &str, syntax: &SyntaxConfig) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut begins = false;
    for (token, span) in tokenize(text, false, syntax.clone()).map_while(Result::ok) {
        let at = span.start_offset as usize;
        match token {
            // The engine's `do` takes a call and nothing else.
            Token::Ident("do") if begins => edits.push(Edit {
                begin: at,
                at,
                removed: "do".len(),
                text: format!("set {DONE} ="),
            }),
            // A line break behind `{% raw %}` stays.
            Token::TemplateData(_) => edits.extend(raw(text, at, syntax).map(|at| Edit {
                begin: at,
                at,
                removed: 0,
                text: "+".to_owned(),
            })),
            _ => {}
        }
        begins = matches!(token, Token::BlockStart);
    }
    edits
}

/// Where the tag ends that begins the raw text at a place; `None` where it says itself what
/// becomes of white space, or where the text is not raw.
fn raw(text: &str, at: usize, syntax: &SyntaxConfig) -> Option<usize> {
    let (start, end) = syntax.block_delimiters();
    let before = text.get(..at)?;
    let before = before.strip_suffix('\n').unwrap_or(before);
    let tag = before.strip_suffix(end)?;
    let inside = tag.trim_end().strip_suffix("raw")?.trim_end();
    let inside = inside.strip_suffix(['-', '+']).unwrap_or(inside);
    inside.ends_with(start).then_some(tag.len())
}
