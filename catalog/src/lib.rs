//! The compiler: site and host to catalog. Pure: no clock, disk, network or randomness.
//!
//! [`Site::parse`] turns a [`Snapshot`] into a typed site, once per revision; [`Site::compile`]
//! makes the catalog of one host of it, as often as wanted, from as many threads as wanted.
//! [`Site::explain`] says where a variable's value comes from. What is wrong comes as
//! [`Diagnostics`], all at once.

pub mod diag;
pub mod diff;
pub mod expect;
pub mod fmt;
pub mod lint;
pub mod site;

mod compile;
mod graph;
mod groups;
mod lower;
mod render;
mod sealed;
mod vars;

pub use compile::{Compiled, HostInput, Note, compile_all};
pub use diag::{Diagnostic, Diagnostics, Paint};
pub use groups::{
    Condition, GroupChange, GroupRow, GroupStanding, Preview, Reach, Reason, Standing, preview,
};
pub use sealed::{Piece, SealedContent};
pub use site::{Examined, Obstacle, Site, Snapshot};
pub use vars::{
    DeclaredAs, Explanation, Held, LayerSource, LineConcern, LineEffect, LineOutcome, LineReach,
    LineSubject, MergeRule, PartOf, VariableRow, VariableTable,
};

/// Compiles the README's Rust.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
