//! The trait: everything the server asks of its memory.

use std::io::{BufRead, Write};
use std::sync::Arc;

use holdfast_schemas::HostName;
use holdfast_schemas::inventory::Inventory;
use holdfast_schemas::operator_api::{DriftEvent, Page, StoredReport};
use holdfast_schemas::report::Report;
use holdfast_schemas::{Digest, facts::Facts};
use jiff::Timestamp;

use crate::{
    Appended, Claim, Enrolment, Heartbeat, HostChange, HostRecord, InventoryRecord, OperatorRecord,
    Pruned, RedeemError, Retention, StoreError, TokenRecord,
};

/// Most rows that one page gives, whatever was asked for.
pub const MAX_PAGE: usize = 1000;

/// What the server remembers.
///
/// `Ok` from a method that writes means that it is on disk, whole, and survives a power cut;
/// `Err` means that nothing of it was stored ([`StoreError::Closed`] and
/// [`StoreError::Stopped`] excepted, after which it is either stored whole or not at all, and may
/// be tried again). What a reader sees is durable; what is on its way to the disk, nobody sees.
/// Every method is one transaction unless it says otherwise. Methods block; async code calls
/// them through [`with`]. Cursors are opaque: what a page gives as `next` is passed as `after`.
pub trait Store: Send + Sync {
    // -- hosts

    /// One host, with its latest heartbeat.
    fn host(&self, name: &HostName) -> Result<Option<HostRecord>, StoreError>;

    /// Hosts in the order of their names, from the one after `after`; at most `limit` and
    /// [`MAX_PAGE`]. A short page is not the end; an empty one is.
    fn hosts(&self, after: Option<&HostName>, limit: usize) -> Result<Vec<HostRecord>, StoreError>;

    /// How many hosts there are.
    fn count_hosts(&self) -> Result<u64, StoreError>;

    /// Changes one host's record and returns it as it is now.
    fn update_host(&self, name: &HostName, change: HostChange) -> Result<HostRecord, StoreError>;

    /// Changes the records of many hosts, all or none; names that are not enrolled are left out
    /// of the answer.
    fn update_hosts(
        &self,
        changes: Vec<(HostName, HostChange)>,
    ) -> Result<Vec<HostRecord>, StoreError>;

    /// Remembers that a host was heard of. Not durable: it is written with the host's next
    /// record or by [`Store::write_heartbeats`], and a crash in between forgets it.
    fn heartbeat(&self, name: &HostName, beat: Heartbeat);

    /// Writes heartbeats that are only in memory, and says how many hosts that concerned. To be
    /// called now and then, and at the end.
    fn write_heartbeats(&self) -> Result<u64, StoreError>;

    /// Forgets a host with everything that is stored of it. Not one transaction: the host's
    /// record goes first, so nothing is added meanwhile; after a failure it can be repeated.
    fn remove_host(&self, name: &HostName) -> Result<(), StoreError>;

    // -- inventories

    /// Keeps a host's latest inventory; `facts` of its record becomes the digest of its facts.
    fn put_inventory(
        &self,
        host: &HostName,
        inventory: Inventory,
        received: Timestamp,
    ) -> Result<HostRecord, StoreError>;

    /// A host's latest inventory.
    fn inventory(&self, host: &HostName) -> Result<Option<InventoryRecord>, StoreError>;

    /// Only the facts of a host's latest inventory.
    fn facts(&self, host: &HostName) -> Result<Option<Facts>, StoreError>;

    // -- enrolment

    /// Keeps a new token.
    fn put_token(&self, token: TokenRecord) -> Result<(), StoreError>;

    /// A token, by the digest of its secret.
    fn token(&self, secret: &Digest) -> Result<Option<TokenRecord>, StoreError>;

    /// Whether a token would enrol a host now; [`Store::redeem`] decides.
    fn check_token(&self, claim: &Claim, now: Timestamp) -> Result<(), RedeemError>;

    /// Uses a token and enrols the host, both or neither. A host that was known keeps its
    /// history and its assigned catalog; its earlier certificates and a revocation end. The same
    /// claim again, before the token ends, adds a certificate and is no other enrolment: the
    /// answer to the first may have been lost.
    fn redeem(&self, enrolment: Enrolment, now: Timestamp) -> Result<HostRecord, RedeemError>;

    // -- operators

    /// Keeps an operator's credential.
    fn put_operator(&self, operator: OperatorRecord) -> Result<(), StoreError>;

    /// Whose bearer token has this digest.
    fn operator(&self, token: &Digest) -> Result<Option<OperatorRecord>, StoreError>;

    /// All operators' credentials.
    fn operators(&self) -> Result<Vec<OperatorRecord>, StoreError>;

    /// Ends a credential.
    fn remove_operator(&self, token: &Digest) -> Result<(), StoreError>;

    // -- reports

    /// Keeps a report of an enrolled host and, in the same transaction, its drift events and the
    /// host's `reported`. A report of the same id is counted once.
    fn append_report(&self, report: Report, received: Timestamp) -> Result<Appended, StoreError>;

    /// Reports newest first, of one host or of all.
    fn reports(
        &self,
        host: Option<&HostName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<StoredReport>, StoreError>;

    /// Drift events newest first, of one host or of all.
    fn drift(
        &self,
        host: Option<&HostName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<DriftEvent>, StoreError>;

    /// Throws away history beyond `retention`, tokens that ended that long ago, and files that a
    /// crash left over. Many small transactions; writes of others go on between them.
    fn prune(&self, retention: Retention, now: Timestamp) -> Result<Pruned, StoreError>;

    // -- the server itself

    /// A setting, by name (see [`crate::keys`]).
    fn setting(&self, name: &str) -> Result<Option<serde_json::Value>, StoreError>;

    /// Puts a setting, or takes it away.
    fn put_setting(&self, name: &str, value: Option<serde_json::Value>) -> Result<(), StoreError>;

    /// The next number of a counter: 1 at first, above `floor`, and never given twice.
    fn next_number(&self, counter: &str, floor: u64) -> Result<u64, StoreError>;

    // -- backup

    /// Writes everything but the blobs as JSON lines, and says how many records. Records that
    /// change while it runs are written as they were or as they are.
    fn export(&self, out: &mut dyn Write) -> Result<u64, StoreError>;

    /// Reads what [`Store::export`] wrote into this store, which must be empty, and says how many
    /// records. A backup that is damaged or cut leaves it empty.
    fn import(&self, lines: &mut dyn BufRead) -> Result<u64, StoreError>;
}

/// Calls the store from async code, on a thread that may block.
pub async fn with<T, E, F>(store: &Arc<dyn Store>, call: F) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: FnOnce(&dyn Store) -> Result<T, E> + Send + 'static,
{
    let store = Arc::clone(store);
    let called = tokio::task::spawn_blocking(move || call(store.as_ref())).await;
    called.unwrap_or_else(|lost| {
        Err(StoreError::Database {
            action: "answer",
            source: lost.into(),
        }
        .into())
    })
}
