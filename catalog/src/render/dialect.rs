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

/// Words that stand for others.
fn words(text: &str, syntax: &SyntaxConfig) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut begins = false;
    for (token, span) in tokenize(text, false, syntax.clone()).map_while(Result::ok) {
        // The engine's `do` takes a call and nothing else.
        if begins && matches!(token, Token::Ident("do")) {
            let at = span.start_offset as usize;
            edits.push(Edit {
                begin: at,
                at,
                removed: "do".len(),
                text: format!("set {DONE} ="),
            });
        }
        begins = matches!(token, Token::BlockStart);
    }
    edits
}
