//! Expressions and templates: Jinja2 as Ansible has it, strict, bounded, and without side effects.
//!
//! Every program of a site is compiled once, when the site is parsed; hosts then only evaluate.

mod advice;
mod bounded;
mod dialect;
mod edits;
mod engine;
mod environment;
mod failure;
mod filters;
mod format;
mod functions;
mod guard;
mod length;
mod membership;
mod methods;
mod mutable;
mod prepare;
mod programs;
mod python;
mod reads;
mod regex;
mod secrecy;
mod secret;
mod shape;
mod strict;
mod syntax;
mod tests;
mod undefined;
mod vocabulary;
mod walk;
mod weight;

pub(crate) use engine::{Engine, Rendered};
pub(crate) use failure::{Failing, carried_value, recorded_in};
pub(crate) use membership::{Asked, asked, conditions};
pub(crate) use programs::{Kind, ProgramId, Programs};
pub(crate) use python::abbreviated;
pub(crate) use reads::demanded;
pub(crate) use secrecy::{ByFacts, Depends, ITEM, Secrecy, depends, secret_in};
pub(crate) use secret::{Handle, NONCE, is_marked, nonce, unmarked};
pub(crate) use syntax::Whitespace;
pub(crate) use weight::walkable;
