//! The host that this program runs on: the tree at `/`, and the system's own programs.

use std::path::Path;
use std::sync::Arc;

use super::accounts::Accounts;
use super::content::ContentSource;
use super::disk::{DiskHost, System};
use super::tree::Tree;
use super::{Facility, HostError, Invocation, Output, Query, Stop, Support, command, query};
use crate::package::Memo;

/// The host that this program runs on.
pub type RealHost = DiskHost<Machine>;

/// The system that this program runs on.
#[derive(Debug)]
pub struct Machine {
    memo: Memo,
    stop: Arc<Stop>,
}

impl RealHost {
    /// The host, with a source of the content that its catalog does not carry. Commands end when
    /// the run is asked to.
    pub fn new(content: Arc<dyn ContentSource>, stop: Arc<Stop>) -> Result<Self, HostError> {
        let tree = Tree::new(Path::new("/"), content)?;
        let memo = Memo::default();
        Ok(Self::with(tree, Machine { memo, stop }))
    }
}

impl System for Machine {
    fn query(&self, query: &Query, accounts: &Accounts) -> Result<Output, HostError> {
        command::run(&query::invocation(query), accounts, &self.stop)
    }

    fn run(&self, invocation: &Invocation, accounts: &Accounts) -> Result<Output, HostError> {
        let ran = command::run(invocation, accounts, &self.stop);
        self.memo.forget();
        ran
    }

    /// The owner of a file is tried: what the kernel does not allow is an error of its own.
    fn supports(&self, facility: Facility) -> Support {
        let needs = |path: &str, why: &str| match Path::new(path).exists() {
            true => Support::Yes,
            false => Support::No(why.to_owned()),
        };
        match facility {
            Facility::Programs | Facility::Ownership => Support::Yes,
            Facility::Apt => needs("/usr/bin/apt-get", "this host has no apt-get"),
            // sd_booted(3) asks the same.
            Facility::Systemd => {
                needs("/run/systemd/system", "this host was not booted by systemd")
            }
        }
    }

    fn memo(&self) -> Option<&Memo> {
        Some(&self.memo)
    }
}
