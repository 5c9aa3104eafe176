//! Expressions and templates.
