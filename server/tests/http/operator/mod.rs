//! Routes of operators.

mod auth;
mod hosts;
mod tokens;
