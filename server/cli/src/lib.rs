//! Everything an operator types, except the server itself.
//!
//! Two families of verbs: those that read a site from a folder and need no server (`check`,
//! `compile`, `explain`, `diff`,
//! `test`), and those that ask a running server (`hosts`, `reports`, `drift`,
//! `status`, `token create`). A verb writes its answer to stdout, for people as text and tables,
//! for programs as JSON; everything else it has to say goes to stderr. See [`Exit`] for the codes.

mod ask;
mod cmd;
mod error;
mod exit;
mod offline;
mod output;
mod records;
mod side_by_side;
mod table;
mod words;

pub use cmd::{Verb, run};
pub use exit::{Exit, usage};

#[cfg(test)]
mod tests;
