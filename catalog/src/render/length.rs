//! How long an expression may be: the engine's compiler goes down one step of its stack for each
//! operator of a row, so that a row of a hundred thousand would end the whole program.

use std::ops::Range;

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

/// Most operators (`.`, `|`, `+`, `and`, …) in a row, and most `elif` of one `if`. What a person
/// writes has ten; this many fit ten times into the smallest stack of a thread, 2 MiB.
pub(super) const MAX_OPERATORS: usize = 250;

/// Words that are operators.
const WORDS: [&str; 7] = ["and", "else", "if", "in", "is", "not", "or"];

/// Whether a text is an expression or has expressions in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Expression,
    Template,
}

/// The place of the first operator that is one too many.
pub(super) fn too_long(
    text: &str,
    written: Written,
    syntax: &SyntaxConfig,
) -> Option<Range<usize>> {
    let mut rows = Rows::default();
    let tokens = tokenize(text, written == Written::Expression, syntax.clone());
    for (token, span) in tokens.map_while(Result::ok) {
        rows.take(&token);
        if rows.total > MAX_OPERATORS {
            return Some(span.start_offset as usize..span.end_offset as usize);
        }
    }
    None
}

/// Operators in a row: one row for each bracket that is open, one for each `if`.
#[derive(Default)]
struct Rows {
    outer: Vec<usize>,
    row: usize,
    conditions: Vec<usize>,
    /// The sum of those.
    alternatives: usize,
    total: usize,
    begins: bool,
}

impl Rows {
    fn take(&mut self, token: &Token<'_>) {
        let begins = std::mem::replace(&mut self.begins, matches!(token, Token::BlockStart));
        match token {
            Token::VariableStart | Token::BlockStart => {
                self.outer.clear();
                self.row = 0;
                self.total = self.alternatives;
            }
            Token::Ident("if") if begins => self.conditions.push(0),
            Token::Ident("endif") if begins => {
                self.alternatives -= self.conditions.pop().unwrap_or(0);
            }
            Token::Ident("elif") if begins => {
                if let Some(last) = self.conditions.last_mut() {
                    *last += 1;
                    self.alternatives += 1;
                    self.total += 1;
                }
            }
            Token::Ident(word) if !WORDS.contains(word) => {}
            Token::TemplateData(_) | Token::Str(_) | Token::String(_) => {}
            Token::Int(_) | Token::Int128(_) | Token::Float(_) => {}
            Token::VariableEnd | Token::BlockEnd => {}
            Token::Comma | Token::Colon | Token::Assign => {
                self.total -= std::mem::take(&mut self.row);
            }
            Token::BracketOpen | Token::ParenOpen | Token::BraceOpen => {
                self.row += 1;
                self.total += 1;
                self.outer.push(std::mem::take(&mut self.row));
            }
            Token::BracketClose | Token::ParenClose | Token::BraceClose => {
                self.total -= self.row;
                self.row = self.outer.pop().unwrap_or(0);
                // A bracket too many does not parse; the sum is kept right all the same.
                self.total = self.total.max(self.row);
            }
            _ => {
                self.row += 1;
                self.total += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(text: &str, written: Written) -> bool {
        too_long(text, written, &SyntaxConfig::default()).is_some()
    }

    #[test]
    fn rows_are_short() {
        let row = |piece: &str, count: usize| format!("1{}", piece.repeat(count));
        for piece in [
            "+1", ".a", "|f", " and 1", "[0]", "(1)", "~1", " is f", "==1",
        ] {
            assert!(long(&row(piece, 300), Written::Expression), "{piece}");
            assert!(!long(&row(piece, 60), Written::Expression), "{piece}");
        }
        assert!(long(&"-".repeat(300), Written::Expression));
        assert!(!long(&row(", a.b.c", 5000), Written::Expression));
        let elif = format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(300));
        assert!(long(&elif, Written::Template));
        let many = "{% if a %}{% elif b %}{% endif %}{{ a.b }}{{ [1, (2)] }}".repeat(3000);
        assert!(!long(&many, Written::Template));
        assert!(!long(&")".repeat(1000), Written::Expression));
    }
}
