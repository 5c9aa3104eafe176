//! The names of records: one letter for what it is, then what tells them apart.
//!
//! Keys are text, numbers in them have a fixed width in hexadecimal, and no part holds a `/`; so
//! their order is the order of what they name, and a backup can be read by eye.

use std::fmt::Write as _;

use holdfast_schemas::report::ReportId;
use holdfast_schemas::{Digest, HostName};

use crate::StoreError;

/// Hosts' records.
pub(super) const HOSTS: &str = "h/";
/// Tokens.
pub(super) const TOKENS: &str = "t/";
/// Operators' credentials.
pub(super) const OPERATORS: &str = "o/";
/// Reports of all hosts in the order they came.
pub(super) const NEWEST: &str = "n/";
/// Drift events of all hosts in the order they came.
pub(super) const EVENTS: &str = "d/";

/// Longest name of a setting or counter, in bytes.
const MAX_SETTING: usize = 128;

/// Longest incarnation of a report's id, in bytes; agents draw 32.
const MAX_INCARNATION: usize = 64;

pub(super) fn host(name: &HostName) -> String {
    format!("{HOSTS}{name}")
}

pub(super) fn inventory(name: &HostName) -> String {
    format!("i/{name}")
}

pub(super) fn facts(name: &HostName) -> String {
    format!("f/{name}")
}

pub(super) fn token(secret: &Digest) -> String {
    format!("{TOKENS}{secret}")
}

pub(super) fn operator(token: &Digest) -> String {
    format!("{OPERATORS}{token}")
}

pub(super) fn setting(name: &str) -> Result<String, StoreError> {
    plain(name).map(|()| format!("s/{name}"))
}

pub(super) fn counter(name: &str) -> Result<String, StoreError> {
    plain(name).map(|()| format!("c/{name}"))
}

fn plain(name: &str) -> Result<(), StoreError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    if name.is_empty() || name.len() > MAX_SETTING || !name.chars().all(allowed) {
        return Err(StoreError::Refused(format!(
            "a setting's name has 1 to {MAX_SETTING} letters, digits, `-`, `_`, `.` and `:`, unlike {name:?}"
        )));
    }
    Ok(())
}

/// A report, by what its host calls it.
#[derive(Debug, Clone)]
pub(super) struct ReportKeys {
    /// What is short about it.
    pub(super) head: String,
    /// All of it.
    pub(super) body: String,
}

pub(super) fn report(host: &HostName, id: &ReportId) -> Result<ReportKeys, StoreError> {
    let hexadecimal = id.incarnation.bytes().all(|c| c.is_ascii_hexdigit());
    if !hexadecimal || id.incarnation.is_empty() || id.incarnation.len() > MAX_INCARNATION {
        let shown: String = id.incarnation.chars().take(MAX_INCARNATION).collect();
        return Err(StoreError::Refused(format!(
            "a report's incarnation has 1 to {MAX_INCARNATION} hexadecimal digits, unlike {shown:?}"
        )));
    }
    let rest = format!("{host}/{}/{:016x}", id.incarnation, id.sequence);
    Ok(ReportKeys {
        head: format!("r/{rest}"),
        body: format!("b/{rest}"),
    })
}

/// Prefix of one host's reports in the order they came.
pub(super) fn newest_of(host: &HostName) -> String {
    format!("m/{host}/")
}

/// Prefix of one host's drift events in the order they came.
pub(super) fn events_of(host: &HostName) -> String {
    format!("e/{host}/")
}

/// The place of a report in the order they came, as it ends a key.
pub(super) fn place(order: u64) -> String {
    format!("{order:016x}")
}

/// The place of a drift event in the order they came, as it ends a key.
pub(super) fn event_place(order: u64, index: u32) -> String {
    let mut place = place(order);
    // Writing to a String does not fail.
    let _ = write!(place, ".{index:08x}");
    place
}

/// What stands behind the last `/`: the cursor of a listing.
pub(super) fn cursor_of(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(_, place)| place)
}

/// The number of the report that a key of [`NEWEST`] is about.
pub(super) fn order_of(key: &str) -> Result<u64, StoreError> {
    u64::from_str_radix(cursor_of(key), 16).map_err(|error| StoreError::damaged(key)(error.into()))
}

/// Checks a cursor that came back from a client.
pub(super) fn checked_cursor(cursor: &str) -> Result<&str, StoreError> {
    let shaped = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f' | b'.');
    if cursor.is_empty() || cursor.len() > 32 || !cursor.bytes().all(shaped) {
        let shown: String = cursor.chars().take(32).collect();
        return Err(StoreError::Refused(format!(
            "{shown:?} is no place in a list; pass the `next` of the page before"
        )));
    }
    Ok(cursor)
}
