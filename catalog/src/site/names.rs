//! Which names a variable, a role, a group may have.

use std::sync::Arc;

use crate::diag::{Code, Diagnostic, Diagnostics, Span};

/// Names that the language keeps: what stands beside variables in every expression.
pub(crate) const RESERVED: &[&str] = &[
    "caller",
    "facts",
    "global",
    "host",
    "inventory_hostname",
    "kwargs",
    "loop",
    "params",
    "secret",
    "self",
    "super",
    "varargs",
];

/// Words that an expression reads as something other than a name.
const KEYWORDS: &[&str] = &[
    "and", "else", "false", "False", "if", "in", "is", "none", "None", "not", "or", "true", "True",
];

/// Whether a name can be written in an expression: a letter or `_`, then letters, digits, `_`.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&name)
}

/// Whether a name can be that of a role, a group or a tier: as a file name, it travels everywhere.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Checks the name of a variable.
pub(crate) fn check_variable(name: &Arc<str>, span: &Span, wrong: &mut Diagnostics) {
    if RESERVED.contains(&&**name) {
        let message = format!("`{name}` is a name that the language keeps for itself");
        let told = Diagnostic::new(Code::ReservedName, message, span);
        wrong.push(told.help("give the variable another name"));
    } else if !is_identifier(name) && !is_plain(name) {
        let message = format!("`{name}` cannot be the name of a variable");
        let told = Diagnostic::new(Code::InvalidValue, message, span);
        wrong.push(told.help("a name is a letter or `_`, then letters, digits and `_`"));
    }
}
