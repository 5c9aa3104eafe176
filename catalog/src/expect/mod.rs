//! Expectations: what `tests/*.yaml` of a repo say of the catalogs that it makes.
//!
//! A [`Suite`] is read apart from the site, so that a mistake in a test keeps no host from its
//! catalog. It runs host by host, from as many threads as wanted: what each thread finds goes into
//! [`Found`], and all of it together becomes a [`Verdict`] for every test. An expectation that is
//! not met is a [`Diagnostic`](crate::Diagnostic) at its own place in the test.

mod check;
mod error;
mod facts;
mod matching;
mod place;
mod read;
mod resource;
mod run;

pub use run::{Found, Suite, Verdict};

use std::sync::Arc;

use crate::diag::Span;
use error::WantedError;
use place::{Only, Wanted};
use resource::Expected;

/// One test.
#[derive(Debug)]
struct Test {
    name: Arc<str>,
    span: Span,
    /// Names and patterns.
    hosts: Vec<(Arc<str>, Span)>,
    groups: Vec<(Arc<str>, Span)>,
    facts: Option<Arc<serde_json::Map<String, serde_json::Value>>>,
    vars: serde_json::Map<String, serde_json::Value>,
    claim: Claim,
}

/// What a test says of its hosts.
#[derive(Debug)]
enum Claim {
    /// They have a catalog, of which this holds.
    Catalog {
        expect: Vec<Expected>,
        absent: Vec<Wanted>,
        only: Vec<Only>,
    },
    /// They have none, for this reason.
    Error(WantedError),
}

impl Test {
    /// Whether its hosts are taken as the repo and nothing else makes them.
    fn is_plain(&self) -> bool {
        self.facts.is_none() && self.vars.is_empty()
    }
}
