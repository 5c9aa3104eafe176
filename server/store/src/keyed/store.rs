//! The trait's methods, each where it is done.

use std::io::{BufRead, Write};

use holdfast_schemas::facts::Facts;
use holdfast_schemas::inventory::Inventory;
use holdfast_schemas::operator_api::{DriftEvent, Page, StoredReport};
use holdfast_schemas::report::Report;
use holdfast_schemas::{Digest, HostName};
use jiff::Timestamp;

use super::{Engine, KeyedStore, Scan, keys, parse};
use crate::{
    Appended, Claim, Enrolment, Heartbeat, HostChange, HostRecord, InventoryRecord, MAX_PAGE,
    OperatorRecord, Pruned, RedeemError, Retention, Store, StoreError, TokenRecord,
};

impl<E: Engine> Store for KeyedStore<E> {
    fn host(&self, name: &HostName) -> Result<Option<HostRecord>, StoreError> {
        self.read_host(name)
    }

    fn hosts(&self, after: Option<&HostName>, limit: usize) -> Result<Vec<HostRecord>, StoreError> {
        self.read_hosts(after, limit)
    }

    fn count_hosts(&self) -> Result<u64, StoreError> {
        self.engine.count(keys::HOSTS)
    }

    fn update_host(&self, name: &HostName, change: HostChange) -> Result<HostRecord, StoreError> {
        let mut changed = self.change_hosts(vec![(name.clone(), change)])?;
        changed
            .pop()
            .ok_or_else(|| StoreError::UnknownHost(name.clone()))
    }

    fn update_hosts(
        &self,
        changes: Vec<(HostName, HostChange)>,
    ) -> Result<Vec<HostRecord>, StoreError> {
        self.change_hosts(changes)
    }

    fn heartbeat(&self, name: &HostName, beat: Heartbeat) {
        self.beats.hear(name, beat);
    }

    fn write_heartbeats(&self) -> Result<u64, StoreError> {
        self.write_beats()
    }

    fn remove_host(&self, name: &HostName) -> Result<(), StoreError> {
        self.forget_host(name)
    }

    fn put_inventory(
        &self,
        host: &HostName,
        inventory: Inventory,
        received: Timestamp,
    ) -> Result<HostRecord, StoreError> {
        self.keep_inventory(host, inventory, received)
    }

    fn inventory(&self, host: &HostName) -> Result<Option<InventoryRecord>, StoreError> {
        self.read(&keys::inventory(host))
    }

    fn facts(&self, host: &HostName) -> Result<Option<Facts>, StoreError> {
        self.read(&keys::facts(host))
    }

    fn put_token(&self, token: TokenRecord) -> Result<(), StoreError> {
        self.transact(move |txn| txn.write(&keys::token(&token.secret), &token))
    }

    fn token(&self, secret: &Digest) -> Result<Option<TokenRecord>, StoreError> {
        self.read(&keys::token(secret))
    }

    fn check_token(&self, claim: &Claim, now: Timestamp) -> Result<(), RedeemError> {
        self.token_admits(claim, now)
    }

    fn redeem(&self, enrolment: Enrolment, now: Timestamp) -> Result<HostRecord, RedeemError> {
        self.enrol(enrolment, now)
    }

    fn put_operator(&self, operator: OperatorRecord) -> Result<(), StoreError> {
        self.transact(move |txn| txn.write(&keys::operator(&operator.token), &operator))
    }

    fn operator(&self, token: &Digest) -> Result<Option<OperatorRecord>, StoreError> {
        self.read(&keys::operator(token))
    }

    fn operators(&self) -> Result<Vec<OperatorRecord>, StoreError> {
        let rows = self
            .engine
            .scan(&Scan::up(keys::OPERATORS, None, MAX_PAGE))?;
        rows.iter().map(|(key, row)| parse(key, row)).collect()
    }

    fn remove_operator(&self, token: &Digest) -> Result<(), StoreError> {
        let key = keys::operator(token);
        self.transact(move |txn| {
            txn.remove(&key);
            Ok(())
        })
    }

    fn append_report(&self, report: Report, received: Timestamp) -> Result<Appended, StoreError> {
        self.append(report, received)
    }

    fn reports(
        &self,
        host: Option<&HostName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<StoredReport>, StoreError> {
        self.list_reports(host, after, limit)
    }

    fn drift(
        &self,
        host: Option<&HostName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<DriftEvent>, StoreError> {
        self.list_drift(host, after, limit)
    }

    fn prune(&self, retention: Retention, now: Timestamp) -> Result<Pruned, StoreError> {
        self.prune_all(retention, now)
    }

    fn setting(&self, name: &str) -> Result<Option<serde_json::Value>, StoreError> {
        self.read(&keys::setting(name)?)
    }

    fn put_setting(&self, name: &str, value: Option<serde_json::Value>) -> Result<(), StoreError> {
        let key = keys::setting(name)?;
        let Some(value) = value else {
            return self.transact(move |txn| {
                txn.remove(&key);
                Ok(())
            });
        };
        self.transact(move |txn| txn.write(&key, &value))
    }

    fn next_number(&self, counter: &str, floor: u64) -> Result<u64, StoreError> {
        let key = keys::counter(counter)?;
        self.transact(move |txn| {
            let last = txn.read::<u64>(&key)?.unwrap_or(0).max(floor);
            let next = last.checked_add(1).ok_or_else(|| {
                StoreError::Refused(format!("the counter {key:?} has no number above {last}"))
            })?;
            txn.write(&key, &next)?;
            Ok(next)
        })
    }

    fn export(&self, out: &mut dyn Write) -> Result<u64, StoreError> {
        self.write_beats()?;
        self.write_backup(out)
    }

    fn import(&self, lines: &mut dyn BufRead) -> Result<u64, StoreError> {
        self.read_backup(lines)
    }
}
