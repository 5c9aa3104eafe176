//! The agent: pulls its host's catalog, compares it with reality, applies what differs, reports.
//!
//! It chooses nothing: a catalog is a sorted list, and the agent walks it. `run_once` is a run
//! on one page; `execute` is its heart, the same for a catalog that a server signed and for one
//! from a file; `ledger` is what it remembers, `trust` what it believes, `spool` what it still has
//! to say. `cmd` holds one file per verb.
//!
//! What it never does: listen on a port, render a template, look up a variable, order a graph.

mod afresh;
mod agent;
mod blobs;
mod bundle;
mod cli;
mod cmd;
mod daemon;
mod drift;
mod durable;
mod ends;
mod execute;
mod health;
mod held;
mod identity;
mod last_run;
mod ledger;
mod life;
mod news;
mod outbox;
mod place;
mod report;
mod run_once;
mod said;
mod schedule;
mod sealing;
mod show;
mod spool;
mod state;
mod trust;
mod watch;

pub use cli::main;
