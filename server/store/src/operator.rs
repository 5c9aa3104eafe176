//! Who may ask the server as an operator.

use holdfast_schemas::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
}

/// One operator's credential. The bearer token itself is never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorRecord {
    /// Who it is, for the audit log.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// BLAKE3 digest of the bearer token.
    pub token: Digest,
    /// When it was made.
    pub created: Timestamp,
}
