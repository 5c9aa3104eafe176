//! What an agent finds about its host: facts, and the inventory they are part of.
//!
//! Everything is read from a [`Tree`] (the machine itself, a `--root` folder, a recorded fixture)
//! by small pure parsers, one subject per file. Odd input is never an error here: what cannot be
//! understood is left out, because a host that cannot be described must still be managed.
//!
//! Facts are inputs of compilation, so they hold only what stays the same from run to run: no
//! figures that move, no interface that comes and goes with a container, no temporary address.

mod cpu;
mod kernel;
mod memory;
mod metrics;
mod network;
mod os;
mod packages;
mod services;
mod tree;
mod virtualization;

use std::collections::BTreeMap;

use holdfast_schemas::facts::Facts;
use holdfast_schemas::inventory::Inventory;
use jiff::Timestamp;

pub use tree::{Scope, Tree};

/// The stable facts of a host. Takes milliseconds: it runs before every check-in.
pub fn facts(tree: &Tree) -> Facts {
    let hostname = kernel::hostname(tree);
    Facts {
        fqdn: kernel::fqdn(tree, &hostname),
        hostname,
        machine_id: os::machine_id(tree),
        os: os::os(tree),
        kernel: kernel::kernel(tree),
        cpu: cpu::cpu(tree),
        memory: memory::memory(tree),
        network: network::network(tree),
        virtualization: virtualization::virtualization(tree),
        init: os::init(tree).to_owned(),
        package_manager: packages::manager(tree).to_owned(),
        more: BTreeMap::new(),
    }
}

/// Everything there is to know of a host at `now`: facts, figures, packages, services.
pub fn collect(tree: &Tree, now: Timestamp) -> Inventory {
    Inventory {
        collected: now,
        facts: facts(tree),
        metrics: metrics::metrics(tree),
        packages: packages::installed(tree),
        services: services::known(tree),
    }
}

#[cfg(test)]
mod tests;
