//! Expressions and templates: Jinja2 as Ansible has it, strict, bounded, and without side effects.
//!
//! Every program of a site is compiled once, when the site is parsed; hosts then only evaluate.

mod engine;
mod failure;
mod filters;
mod guard;
mod length;
mod membership;
mod programs;
mod python;
mod secrecy;
mod secret;
mod strict;
mod vocabulary;
mod weight;

pub(crate) use engine::{Engine, Rendered};
pub(crate) use failure::{Failing, carried_value};
pub(crate) use membership::{Asked, asked, conditions};
pub(crate) use programs::{Kind, ProgramId, Programs};
pub(crate) use python::abbreviated;
pub(crate) use secrecy::{ByFacts, Depends, ITEM, Secrecy, depends, secret_in};
pub(crate) use secret::{Handle, NONCE, is_marked, nonce, unmarked};
pub(crate) use weight::walkable;
