//! What the store says about reports and inventories.

use holdfast_schemas::Digest;
use holdfast_schemas::inventory::Inventory;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What became of a report that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is stored now.
    New,
    /// It was stored before; nothing changed.
    Known,
    /// Another report was stored under its id: two agents share one state folder's life, or one
    /// was set back. Nothing changed.
    Forked,
}

/// The latest inventory of a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InventoryRecord {
    /// When the server took it.
    pub received: Timestamp,
    /// Digest of the facts in it (the JSON bytes of its `facts`).
    pub facts: Digest,
    /// What the agent found.
    pub inventory: Inventory,
}
