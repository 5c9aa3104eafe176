//! A command to run on a host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A command: one string is a line for `/bin/sh -c`; a list is a program and its arguments, which
/// no shell sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a command line, or a list of a program and its arguments"
)]
pub enum Command {
    /// A line for the shell.
    Shell(String),
    /// A program (absolute, or looked up in the command path) and its arguments.
    Argv(Vec<String>),
}
